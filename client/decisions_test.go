package client

import (
	"maps"
	"sync"
	"testing"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// told sums what the node was told of decisions.
func (n *fakeNode) told() (sum api.Decisions, times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum.Rejected = map[string]uint64{}
	for _, d := range n.decided {
		sum.Allowed += d.Allowed
		sum.Probes += d.Probes
		sum.Stale += d.Stale
		for reason, count := range d.Rejected {
			sum.Rejected[reason] += count
		}
	}
	return sum, len(n.decided)
}

func TestDecisionsReachTheNode(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	for range 5 {
		p, err := c.Allow(t.Context(), Call{Host: "a.example"})
		if err != nil {
			t.Fatal(err)
		}
		p.Report(Result{Status: 503})
	}
	eventually(t, "it opens", func() bool { return c.State("a.example") == breaker.Open })
	for range 3 {
		if _, err := c.Allow(t.Context(), Call{Host: "a.example"}); err == nil {
			t.Fatal("allowed while open")
		}
	}
	eventually(t, "the node knows", func() bool {
		sum, _ := n.told()
		return sum.Allowed == 5 && maps.Equal(sum.Rejected, map[string]uint64{"consecutive-failures": 3})
	})
	n.away(true)
	eventually(t, "the node is away", c.Stale)
	if p, err := c.Allow(t.Context(), Call{Host: "b.example"}); err != nil {
		t.Fatal(err)
	} else {
		p.Success()
	}
	n.away(false)
	eventually(t, "the node knows what was decided without it", func() bool {
		sum, _ := n.told()
		return sum.Allowed == 6 && sum.Stale >= 1 && sum.Probes == 0
	})
}

func TestAnOlderNodeIsNotToldOfDecisions(t *testing.T) {
	n := newNode(t, testPolicy())
	n.older = true
	c := newClient(t, n, Options{})
	ask := func() {
		if p, err := c.Allow(t.Context(), Call{Host: "a.example"}); err != nil {
			t.Fatal(err)
		} else {
			p.Success()
		}
	}
	ask()
	eventually(t, "it was told once", func() bool { _, times := n.told(); return times == 1 })
	ask()
	eventually(t, "outcomes reach it all the same", func() bool {
		return n.reported(func(o api.Outcome) bool { return o.Host == "a.example" }) == 2
	})
	_ = c.Close()
	if _, times := n.told(); times != 1 {
		t.Errorf("told %d times, want once", times)
	}
}

func TestReasonsAreWhatNodesKnow(t *testing.T) {
	c := counters{}
	c.add(nil, &OpenError{Reason: "a reason of a later version"})
	now := c.read()
	if d := now.since(&totals{}); !maps.Equal(d.Rejected, map[string]uint64{"other": 1}) {
		t.Errorf("told %v", d.Rejected)
	}
}

// What no outcome tells of single breakers the node learns at the end at the
// latest: calls that were not made, and those that say nothing about the host.
func TestWhatNoOutcomeTellsReachesTheNode(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	report := func(host string, r Result) {
		p, err := c.Allow(t.Context(), Call{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		p.Report(r)
	}
	report("gone.example", Result{Status: 404})
	for range 5 {
		report("a.example", Result{Status: 503})
	}
	eventually(t, "it opens", func() bool { return c.State("a.example") == breaker.Open })
	for range 3 {
		if _, err := c.Allow(t.Context(), Call{Host: "a.example"}); err == nil {
			t.Fatal("allowed while open")
		}
	}
	_ = c.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := map[string]uint64{}
	for _, d := range n.decided {
		for _, k := range d.Keys {
			sum[k.Key+" not sent"] += k.Cooldown + k.Circuit + k.Local
			sum[k.Key+" neutral"] += k.Neutral
		}
	}
	if sum["host:a.example not sent"] != 3 || sum["host:gone.example neutral"] != 1 {
		t.Errorf("told %v; want 3 calls of a.example that were not sent, and a neutral one", sum)
	}
}

// What is read while calls are decided is never more than what was decided: the
// node refuses a count that no worker can have reached.
func TestWhatIsReadWhileProbesBeginIsTrue(t *testing.T) {
	c := &Client{node: &node{}}
	const each, workers = 100_000, 2
	var deciding sync.WaitGroup
	for range workers {
		deciding.Go(func() {
			for range each {
				c.counts.add(&Permit{probe: true}, nil)
			}
		})
	}
	var before totals
	var sum api.Decisions
	for sum.Probes < each*workers {
		now := c.counts.read()
		d := now.since(&before)
		if d.Allowed != 0 || c.Counts().Allowed > each*workers {
			t.Fatalf("%d calls were allowed without a probe, want none; %+v", d.Allowed, c.Counts())
		}
		sum.Probes, before = sum.Probes+d.Probes, now
	}
	deciding.Wait()
	if got, want := c.Counts(), (Counts{Allowed: each * workers, Probes: each * workers}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
