package fleet_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// A departure is a member that a node did not show as alive.
type departure struct {
	at   time.Time
	what string
}

// A stall is a question that a node took long to answer: the machine gave it no
// time. Then others are right to give it up, and nothing is learnt.
type stall struct{ from, to time.Time }

const (
	stallFrom = 250 * time.Millisecond
	stallPast = 4 * time.Second // a suspicion that a stall began ends within
)

// departures watches the members on every node; the returned function stops
// and lists who was not alive, when and for whom, but for stalls.
func departures(t *testing.T, nodes []*fleet.Node) (stop func() []string) {
	var mu sync.Mutex
	var seen []departure
	var stalls []stall
	asked := 0
	began := time.Now()
	var stops []func()
	for _, n := range nodes {
		stops = append(stops, every(t, 50*time.Millisecond, func(ctx context.Context) {
			from := time.Now()
			members, err := n.Members(ctx)
			to := time.Now()
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			asked++
			if to.Sub(from) > stallFrom {
				stalls = append(stalls, stall{from, to})
			}
			for _, m := range members {
				if m.State != api.MemberAlive {
					seen = append(seen, departure{to, fmt.Sprintf("after %v %s was %s for %s", to.Sub(began).Round(time.Millisecond), m.Name, m.State, n.Name)})
				}
			}
		}))
	}
	return func() (list []string) {
		for _, stop := range stops {
			stop()
		}
		if asked < len(nodes) {
			t.Errorf("the nodes showed their members only %d times", asked)
		}
		for _, d := range seen {
			excused := slices.ContainsFunc(stalls, func(s stall) bool { return s.from.Before(d.at) && d.at.Sub(s.to) < stallPast })
			if excused {
				t.Logf("%s, when nodes had stalled", d.what)
			} else {
				list = append(list, d.what)
			}
		}
		t.Logf("asked for the members %d times, stalled %d times", asked, len(stalls))
		return list
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
		t.Errorf("members came and went over broken links %d times, first: %s", len(seen), seen[0])
	}
	succeed(t, w.Hear())
	t.Logf("the nodes agree %v after healing", awaitAgreement(t, nodes, nil))
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
		t.Errorf("members were given up %d times although every machine lives, first: %s", len(seen), seen[0])
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
