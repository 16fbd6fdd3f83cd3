package simulation

import (
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// carry does what the protocol wants, as node's board does.
func (n *node) carry(e spread.Effects) {
	for _, d := range e.Done {
		if wait, ok := n.waits[d.ID]; ok {
			delete(n.waits, d.ID)
			wait(d.Body)
		}
	}
	if e.WakeAt != 0 {
		n.wakeAt(e.WakeAt)
	}
	for _, k := range e.Evicted {
		delete(n.actors, k)
	}
	for _, s := range e.Steps {
		n.step(s)
	}
	for _, s := range e.Sends {
		n.world.send(n, n.world.indexOf(s.To), s.Message)
	}
	for _, s := range e.Serve {
		n.serve(s)
	}
	for _, x := range e.Again {
		x.Cooldown.Stamp = n.clock.Stamp()
		n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Cool(now, x.Key, x.Cooldown) })
	}
	if n.link != nil {
		n.link.cover(e.Covered)
	}
}
