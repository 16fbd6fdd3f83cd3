package fleet_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// departures watches the members on every node; the returned function stops
// and says who was not alive, when and where, at most ten times.
func departures(t *testing.T, nodes []*fleet.Node) (stop func() []string) {
	var mu sync.Mutex
	var seen []string
	asked := 0
	began := time.Now()
	var stops []func()
	for _, n := range nodes {
		stops = append(stops, every(t, 50*time.Millisecond, func(ctx context.Context) {
			members, err := n.Members(ctx)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			asked++
			for _, m := range members {
				if m.State != api.MemberAlive && len(seen) < 10 {
					seen = append(seen, fmt.Sprintf("after %v %s was %s for %s", time.Since(began).Round(time.Millisecond), m.Name, m.State, n.Name))
				}
			}
		}))
	}
	return func() []string {
		for _, stop := range stops {
			stop()
		}
		if asked < len(nodes) {
			t.Errorf("the nodes showed their members only %d times", asked)
		}
		return seen
	}
}

// TestBrokenLinks lets two of five machines not hear each other, and a third
// not hear a fourth: all stay members, and what one is told all know, because
// the others carry it.
func TestBrokenLinks(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 5)
	stop := departures(t, nodes)
	succeed(t, w.Deafen(0, 1))
	succeed(t, w.Deafen(1, 0))
	succeed(t, w.Deafen(2, 3))
	broken := time.Now()
	for i, pair := range [][2]int{{0, 1}, {3, 2}, {2, 3}} { // who is told, who does not hear it from him
		told, deaf := nodes[pair[0]], nodes[pair[1]]
		host := fmt.Sprintf("link-%d.example.org", i)
		report(t, told, retryAfter(host, "600"))
		t.Logf("a Retry-After at %s is known to all, %s too, after %v", told.Name, deaf.Name,
			awaitAll(t, "a Retry-After across a broken link", host, rejectedFor("retry-after"), nodes...))
		host = must(deaf.OwnHost(t.Context(), "link"))(t)
		began := time.Now()
		open(t, told, host)
		t.Logf("an open at %s of a host of %s took %v", told.Name, deaf.Name, time.Since(began))
		t.Logf("it is known to all %v later", awaitAll(t, "an open across a broken link", host, rejectedFor("cli-open"), nodes...))
	}
	pass(t, 30*time.Second, broken)
	if seen := stop(); len(seen) > 0 {
		t.Errorf("members came and went over two broken links: %q", seen)
	}
	succeed(t, w.Hear())
	t.Logf("the nodes agree %v after healing", awaitAgreement(t, nodes, nil))
	if seen := evictions(t, nodes); seen > 0 {
		t.Errorf("%v evictions", seen)
	}
}

// TestLossyNetwork drops every twentieth packet for a minute: nobody is given
// up, and words arrive. FLEET_LOSS=10m makes it last so long.
func TestLossyNetwork(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 5)
	succeed(t, w.Lose(0.05))
	began := time.Now()
	stop := departures(t, nodes)
	end := length(t, "FLEET_LOSS", time.Minute)
	var slowest time.Duration
	words := 0
	for ; time.Since(began) < end; words++ {
		host := fmt.Sprintf("lossy-%d.example.org", words)
		report(t, nodes[words%len(nodes)], retryAfter(host, "600"))
		slowest = max(slowest, awaitAll(t, "a Retry-After over a lossy network", host, rejected, nodes...))
		pass(t, time.Second, time.Now())
	}
	if seen := stop(); len(seen) > 0 {
		t.Errorf("members were given up although every machine lives: %q", seen)
		for _, n := range nodes {
			t.Logf("%s:\n%s", n.Name, n.Log())
		}
	}
	t.Logf("in %v %d words were known to all, the slowest after %v; %v evictions", end, words, slowest, evictions(t, nodes))
	succeed(t, w.Hear())
	awaitAgreement(t, nodes, nil)
}

func evictions(t *testing.T, nodes []*fleet.Node) (sum float64) {
	t.Helper()
	for _, n := range nodes {
		sum += must(n.Metric(t.Context(), "fleetfuse_cluster_evictions_total"))(t)
	}
	return sum
}
