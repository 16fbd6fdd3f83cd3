package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// membership is whom a node takes for live. What gossip does is not simulated
// but its outcome: a member that comes is noticed soon, one that is gone after
// about a second, and one that comes back after it was given up is told so.
type membership struct {
	live   []spread.Member
	gaveUp map[string]uint64 // epochs of members that this node took for dead
	looked uint64            // the topology that live was taken from
	whole  bool              // and nobody is in it who cannot be reached
}

// When a change is noticed (measured with the tuned profile).
const (
	noticeComing = 100 * time.Millisecond
	noticeGone   = 900 * time.Millisecond
	noticeSpread = 700 * time.Millisecond // both: up to so much later
)

// changedTopology has every node look for its members anew, in its own time.
func (w *World) changedTopology() {
	w.topology++
	for _, n := range w.nodes {
		if n.up {
			n.later(noticeComing+w.upTo(noticeSpread), func() { n.look(false) })
			n.later(noticeGone+w.upTo(noticeSpread), func() { n.look(true) })
		}
	}
}

func (w *World) upTo(d time.Duration) time.Duration { return time.Duration(w.rand.Int64N(int64(d))) }

// look takes the members that can be reached now; of those that cannot it gives
// up only after a while.
func (n *node) look(giveUp bool) {
	if n.members.looked == n.world.topology && (n.members.whole || !giveUp) {
		return // a fleet that starts looks as often as it has nodes
	}
	n.members.looked, n.members.whole = n.world.topology, giveUp
	live := n.world.reachable(n)
	if !giveUp {
		live = append(live, without(n.members.live, live)...)
	}
	slices.SortFunc(live, func(a, b spread.Member) int { return n.world.indexOf(a.ID) - n.world.indexOf(b.ID) })
	if slices.Equal(live, n.members.live) {
		return
	}
	n.note(live)
	n.world.checks.parted(n)
	n.members.live = live
	n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.SetMembers(now, live, nil) })
	if n.link != nil {
		n.link.relist() // keys that are this node's only now
	}
	for key := range n.actors { // what is another's now is released
		if !n.owns(key) {
			n.world.checks.released(n.actors[key])
			delete(n.actors, key)
		}
	}
}

// without lists the members that are not among others.
func without(members, others []spread.Member) (rest []spread.Member) {
	among := make(map[string]bool, len(others))
	for _, m := range others {
		among[m.ID] = true
	}
	for _, m := range members {
		if !among[m.ID] {
			rest = append(rest, m)
		}
	}
	return rest
}

// note remembers who was given up, and tells those that come back.
func (n *node) note(live []spread.Member) {
	if n.members.gaveUp == nil {
		n.members.gaveUp = map[string]uint64{}
	}
	for _, m := range without(n.members.live, live) {
		n.members.gaveUp[m.ID] = m.Epoch
	}
	for _, m := range live {
		epoch, gone := n.members.gaveUp[m.ID]
		if !gone {
			continue
		}
		delete(n.members.gaveUp, m.ID)
		other := n.world.nodes[n.world.indexOf(m.ID)]
		if epoch == other.epoch {
			other.later(n.world.upTo(100*time.Millisecond), func() { other.evicted(epoch) })
		}
	}
}

// evicted is told by one who had given this node up: it starts over under
// another epoch.
func (n *node) evicted(epoch uint64) {
	if epoch != n.epoch {
		return
	}
	n.world.sometimes(SawEviction)
	n.epoch++
	n.restartActors()
	n.world.changedTopology()
}

// reachable are the nodes that a node can reach, over others too: gossip goes
// around a broken link.
func (w *World) reachable(from *node) []spread.Member {
	seen := make([]bool, len(w.nodes))
	seen[from.index] = true
	next := []int{from.index}
	var live []spread.Member
	for len(next) > 0 {
		i := next[0]
		next = next[1:]
		live = append(live, spread.Member{ID: w.nodes[i].id, Epoch: w.nodes[i].epoch})
		for j, n := range w.nodes {
			if !seen[j] && n.up && !n.paused && w.network.joined(i, j) && w.network.joined(j, i) {
				seen[j] = true
				next = append(next, j)
			}
		}
		if len(w.network.cut) == 0 { // all of a side reach each other
			for _, j := range next {
				live = append(live, spread.Member{ID: w.nodes[j].id, Epoch: w.nodes[j].epoch})
			}
			break
		}
	}
	return live
}
