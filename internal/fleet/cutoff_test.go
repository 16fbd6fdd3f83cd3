package fleet_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// A caller calls a host from a node every ten milliseconds as long as it may.
type caller struct {
	node *fleet.Node
	host string
	sick *atomic.Bool // the machine's own network fails all calls

	calls, rejections atomic.Int64
	outage            atomic.Int64 // how long no call was allowed, in all
	since             time.Time    // of the outage in progress, the loop's alone
	last              atomic.Pointer[api.AllowResponse]
}

const callEvery = 10 * time.Millisecond

// startCallers has each node call each host. Nodes fail while their switch is
// on.
func startCallers(t *testing.T, nodes []*fleet.Node, hosts []string, sick func(*fleet.Node) *atomic.Bool) (callers []*caller, stop func()) {
	var stops []func()
	for _, n := range nodes {
		for _, host := range hosts {
			c := &caller{node: n, host: host, sick: sick(n)}
			callers = append(callers, c)
			stops = append(stops, every(t, callEvery, func(ctx context.Context) { c.call(ctx) }))
		}
	}
	return callers, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

func (c *caller) call(ctx context.Context) {
	began := time.Now()
	a, err := c.node.Allow(ctx, c.host)
	if err != nil {
		return
	}
	if !a.Allowed {
		c.last.Store(&a)
		c.rejections.Add(1)
		if c.since.IsZero() {
			c.since = began
		}
		return
	}
	if !c.since.IsZero() {
		c.outage.Add(int64(time.Since(c.since)))
		c.since = time.Time{}
	}
	c.calls.Add(1)
	o := api.Outcome{Host: c.host, Status: 200, Permit: a.Permit}
	if c.sick.Load() {
		o.Status, o.Error = 0, "connect"
	}
	_ = c.node.Report(ctx, o)
}

// never fails the test for each caller that was rejected so far.
func never(t *testing.T, when string, callers []*caller) {
	t.Helper()
	for _, c := range callers {
		if n := c.rejections.Load(); n > 0 {
			t.Errorf("%s: %s was rejected %d times at %s, last with %+v", when, c.host, n, c.node.Name, *c.last.Load())
		}
	}
}

// awaitCalls waits until a caller may call for as many times.
func (c *caller) awaitCalls(t *testing.T, more int64) time.Duration {
	t.Helper()
	end := c.calls.Load() + more
	return await(t, fmt.Sprint(more, " calls of ", c.host), c.node, func() (bool, error) { return c.calls.Load() >= end, nil })
}

// TestTwoMachinesCutOffTogether splits off two of five machines, whose calls
// then fail: they open the breakers on their side. For the three others, whose
// calls succeed all the time, nothing is rejected; healing may reject for two
// seconds in all, never longer.
func TestTwoMachinesCutOffTogether(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 5)
	well, cut := nodes[:3], nodes[3:]
	hosts := []string{must(well[0].OwnHost(t.Context(), "well"))(t), must(cut[0].OwnHost(t.Context(), "cut"))(t)}
	var healthy, sick atomic.Bool
	calls, stop := startCallers(t, nodes, hosts, func(n *fleet.Node) *atomic.Bool {
		if n == cut[0] || n == cut[1] {
			return &sick
		}
		return &healthy
	})
	defer stop()
	callsWell, callsCut := calls[:len(well)*len(hosts)], calls[len(well)*len(hosts):]
	callsWell[0].awaitCalls(t, 50)

	succeed(t, w.Split(3, 4))
	sick.Store(true)
	split := time.Now()
	for _, host := range hosts {
		awaitAll(t, "a rejection where calls fail", host, rejected, cut...)
	}
	t.Logf("the two that are cut off reject after %v", time.Since(split))
	awaitLost(t, well, cut)
	awaitLost(t, cut, well)
	for _, host := range hosts { // calls that were under way, so that it is not rings alone
		tripAll(t, host, cut...)
	}
	pass(t, 8*time.Second, split)
	never(t, "before and during the split", callsWell)

	succeed(t, w.Heal(3, 4))
	sick.Store(false)
	t.Logf("healed; the nodes agree after %v", awaitAgreement(t, nodes, hosts))
	for _, c := range calls {
		c.awaitCalls(t, 100) // whoever is rejected is not for long
	}
	pass(t, 4*time.Second, time.Now()) // healing asks for two seconds
	stop()
	for _, c := range callsWell {
		d := time.Duration(c.outage.Load())
		t.Logf("%s at %s: rejected for %v in all, %d times, of %d calls", c.host, c.node.Name, d, c.rejections.Load(), c.calls.Load())
		if d > 2*time.Second || !c.since.IsZero() {
			t.Errorf("%s at %s: a split of others rejected healthy calls for %v, last with %+v", c.host, c.node.Name, d, *c.last.Load())
		}
	}
	for _, c := range callsCut {
		if !c.since.IsZero() {
			t.Errorf("%s at %s did not recover: %+v", c.host, c.node.Name, *c.last.Load())
		}
	}
	for _, host := range hosts {
		awaitAll(t, "the end of it", host, closed, nodes...)
	}
}

// TestOneMachineCutOff cuts one of three machines off, whose calls then fail.
// It rejects for itself alone, and recovers by itself once its wire is back;
// the others are never rejected.
func TestOneMachineCutOff(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 3, "--breaker-defaults", "reset:2,half_open.jitter:0")
	well, cut := nodes[:2], nodes[2]
	hosts := []string{must(well[0].OwnHost(t.Context(), "well"))(t), must(cut.OwnHost(t.Context(), "cut"))(t)}
	var healthy, sick atomic.Bool
	calls, stop := startCallers(t, nodes, hosts, func(n *fleet.Node) *atomic.Bool {
		if n == cut {
			return &sick
		}
		return &healthy
	})
	defer stop()
	callsWell, callsCut := calls[:len(well)*len(hosts)], calls[len(well)*len(hosts):]
	callsWell[0].awaitCalls(t, 50)

	succeed(t, w.Cut(2))
	sick.Store(true)
	began := time.Now()
	for _, host := range hosts {
		awaitAll(t, "its own ring", host, rejectedFor("local-evidence"), cut)
	}
	t.Logf("the one that is cut off opened its rings after %v", time.Since(began))
	awaitLost(t, well, nodes[2:])
	awaitLost(t, nodes[2:], well)
	pass(t, 7*time.Second, began) // three times its reset_timeout
	for _, x := range must(cut.View(t.Context()))(t).Exceptions {
		if !x.Local {
			t.Errorf("alone it believes %+v; want rings only", x)
		}
	}

	succeed(t, w.Heal(2))
	sick.Store(false)
	healed := time.Now()
	for _, c := range callsCut {
		c.awaitCalls(t, 20)
	}
	for _, host := range hosts {
		awaitAll(t, "its recovery", host, closed, cut)
	}
	t.Logf("it calls again %v after healing", time.Since(healed))
	t.Logf("the nodes agree %v later", awaitAgreement(t, nodes, hosts))
	for _, c := range calls {
		c.awaitCalls(t, 50)
	}
	stop()
	never(t, "others were cut off", callsWell)
}
