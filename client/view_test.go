package client

import (
	"errors"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/gate"
)

func TestOwnCooldownOutlivesWordsOlderThanTheReport(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	key := breaker.HostKey("api.example.org")
	state := func() breaker.State { return c.State("api.example.org") }
	closed := func() {
		c.view.apply(api.ViewEvent{Exceptions: []api.Exception{{Key: string(key), State: "closed", Stamp: uint64(c.clock.Stamp())}}})
	}
	c.node.Cool(key, breaker.Cooldown{
		Setter: "w1", Stamp: c.clock.Stamp(), Until: c.clock.Now().Add(time.Hour), Reason: breaker.ReasonRetryAfter,
	})
	closed()
	if state() != breaker.Open {
		t.Error("a close that the node said before it heard of the Retry-After ended it")
	}
	c.view.told(key)
	if state() != breaker.Open {
		t.Error("the acknowledgement ended it")
	}
	closed()
	if state() != breaker.Closed {
		t.Error("a close after the node heard of it did not end it")
	}
}

// cools puts a Retry-After of our own in force that ends in a while, or, if that
// is negative, ended a while ago.
func cools(c *Client, host string, ends time.Duration) {
	c.node.Cool(breaker.HostKey(host), breaker.Cooldown{
		Setter: "w1", Stamp: c.clock.Stamp(), Until: c.clock.Now().Add(ends), Reason: breaker.ReasonRetryAfter,
	})
}

// What the node never heard of, because it was away, is forgotten all the same.
func TestOwnCooldownsAreForgotten(t *testing.T) {
	c := quietClient(t, newNode(t, testPolicy()), Options{})
	cools(c, "over.example", -keepOwn-time.Second)
	cools(c, "lately.example", -keepOwn+time.Minute)
	cools(c, "cools.example", time.Hour)
	cools(c, "node.example", -keepOwn-time.Second)
	c.view.apply(api.ViewEvent{Exceptions: []api.Exception{{Key: "host:node.example", State: "open", Reason: "cli-open", RemainingMS: 60_000, Stamp: 1}}})
	c.view.swept = 0
	c.view.sweep()
	for host, want := range map[string]breaker.State{
		"over.example": breaker.Closed, "lately.example": breaker.HalfOpen, "cools.example": breaker.Open, "node.example": breaker.Open,
	} {
		if got := c.State(host); got != want {
			t.Errorf("%s is %v, want %v", host, got, want)
		}
		if want == breaker.HalfOpen {
			continue // it would ask the node
		}
		if d := c.gate.Allow(t.Context(), gate.Call{Host: host}); d.Allowed() != (want == breaker.Closed) {
			t.Errorf("%s is %v, and the gate allows a call: %v", host, want, d.Allowed())
		}
	}
	if len(c.view.keys) != 3 || c.view.keys["host:node.example"].own != nil {
		t.Errorf("%d keys are remembered, want 3; %+v", len(c.view.keys), c.view.keys["host:node.example"])
	}
	cools(c, "again.example", -keepOwn-time.Second)
	if c.view.sweep(); len(c.view.keys) != 4 {
		t.Error("a sweep a moment after the last one")
	}
	c.view.settled("host:again.example")
	if c.view.settled("host:cools.example"); len(c.view.keys) != 3 {
		t.Errorf("%d keys are remembered after one settled, want 3", len(c.view.keys))
	}
}

func TestOwnCooldownsHaveALimit(t *testing.T) {
	c := quietClient(t, newNode(t, testPolicy()), Options{MaxHosts: 2})
	cools(c, "a.example", time.Hour)
	cools(c, "b.example", -time.Second)
	cools(c, "c.example", time.Hour)
	if len(c.view.keys) != 2 || c.State("c.example") != breaker.Closed {
		t.Errorf("%d keys are remembered, want 2", len(c.view.keys))
	}
	c.view.sweep() // b is over
	cools(c, "c.example", time.Hour)
	cools(c, "a.example", 2*time.Hour)
	if len(c.view.keys) != 2 || c.State("c.example") != breaker.Open || c.Remaining("a.example") <= time.Hour {
		t.Errorf("%d keys are remembered, want 2; a cools for %v", len(c.view.keys), c.Remaining("a.example"))
	}
}

func TestSnapshotReplacesEverything(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	c.view.apply(api.ViewEvent{Exceptions: []api.Exception{
		{Key: "host:a.example", State: "open", Reason: "cli-open", RemainingMS: 60_000, Stamp: 1},
		{Key: "host:b.example", State: "half_open", Reason: "consecutive-failures", Stamp: 2},
		{Key: "nonsense", State: "open"},
	}})
	if a, b := c.State("a.example"), c.State("b.example"); a != breaker.Open || b != breaker.HalfOpen {
		t.Fatalf("states %v, %v", a, b)
	}
	c.view.apply(api.ViewEvent{Full: true, Exceptions: []api.Exception{{Key: "host:b.example", State: "open", RemainingMS: 1000, Stamp: 3}}})
	if a, b := c.State("a.example"), c.State("b.example"); a != breaker.Closed || b != breaker.Open {
		t.Fatalf("states %v, %v", a, b)
	}
	if _, err := c.Allow(t.Context(), Call{Host: "A.Example."}); err != nil {
		t.Error(err)
	}
}

