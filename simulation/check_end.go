package simulation

import (
	"reflect"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

// atTheEnd checks what must hold when everything was put right and had its time.
func (c *checks) atTheEnd() {
	w := c.world
	c.shared.atTheEnd()
	for i := range w.plan.Hosts {
		host := w.plan.Hosts[i].Name
		c.oneOwner(breaker.HostKey(host))
		c.closeKept(host)
		for _, n := range w.nodes {
			c.inForce(n, breaker.HostKey(host))
			c.forgotten(n, breaker.HostKey(host))
		}
	}
	for _, n := range w.nodes {
		c.bounded(n)
	}
	under := uint64(len(w.callers.calls) - len(w.callers.free))
	if k := w.counts; k.Wanted != k.Called+k.Rejected || k.Called < under {
		w.fail("accounting is closed", nil, "%d calls were wanted, %d made, %d rejected, %d are under way", k.Wanted, k.Called, k.Rejected, under)
	}
}

// oneOwner checks that one node owns a key, and that nobody else acts for it.
func (c *checks) oneOwner(key breaker.Key) {
	owners := 0
	for _, n := range c.world.nodes {
		if n.owns(key) {
			owners++
		} else if n.actors[key] != nil {
			c.world.fail("one owner after healing", n, "it has an actor of %s, which %s owns", key, n.spread.Owner(key))
		}
	}
	if owners != 1 {
		c.world.fail("one owner after healing", nil, "%s has %d", key, owners)
	}
}

// inForce checks that a node obeys the policy that its view tells it.
func (c *checks) inForce(n *node, key breaker.Key) {
	w, now := c.world, n.clock.Now()
	s := n.spread.View().Of(key)
	layers, err := config.Layers(s.Overlays, now-breaker.Instant(2*time.Second)) // what just ended may be in force
	later, errLater := config.Layers(s.Overlays, now)
	if err != nil || errLater != nil || !reflect.DeepEqual(layers, later) {
		return
	}
	want := w.plan.Policies.Policy(key)
	if len(s.Overlays) > 0 {
		if want, err = w.plan.Policies.Overlaid(key, layers...); err != nil {
			return
		}
	}
	if got := n.policies.Of(key); !reflect.DeepEqual(got, want) {
		w.fail("the policy in force is what was laid", n, "%s has %+v, want %+v: %s", key, got, want, describe(s, now))
	}
}

// Allowances of forgetting: ten minutes after a deadline, and two turns of the
// node's timer that forgets.
const (
	keepFor     = 10 * time.Minute
	forgetSlack = 10 * time.Second
)

// forgotten checks that nothing is believed that was due long ago.
func (c *checks) forgotten(n *node, key breaker.Key) {
	s, now := n.spread.View().Of(key), n.clock.Now()
	due := func(at breaker.Instant) bool { return at.Add(forgetSlack) < now }
	late := s.Circuit.State == breaker.Closed && s.Circuit.Stamp != 0 && due(s.Circuit.Keep)
	late = late || s.Circuit.State != breaker.Closed && due(max(s.Circuit.Until, s.Renewed).Add(keepFor))
	for _, k := range s.Cooldowns {
		late = late || due(max(k.Until, s.Renewed).Add(keepFor))
	}
	if late {
		c.world.fail("what is due is forgotten", n, "%s is %s", key, describe(s, now))
	}
}

// bounded checks that a node keeps no more than what there is to keep.
func (c *checks) bounded(n *node) {
	w, hosts := c.world, len(c.world.plan.Hosts)
	counts := n.gate.Counts()
	if n.spread.View().Len() > hosts || len(n.actors) > hosts || counts.Hosts > hosts || len(n.waits) > hosts*len(roles)+len(w.plan.Words) {
		w.fail("bounded memory", n, "%d hosts: %d entries, %d actors, %d in the gate, %d requests wait",
			hosts, n.spread.View().Len(), len(n.actors), counts.Hosts, len(n.waits))
	}
	if got, want := counts.Failures, c.truth.failures[n.index]; got != want {
		w.fail("accounting is closed", n, "the gate counts %d failures, its callers reported %d", got, want)
	}
}
