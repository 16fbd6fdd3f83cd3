package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// patrolEvery is how often all nodes are looked at, and how long nothing must
// have happened to one.
const patrolEvery = 5 * time.Second

// patrol looks at all nodes now and then.
func (c *checks) patrol() {
	for _, n := range c.world.nodes {
		c.shared.patrol(n)
		if n.ready && c.calm(c.world.now-patrolEvery, n) {
			c.acts(n)
			c.bounded(n)
		}
		if n.ready && n.disk.well() && c.undisturbed(n, c.world.now-patrolEvery) {
			c.writtenBehind(n)
		}
	}
	c.converge()
	c.world.after(patrolEvery, c.patrol)
}

// agreeWithin is how long nothing must have happened to anybody, and changed about a
// breaker, until all believe the same of it.
const agreeWithin = 20 * time.Second

// converge checks that views agree also before the end of the world.
func (c *checks) converge() {
	w := c.world
	if !c.calm(w.now-agreeWithin, w.nodes...) {
		return
	}
	for _, h := range w.plan.Hosts {
		key := breaker.HostKey(h.Name)
		changed := func(n *node) bool { return !n.ready || c.seen[seenKey{n.index, key}].changed > w.now-agreeWithin }
		if !slices.ContainsFunc(w.nodes, changed) {
			c.agree(key, false)
		}
	}
}

// acts checks that an owner acts for its keys that are not closed: it has
// questions to ask about them.
func (c *checks) acts(n *node) {
	for _, h := range c.world.plan.Hosts {
		key := breaker.HostKey(h.Name)
		s := n.spread.View().Of(key)
		settled := s.At(n.clock.Now()-breaker.Instant(patrolEvery)).State != breaker.Closed
		if st := s.At(n.clock.Now()); settled && st.State != breaker.Closed && n.owns(key) && n.actors[key] == nil {
			c.world.fail("an owner acts for its keys", n, "it owns %s and has no actor: %s", key, describe(s, n.clock.Now()))
		}
	}
}