func TestPolicyFromTheNode(t *testing.T) {
	p := policyOf(api.Policy{
		Mode: "shadow", FailMax: 2, ResetTimeoutMS: 1000, RetryAfterCapMS: 5000, FailureStatuses: []int{418}, SlowCallMS: 10,
		Roles: map[string]api.RolePolicy{"metadata": {FailMax: 3}},
	})
	if p.FailMax != 2 || p.Mode != breaker.ModeShadow || p.ResetTimeout != time.Second || p.RetryAfterCap != 5*time.Second ||
		p.Classify.FailureStatuses[0] != 418 || !p.SlowCall.Enabled || p.ForRole("metadata").FailMax != 3 || p.TrialCalls != 1 {
		t.Errorf("%+v", p)
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	pair := pairOf(p)
	if err := pair.fed.Validate(); err != nil || pair.fed.ForRole("metadata").FailMax != neverTrip {
		t.Errorf("fed: %+v, %v", pair.fed, err)
	}
}

// While the node is away the ring gives out as many probes as the role's policy
// says, not as the host's.
func TestRoleHasItsTrialCalls(t *testing.T) {
	c := fedByHand(t, Options{})
	p := api.Policy{FailMax: 1, ResetTimeoutMS: 10, TrialCalls: 10, Roles: map[string]api.RolePolicy{
		"artifact": {FailMax: 1, ResetTimeoutMS: 10, TrialCalls: 1, SuccessThreshold: 2},
	}}
	c.feed.event(api.ViewEvent{Full: true, Policies: map[string]api.Policy{"": p}})
	c.feed.away(errors.New("the stream broke"))
	ask := func(role string) *Permit {
		p, _ := c.Allow(t.Context(), Call{Host: "a.example", Role: role})
		return p
	}
	ask("artifact").Report(Result{Status: 503})
	first := ask("artifact")
	eventually(t, "the ring allows a probe", func() bool {
		if first == nil {
			first = ask("artifact")
		}
		return first != nil
	})
	if second := ask("artifact"); second != nil || !first.Probe() {
		t.Errorf("a second probe was allowed; the first is one: %t", first.Probe())
	}
	first.Success()
	if third := ask("artifact"); third == nil || !third.Probe() {
		t.Error("after one success the next call is no probe; want half-open: two must succeed")
	}
}

// The worker's own limiter can read what the fleet advises, of any spelling.
func TestRateMultiplier(t *testing.T) {
	c := newClient(t, newNode(t, testPolicy()), Options{})
	c.view.apply(api.ViewEvent{Full: true, Policies: map[string]api.Policy{
		"":               {},
		"host:a.example": {RateMultiplier: 0.8, Roles: map[string]api.RolePolicy{"artifact": {RateMultiplier: 0.4}, "landing": {}}},
		"resolver:cr":    {RateMultiplier: 0.5},
	}})
	for call, want := range map[Call]float64{
		{Host: "a.example"}:                    0.8,
		{Host: "A.example.", Role: "artifact"}: 0.4,
		{Host: "a.example", Role: "landing"}:   0.8,
		{Host: "a.example", Role: "a b"}:       0.8,
		{Host: "b.example"}:                    1,
		{Host: "a.example", Resolver: "cr"}:    0.5,
		{Resolver: "cr"}:                       0.5,
		{Host: "a b..c"}:                       1,
	} {
		if got := c.RateMultiplier(call); got != want {
			t.Errorf("%+v: %v, want %v", call, got, want)
		}
	}
	c.cancelFeed()
	c.feeding.Wait()
	if got := c.RateMultiplier(Call{Host: "a.example", Role: "artifact"}); !c.Stale() || got != 0.4 {
		t.Errorf("while the node is away it is %v, want 0.4", got)
	}
}

// TestPoliciesOfHosts: the host's own, else that of the longest wildcard, else
// the default; a change replaces one and leaves the others.
func TestPoliciesOfHosts(t *testing.T) {
	of := func(failMax int) api.Policy { return api.Policy{FailMax: failMax} }
	p := defaultPolicies()
	p.take(map[string]api.Policy{
		"": of(1), "host:a.example.org": of(2), "host:*.example.org": of(3), "host:*.b.example.org": of(4), "resolver:x.example.org": of(5),
	}, true)
	if keys, any := p.take(map[string]api.Policy{"host:c.example.org": of(6)}, false); any || len(keys) != 1 {
		t.Errorf("a change of one key concerns %v, any: %v", keys, any)
	}
	for key, want := range map[breaker.Key]int{
		"host:a.example.org": 2, "host:c.example.org": 6, "host:d.example.org": 3, "host:b.example.org": 3, "host:x.b.example.org": 4, "host:x.y.b.example.org": 4,
		"host:example.org": 1, "host:org": 1, "host:other.example": 1, "resolver:x.example.org": 5, "resolver:y.example.org": 1,
		"host:d.example.org:8443": 1,
	} {
		if got := p.of(key, false).FailMax; got != want {
			t.Errorf("%s has fail_max %d, want %d", key, got, want)
		}
	}
	if _, any := p.take(map[string]api.Policy{"": of(9)}, true); !any {
		t.Error("a snapshot concerns not any key")
	}
	if got := p.of("host:d.example.org", false).FailMax; got != 9 {
		t.Errorf("after a snapshot without wildcards it is %d, want 9", got)
	}
}
