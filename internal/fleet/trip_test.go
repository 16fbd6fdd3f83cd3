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

// TestTripOnTwoNodesRejectsOnAll trips hosts of every owner by failures on n1
// and n2: n3, which saw none, rejects too and says why.
func TestTripOnTwoNodesRejectsOnAll(t *testing.T) {
	nodes := startCluster(t, 3)
	for _, owner := range nodes {
		host := must(owner.OwnHost(t.Context(), "trip"))(t)
		fail(t, nodes[0], host, 3)
		if a := allow(t, nodes[0], host); !a.Allowed {
			t.Fatalf("three failures of one node reject: %+v", a)
		}
		began := time.Now()
		fail(t, nodes[1], host, 3)
		awaitAll(t, "a trip", host, rejectedFor("consecutive-failures"), nodes...)
		t.Logf("owner %s: rejected by all %v after the first failure on the second node", owner.Name, time.Since(began))
		a := allow(t, nodes[2], host)
		if a.Key != "host:"+host || a.State != "open" || a.RetryAfterMS <= 0 || a.RetryAfterMS > 60_000 {
			t.Errorf("rejection = %+v; want the key, state open and retry_after_ms", a)
		}
		for _, n := range nodes {
			b := must(n.Breaker(t.Context(), host))(t)
			if b.Owner != owner.Name || b.Last == nil || !slices.Equal(slices.Sorted(slices.Values(b.Last.Nodes)), []string{"n1", "n2"}) {
				t.Errorf("%s shows %+v (last transition %+v); want owner %s and witnesses n1 and n2", n.Name, b, b.Last, owner.Name)
			}
		}
	}
}

// TestOneNodesFailuresStayItsOwn fails on one node alone: its ring opens, all
// nodes list that, and the others go on calling.
func TestOneNodesFailuresStayItsOwn(t *testing.T) {
	nodes := startCluster(t, 3)
	for _, owner := range nodes {
		host := must(owner.OwnHost(t.Context(), "lone"))(t)
		stop := watch(t, "a node without failures rejects", host, rejected, nodes[1], nodes[2])
		fail(t, nodes[0], host, 6)
		if a := allow(t, nodes[0], host); a.Allowed || a.Reason != "local-evidence" {
			t.Errorf("owner %s: after six failures of its own n1 answers %+v", owner.Name, a)
		}
		for _, n := range nodes {
			b := must(n.Breaker(t.Context(), host))(t)
			if !b.Local || !slices.Equal(b.LocalNodes, []string{"n1"}) || b.Reason != "local-evidence" {
				t.Errorf("owner %s: %s shows %+v; want it local to n1", owner.Name, n.Name, b)
			}
			list := must(n.Breakers(t.Context()))(t)
			if !slices.ContainsFunc(list.Breakers, func(b api.Breaker) bool { return b.Name == host && b.Local && b.Owner == owner.Name }) {
				t.Errorf("owner %s: %s does not list it as local: %+v", owner.Name, n.Name, list)
			}
		}
		stop()
	}
}

// TestFleetSharesTheProbeBudget has 20 callers on each of three nodes ask for
// a probe: trial_calls of them get one, and a success where it was got closes
// the breaker everywhere, whether or not the report names the permit.
func TestFleetSharesTheProbeBudget(t *testing.T) {
	nodes := startCluster(t, 3, "--breaker-defaults", "reset:1,half_open.jitter:0,trial_calls:2")
	for i, owner := range nodes {
		host, holder, permit := probe(t, owner, nodes)
		o := api.Outcome{Host: host, Status: 200}
		if i > 0 {
			o.Permit = permit
		}
		report(t, holder, o)
		for _, n := range nodes {
			awaitListed(t, "the close", n, host, func(b api.Breaker) bool { return b.State == "closed" })
		}
		awaitAll(t, "the close", host, closed, nodes...)
	}
}

