package simulation_test

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"fleetfuse/simulation"
)

var (
	seeds = flag.Uint64("seeds", 1000, "how many worlds a campaign has")
	from  = flag.Uint64("from", 0, "the first seed of a campaign")
)

const (
	maxShown = 10   // failing seeds that are printed
	enough   = 1000 // seeds of which some must reach every interesting state
)

func TestCampaign(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = 100
	}
	defer debug.SetGCPercent(debug.SetGCPercent(3000)) // worlds make much garbage and keep little
	shown := 0
	r := simulation.RunSeeds(simulation.Random, *from, n, runtime.GOMAXPROCS(0), func(done uint64, failed *simulation.Failure) {
		switch {
		case failed == nil:
			fmt.Printf("%d of %d seeds\n", done, n)
		case shown < maxShown:
			shown++
			fmt.Printf("seed %d: %v\n  bin/fleetfuse-ctl sim replay --seed %d\n", failed.Seed, failed.Violations[0], failed.Seed)
		}
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
			break
		}
		t.Errorf("seed %d (bin/fleetfuse-ctl sim replay --seed %d): %v", f.Seed, f.Seed, f.Violations[0])
	}
	if len(r.Broken) > 0 {
		t.Errorf("%d seeds failed; go test ./simulation -run Shrink -shrink SEED keeps one", len(r.Broken))
	}
	if n >= enough {
		for _, s := range simulation.OfDefault() {
			if r.Saw(s) == 0 {
				t.Errorf("never in %d seeds: %v", n, s)
			}
		}
	}
}

// TestDisputed is a campaign of worlds that are crowded with operators. The story of
// the first that fails is logged: no command tells it.
func TestDisputed(t *testing.T) {
	n := *seeds / 4
	if testing.Short() {
		n = 25
	}
	r := simulation.RunSeeds(simulation.Disputed, *from, n, runtime.GOMAXPROCS(0), nil)
	t.Logf("%d seeds in %v", n, r.Took.Round(1e6))
	for i, f := range r.Broken {
		if i == 0 {
			w := simulation.New(simulation.Disputed(f.Seed))
			w.Tell(func(line string) { t.Log(line) })
			w.Run()
		}
		if i < maxShown {
			t.Errorf("seed %d: %v", f.Seed, f.Violations[0])
		}
	}
	if n < enough/4 {
		return
	}
	for _, s := range simulation.OfDisputed() {
		t.Logf("%d times: %v", r.Saw(s), s)
		if r.Saw(s) == 0 {
			t.Errorf("never in %d seeds: %v", n, s)
		}
	}
}

func TestSameSeedSameWorld(t *testing.T) {
	const n = 6
	one := simulation.RunSeeds(simulation.Random, 0, n, 1, nil)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	four := simulation.RunSeeds(simulation.Random, 0, n, 4, nil)
	if one.Hash != four.Hash || one.Counts != four.Counts {
		t.Errorf("4 workers gave %x and %+v, one gave %x and %+v", four.Hash, four.Counts, one.Hash, one.Counts)
	}
}

// In the world of this seed a node returns the permits of two roles at once: in
// the order of a map, now and then, they reached the owner the other way round.
func TestNoMapOrderInAWorld(t *testing.T) {
	const seed, times = 7020, 12
	first := simulation.RunSeeds(simulation.Random, seed, 1, 1, nil)
	for range times {
		if again := simulation.RunSeeds(simulation.Random, seed, 1, 1, nil); again.Hash != first.Hash {
			t.Fatalf("seed %d gave %x, then %x", seed, first.Hash, again.Hash)
		}
	}
}
