package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// healWait is how long after a split is over a node may still reject for what
// the other side saw: members notice each other, and healing takes two seconds.
const healWait = noticeGone + noticeSpread + 2*time.Second + time.Second

// recently is how long before a split a sick machine, or a host that was not
// well, may still explain a trip.
const recently = time.Minute

// closedBefore is what a node took for closed when the network was split.
type closedBefore struct {
	node int
	host int
}

// split notes what is closed when the network is split.
func (c *checks) split() {
	clear(c.whole)
	for _, n := range c.world.nodes {
		for i, h := range c.world.plan.Hosts {
			s := n.spread.View().Of(breaker.HostKey(h.Name))
			if s.At(n.clock.Now()).State == breaker.Closed {
				c.whole[closedBefore{n.index, i}] = true
			}
		}
	}
}

// joins checks, some time after a split is over, that the sick machines of one
// side closed nothing to the other: healing never opens the fleet.
func (c *checks) joins(f Fault) {
	w, healed := c.world, c.world.now
	if w.plan.Network.Loss > 0 || w.plan.Network.Slow > 0 {
		return
	}
	w.after(healWait, func() {
		started := func(n *node) bool { return c.started[n.index] > healed } // it comes with what its side saw only now
		if c.broken > 0 || c.network != healed || c.sick(healed, w.now, func(int) bool { return true }) || slices.ContainsFunc(w.nodes, started) {
			return
		}
		for _, n := range w.nodes {
			side := func(i int) bool { return slices.Contains(f.Nodes, i) == slices.Contains(f.Nodes, n.index) }
			if c.disturbs[n.index] >= f.At-recently || !n.up || n.paused || c.sick(f.At-recently, w.now, side) {
				continue
			}
			for i := range w.plan.Hosts {
				c.stillClosed(n, i, f, healed)
			}
		}
	})
}

// stillClosed checks one host in the eyes of a node whose side was well.
func (c *checks) stillClosed(n *node, h int, f Fault, healed time.Duration) {
	w, host := c.world, &c.world.plan.Hosts[h]
	if !c.whole[closedBefore{n.index, h}] || !host.wellSince(f.At-recently, w.now) || c.over[host.Name].until > f.At || c.shared.spokeSince(host.Name, 0) {
		return
	}
	s := n.spread.View().Of(breaker.HostKey(host.Name))
	if st := s.At(n.clock.Now()); st.State != breaker.Closed && st.Reason != breaker.ReasonCLIOpen && c.enoughCalled(n, h, &s, healed) {
		w.fail("healing never opens the fleet", n, "%s is still %s, %v after a split was over", host.Name, describe(s, n.clock.Now()), healWait)
	}
}

// enoughCalled reports whether a node has a success to tell, of the end of the split
// and newer than the trip, and as many others have one as it takes (ADR 12).
func (c *checks) enoughCalled(n *node, h int, s *breaker.Snapshot, healed time.Duration) bool {
	since := max(healed-3*time.Second, c.world.now-n.clock.Now().Sub(s.Circuit.FirstTrip))
	tell := map[*node]bool{}
	for _, e := range slices.Backward(c.truth.ends[h]) {
		if e.ended < since {
			break
		}
		if e.kind == breaker.Success && e.ended < healed && e.began > since && c.disturbs[e.node.index] < since {
			tell[e.node] = true
		}
	}
	threshold := n.policies.Of(breaker.HostKey(c.world.plan.Hosts[h].Name)).SuccessThreshold
	return tell[n] && len(tell) >= min(threshold, len(c.world.nodes)-1)
}

// wellSince reports whether a host was healthy all the time between.
func (h *Host) wellSince(from, to time.Duration) bool {
	begins := time.Duration(0)
	for _, p := range h.Phases {
		if p.Mode != Healthy && begins <= to && p.Until >= from {
			return false
		}
		begins = p.Until
	}
	return true
}

// sick reports whether a machine of some was sick at any time between.
func (c *checks) sick(from, to time.Duration, among func(node int) bool) bool {
	return slices.ContainsFunc(c.world.plan.Faults, func(f Fault) bool {
		return f.Kind == Sick && among(f.Node) && f.At <= to && f.At+f.For > from
	})
}