// probe trips a host and has all ask for its two permits. The owner must never
// issue more. A caller may have one more only where the owner did not answer in
// 100 ms, so that a ring stood in, as it is to: on a machine so busy it is tried
// again.
func probe(t *testing.T, owner *fleet.Node, nodes []*fleet.Node) (host string, holder *fleet.Node, permit string) {
	t.Helper()
	const tries = 5
	for i := range tries {
		host := must(owner.OwnHost(t.Context(), fmt.Sprint("probe-", i)))(t)
		tripAll(t, host, nodes...)
		holder, permits := askAll(t, host, nodes)
		b := must(owner.Breaker(t.Context(), host))(t)
		switch {
		case len(b.Permits) > 2 || len(permits) > 2*len(nodes):
			t.Fatalf("owner %s: 60 callers got the permits %q, the owner issued %+v; want trial_calls, which is 2", owner.Name, permits, b.Permits)
		case len(permits) == 2 && len(b.Permits) == 2:
			return host, holder, permits[0]
		}
		t.Logf("owner %s: rings stood in: %d permits, %d of them the owner's", owner.Name, len(permits), len(b.Permits))
	}
	t.Fatalf("owner %s: rings stood in %d times", owner.Name, tries)
	return "", nil, ""
}

// askAll has 20 callers on each node ask until two permits are out and for half
// a second more, each as often as it is told that it may. It returns the
// permits and who got the first.
func askAll(t *testing.T, host string, nodes []*fleet.Node) (holder *fleet.Node, permits []string) {
	t.Helper()
	const callers, more = 20, 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	got := func(n *fleet.Node, permit string) {
		mu.Lock()
		defer mu.Unlock()
		if holder == nil {
			holder = n
		}
		if permits = append(permits, permit); len(permits) == 2 {
			time.AfterFunc(more, cancel)
		}
	}
	for _, n := range nodes {
		for range callers {
			all.Go(func() {
				for ctx.Err() == nil {
					a, err := n.Allow(ctx, host)
					if err == nil && a.Allowed {
						got(n, a.Permit)
					}
					select {
					case <-time.After(time.Duration(a.RetryAfterMS) * time.Millisecond):
					case <-ctx.Done():
					}
				}
			})
		}
	}
	all.Wait()
	return holder, permits
}

// TestHungMemberDelaysNobody stops one of three nodes: the others trip after
// the 50 ms that a round waits for it, and decide at once all the time.
func TestHungMemberDelaysNobody(t *testing.T) {
	nodes := startCluster(t, 3)
	living, hung := nodes[:2], nodes[2]
	quiet := must(hung.OwnHost(t.Context(), "quiet"))(t) // its owner hangs
	hosts := make([]string, len(living))
	for i, owner := range living {
		hosts[i] = must(owner.OwnHost(t.Context(), "hung"))(t)
		fail(t, living[0], hosts[i], 3)
		fail(t, living[1], hosts[i], 1)
	}
	w := fleet.StartWatch(t.Context(), quiet, rejected, living...)
	defer w.Stop()
	if err := hung.Pause(); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	for i, host := range hosts {
		began := time.Now()
		fail(t, living[1], host, 1)
		awaitAll(t, "a trip with a hung member", host, rejectedFor("consecutive-failures"), living...)
		took := time.Since(began)
		t.Logf("owner %s: rejected %v after the report that completed the run, one member hanging", living[i].Name, took)
		if took < 40*time.Millisecond {
			t.Errorf("a trip took %v: the round did not wait for the member that hangs, so the test proves nothing", took)
		}
	}
	await(t, "three seconds of hanging", living[0], func() (bool, error) { return time.Since(stopped) > 3*time.Second, nil })
	w.Stop()
	t.Logf("%d and %d decisions on a closed host meanwhile, the slowest after %v", w.Answers(living[0]), w.Answers(living[1]), w.Slowest())
	if wrong := w.Wrong(); len(wrong) > 0 {
		t.Errorf("a closed host was rejected: %v", wrong)
	}
	if w.Slowest() > time.Second {
		t.Errorf("a decision on a closed host took %v", w.Slowest())
	}
	if err := hung.Resume(); err != nil {
		t.Fatal(err)
	}
	awaitMembers(t, nodes)
	awaitAll(t, "what it missed", hosts[0], rejectedFor("consecutive-failures"), nodes...)
}
