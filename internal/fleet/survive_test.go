package fleet_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// TestKilledOwnerLeavesNoGap kills the owner of a breaker the moment an
// operator's open was acknowledged, or the moment others knew of a Retry-After:
// who holds it never allows a call again, and all others hear of it without the
// owner and do not either.
func TestKilledOwnerLeavesNoGap(t *testing.T) {
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3)
	for i, x := range []struct {
		what string
		act  func(t *testing.T, host string, owner *fleet.Node) (holders []*fleet.Node)
	}{
		{"open at another node", func(t *testing.T, host string, _ *fleet.Node) []*fleet.Node {
			open(t, nodes[0], host)
			return nodes[:1] // the answer told it
		}},
		{"open at the owner", func(t *testing.T, host string, owner *fleet.Node) []*fleet.Node {
			open(t, owner, host)
			return nil // one of the two
		}},
		{"Retry-After at another node", func(t *testing.T, host string, owner *fleet.Node) []*fleet.Node {
			report(t, nodes[0], retryAfter(host, "120"))
			awaitAll(t, "the Retry-After", host, rejected, owner)
			return nodes[:1]
		}},
		{"Retry-After at the owner", func(t *testing.T, host string, owner *fleet.Node) []*fleet.Node {
			report(t, owner, retryAfter(host, "120"))
			awaitAll(t, "the Retry-After", host, rejected, nodes[:2]...) // nobody but the dead would tell the last one
			return nodes[:2]
		}},
	} {
		living, owner := nodes[:2], nodes[2]
		host := must(owner.OwnHost(t.Context(), fmt.Sprint("gap-", i)))(t)
		holders := x.act(t, host, owner)
		owner.Kill()
		killed := time.Now()
		if !slices.ContainsFunc(living, func(n *fleet.Node) bool { return rejected(allow(t, n, host)) }) {
			t.Errorf("%s: nobody holds what was acknowledged", x.what)
		}
		stops := []func(){watch(t, x.what+", kill -9 of the owner: who holds it allowed a call", host, allowed, holders...)}
		awaitAll(t, "what was acknowledged", host, rejected, living...)
		t.Logf("%s: all reject %v after kill -9", x.what, time.Since(killed))
		stops = append(stops, watch(t, x.what+", kill -9 of the owner: a call was allowed", host, allowed, living...))
		for _, n := range living {
			awaitMember(t, n, owner.Name, api.MemberLost)
			await(t, "a new owner", n, func() (bool, error) {
				o, err := n.Owner(t.Context(), host)
				return o.Owner != owner.Name, err
			})
		}
		t.Logf("%s: a new owner %v after kill -9", x.what, time.Since(killed))
		for _, stop := range stops {
			stop()
		}
		nodes[2] = startNode(t, dir, owner.Name, "--cluster.peer", living[0].Gossip)
		awaitMembers(t, nodes)
		awaitAll(t, "what its disk and the others knew", host, rejected, nodes[2])
	}
}

// TestNewOwnerCountsAndProbes kills the owner of one host whose calls begin to
// fail and of another that is half-open: a new owner counts the failures of
// the first and grants the probe that closes the second.
func TestNewOwnerCountsAndProbes(t *testing.T) {
	nodes := startCluster(t, 3, "--breaker-defaults", "reset:1,half_open.jitter:0")
	living, owner := nodes[:2], nodes[2]
	down := must(owner.OwnHost(t.Context(), "down"))(t)
	back := must(owner.OwnHost(t.Context(), "back"))(t)
	tripAll(t, back, nodes...)
	awaitListed(t, "half-open", living[0], back, func(b api.Breaker) bool { return b.State == "half_open" })
	owner.Kill()
	killed := time.Now()

	var trips, probes time.Duration
	await(t, "a trip and a close by the new owner", living[0], func() (bool, error) {
		if trips == 0 {
			for _, n := range living {
				if err := n.Report(t.Context(), api.Outcome{Host: down, Status: 503}); err != nil {
					return false, err
				}
			}
			if all(t, down, rejectedFor("consecutive-failures"), living) {
				trips = time.Since(killed)
			}
		}
		if probes == 0 {
			a, err := living[1].Allow(t.Context(), back)
			if err == nil && a.Permit != "" {
				err = living[1].Report(t.Context(), api.Outcome{Host: back, Status: 200, Permit: a.Permit})
			}
			if err != nil {
				return false, err
			}
			if b := must(living[0].Breaker(t.Context(), back))(t); b.State == "closed" {
				probes = time.Since(killed)
			}
		}
		return trips != 0 && probes != 0, nil
	})
	t.Logf("after kill -9 of the owner: a trip after %v, a probe closed after %v", trips, probes)
	awaitAll(t, "the close", back, closed, living...)
}

// all reports whether every node decides about a host as wanted now.
func all(t *testing.T, host string, want func(api.AllowResponse) bool, nodes []*fleet.Node) bool {
	t.Helper()
	for _, n := range nodes {
		if !want(allow(t, n, host)) {
			return false
		}
	}
	return true
}

// TestRetryAfterNeedsNoOwner reports a Retry-After right after kill -9 of the
// owner, before anybody noticed: all others reject at once.
func TestRetryAfterNeedsNoOwner(t *testing.T) {
	nodes := startCluster(t, 4)
	living, owner := nodes[:3], nodes[3]
	host := must(owner.OwnHost(t.Context(), "orphan"))(t)
	owner.Kill()
	began := time.Now()
	report(t, living[0], retryAfter(host, "120"))
	awaitAll(t, "the Retry-After", host, rejectedFor("retry-after"), living...)
	took := time.Since(began)
	members := must(living[0].Members(t.Context()))(t)
	t.Logf("all others rejected %v after the report, the owner dead", took)
	if took > time.Second {
		t.Errorf("a Retry-After without an owner took %v to reach all; want less than a second", took)
	}
	for _, m := range members {
		if m.Name == owner.Name && m.State != api.MemberAlive {
			t.Log("the owner's death was noticed before all others rejected")
		}
	}
}
