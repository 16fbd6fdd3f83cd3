package node

import (
	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/telemetry"
)

// ringsAre writes down which rings opened and closed since the last look. One
// that was open for less than the time between two looks is not told. One
// goroutine calls it.
func (c *chronicle) ringsAre(open []gate.Ring) {
	before := c.rings
	c.rings = make(map[breaker.Key]breaker.State, len(open))
	for _, r := range open {
		c.rings[r.Key] = r.Status.State
		if was := before[r.Key]; was != r.Status.State {
			c.ringMoved(r.Key, was, r.Status.State, r.Status.Reason, r.Status.Detail)
		}
	}
	for key, was := range before {
		if _, still := c.rings[key]; !still {
			c.ringMoved(key, was, breaker.Closed, "", "")
		}
	}
}

func (c *chronicle) ringMoved(key breaker.Key, from, to breaker.State, why breaker.Reason, detail string) {
	c.add(telemetry.Event{
		Kind: telemetry.KindLocal, Key: key, Node: c.node, From: from.String(), To: to.String(), Reason: why, Detail: detail,
	})
}
