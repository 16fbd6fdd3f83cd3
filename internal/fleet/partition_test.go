package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// words are what is said about a host before a split and on each side of it,
// and what all must hold true afterwards.
var words = []struct {
	name   string
	before func(t *testing.T, host string, nodes []*fleet.Node)
	apart  func(t *testing.T, host string, many, few []*fleet.Node)
	want   func(api.AllowResponse) bool
}{
	{
		name:  "asked",
		apart: func(t *testing.T, host string, _, few []*fleet.Node) { report(t, few[0], retryAfter(host, "800")) },
		want:  rejectedFor("retry-after"),
	}, {
		name:  "opened",
		apart: func(t *testing.T, host string, many, _ []*fleet.Node) { open(t, many[0], host) },
		want:  rejectedFor("cli-open"),
	}, {
		name:   "closed-after",
		before: func(t *testing.T, host string, nodes []*fleet.Node) { open(t, nodes[0], host) },
		apart: func(t *testing.T, host string, many, few []*fleet.Node) {
			open(t, many[0], host)
			must(few[0].Close(t.Context(), host))(t)
		},
		want: closed,
	}, {
		name:   "opened-after",
		before: func(t *testing.T, host string, nodes []*fleet.Node) { open(t, nodes[0], host) },
		apart: func(t *testing.T, host string, many, few []*fleet.Node) {
			must(few[0].Close(t.Context(), host))(t)
			open(t, many[0], host)
		},
		want: rejectedFor("cli-open"),
	}, {
		name: "asked-then-closed",
		apart: func(t *testing.T, host string, many, few []*fleet.Node) {
			report(t, many[0], retryAfter(host, "800"))
			must(few[0].Close(t.Context(), host))(t)
		},
		want: closed,
	}, {
		name:  "tripped-by-few",
		apart: func(t *testing.T, host string, _, few []*fleet.Node) { tripAll(t, host, few...) },
		want:  rejectedFor("consecutive-failures"),
	}, {
		name: "tripped-by-both",
		apart: func(t *testing.T, host string, many, few []*fleet.Node) {
			tripAll(t, host, many...)
			tripAll(t, host, few...)
		},
		want: rejectedFor("consecutive-failures"),
	},
}

// TestPartition splits five nodes into three and two. Each side owns every
// host and keeps its word; healed they agree within 15 seconds on who owns what
// and on the later word. FLEET_PARTITION=3m makes it last so long.
func TestPartition(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 5, "--breaker-defaults", "reset:600")
	many, few := nodes[:3], nodes[3:]
	hosts := make([][2]string, len(words)) // of each word one of an owner on each side
	var all []string
	for i, x := range words {
		hosts[i] = [2]string{must(many[1].OwnHost(t.Context(), x.name))(t), must(few[1].OwnHost(t.Context(), x.name))(t)}
		all = append(all, hosts[i][:]...)
		for _, host := range hosts[i] {
			if x.before != nil {
				x.before(t, host, nodes)
				awaitAll(t, "what was said before", host, rejected, nodes...)
			}
		}
	}
	for i := range 30 {
		all = append(all, fmt.Sprintf("owned-%d.example.org", i))
	}

	succeed(t, w.Split(3, 4))
	split := time.Now()
	awaitLost(t, many, few)
	awaitLost(t, few, many)
	t.Logf("each side alone after %v", time.Since(split))
	for i, x := range words {
		for _, host := range hosts[i] {
			x.apart(t, host, many, few)
		}
	}
	ownsAll(t, many, all)
	ownsAll(t, few, all)
	asked, opened := hosts[0], hosts[1]
	awaitAll(t, "a Retry-After on its side", asked[0], rejectedFor("retry-after"), few...)
	awaitAll(t, "an open on its side", opened[1], rejectedFor("cli-open"), many...)
	for _, n := range many {
		expect(t, "what the other side was told is not known here", n, asked[0], closed)
	}
	for _, n := range few {
		expect(t, "what the other side opened is not known here", n, opened[1], closed)
	}
	pass(t, length(t, "FLEET_PARTITION", 10*time.Second), split)

	stopAsked := watch(t, "healing undid a Retry-After", asked[0], allowed, few...)
	stopOpened := watch(t, "healing undid an open", opened[1], allowed, many...)
	succeed(t, w.Heal(3, 4))
	t.Logf("members, owners and views agree %v after healing", awaitAgreement(t, nodes, all))
	checkWords(t, "agreed", nodes, hosts)
	agreed := time.Now()
	pass(t, 3*time.Second, agreed) // a round of digests
	if why := differ(t, nodes, all); why != "" {
		t.Errorf("they do not agree any more: %s", why)
	}
	checkWords(t, "agreed for three seconds", nodes, hosts)
	stopAsked()
	stopOpened()
	checkActors(t, nodes, len(all))
}

