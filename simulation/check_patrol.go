package simulation

import (
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
	}
	c.world.after(patrolEvery, c.patrol)
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
