package simulation_test

import (
	"flag"
	"fmt"
	"runtime"
	"testing"

	"fleetfuse/simulation"
)

var (
	seeds = flag.Uint64("seeds", 1000, "how many worlds a campaign has")
	from  = flag.Uint64("from", 0, "the first seed of a campaign")
)

// maxShown bounds the failing seeds that are printed.
const maxShown = 10

func TestCampaign(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = 100
	}
	r := simulation.RunSeeds(*from, n, runtime.GOMAXPROCS(0), func(done, broken uint64) {
		fmt.Printf("%d of %d seeds, %d failed\n", done, n, broken)
	})
	t.Logf("%d seeds, %d calls in %v, %.0f a second", n, r.Counts.Wanted, r.Took.Round(1e6), float64(r.Counts.Wanted)/r.Took.Seconds())
	t.Logf("overshoot p50 %d p99 %d of %d outages; witness rounds a trip p50 %d p99 %d; %.2f messages a call",
		simulation.Quantile(r.Measures.Overshoot, 0.5), simulation.Quantile(r.Measures.Overshoot, 0.99), len(r.Measures.Overshoot),
		simulation.Quantile(r.Measures.Rounds, 0.5), simulation.Quantile(r.Measures.Rounds, 0.99), float64(r.Counts.Messages)/float64(r.Counts.Wanted))
	if least := n * 20_000; r.Counts.Wanted < least {
		t.Errorf("%d calls, want %d", r.Counts.Wanted, least)
	}
	for i, f := range r.Broken {
		if i == maxShown {
			t.Errorf("and %d more seeds", len(r.Broken)-i)
			break
		}
		t.Errorf("seed %d (bin/fleetfuse-ctl sim replay --seed %d): %v", f.Seed, f.Seed, f.Violations[0])
	}
	if !testing.Short() {
		for _, s := range r.Missed() {
			t.Errorf("never in %d seeds: %v", n, s)
		}
	}
}

func TestSameSeedSameWorld(t *testing.T) {
	const n = 6
	one := simulation.RunSeeds(0, n, 1, nil)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	four := simulation.RunSeeds(0, n, 4, nil)
	if one.Hash != four.Hash || one.Counts != four.Counts {
		t.Errorf("4 workers gave %x and %+v, one gave %x and %+v", four.Hash, four.Counts, one.Hash, one.Counts)
	}
}