// checkWords holds every node to what must be true after the split.
func checkWords(t *testing.T, when string, nodes []*fleet.Node, hosts [][2]string) {
	t.Helper()
	for i, x := range words {
		for _, host := range hosts[i] {
			for _, n := range nodes {
				expect(t, when, n, host, x.want)
			}
		}
	}
}

// ownsAll expects one side of a split to agree on an owner of its own for each
// host.
func ownsAll(t *testing.T, side []*fleet.Node, hosts []string) {
	t.Helper()
	for _, host := range hosts {
		first := must(side[0].Owner(t.Context(), host))(t).Owner
		known := false
		for _, n := range side {
			known = known || n.Name == first
			if o := must(n.Owner(t.Context(), host))(t); o.Owner != first {
				t.Errorf("on one side %s says that %s is owned by %s, %s that it is by %s", side[0].Name, host, first, n.Name, o.Owner)
			}
		}
		if !known {
			t.Errorf("%s is owned by %s, who is on the other side", host, first)
		}
	}
}

// checkActors expects no host to have an actor on two nodes.
func checkActors(t *testing.T, nodes []*fleet.Node, hosts int) {
	t.Helper()
	actors := 0
	for _, n := range nodes {
		actors += must(n.Status(t.Context()))(t).Actors
	}
	if actors > hosts {
		t.Errorf("%d hosts have %d actors", hosts, actors)
	}
}

// TestGrowthUnderPartitions cuts one of three machines off and heals it, ten
// times, while words are said: no node gathers goroutines or memory.
func TestGrowthUnderPartitions(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 3)
	const rounds, warm = 10, 3
	before := make([]usage, len(nodes))
	for round := range rounds {
		host := fmt.Sprintf("growth-%d.example.org", round)
		succeed(t, w.Cut(2))
		awaitLost(t, nodes[:2], nodes[2:])
		awaitLost(t, nodes[2:], nodes[:2])
		report(t, nodes[0], retryAfter(host, "600"))
		report(t, nodes[2], retryAfter("other-"+host, "600"))
		succeed(t, w.Heal(2))
		took := awaitAgreement(t, nodes, nil)
		for i, n := range nodes {
			now := usageOf(t, n)
			if round == warm-1 {
				before[i] = now
			}
			t.Logf("round %d: %s, agreed after %v: %+v", round, n.Name, took, now)
		}
	}
	for i, n := range nodes {
		await(t, fmt.Sprintf("not many more goroutines than %v", before[i]), n, func() (bool, error) {
			return usageOf(t, n).goroutines <= before[i].goroutines+20, nil
		})
		if now := usageOf(t, n); now.heap > before[i].heap+16<<20 {
			t.Errorf("%s: from %+v to %+v in %d rounds", n.Name, before[i], now, rounds-warm)
		}
	}
}

// usage is what a process holds.
type usage struct{ goroutines, heap float64 }

func usageOf(t *testing.T, n *fleet.Node) usage {
	t.Helper()
	return usage{must(n.Metric(t.Context(), "go_goroutines"))(t), must(n.Metric(t.Context(), "go_memstats_heap_inuse_bytes"))(t)}
}
