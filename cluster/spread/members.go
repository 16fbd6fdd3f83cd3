package spread

import (
	"cmp"
	"slices"
	"strings"

	"fleetfuse/breaker"
	"fleetfuse/cluster/placement"
)

// SetMembers takes the live members, this node among them, and the ids of
// those that left deliberately since the last call.
func (n *Node) SetMembers(now breaker.Instant, live []Member, left []string) Effects {
	joined := n.replacePeers(now, live, left)
	before := n.ring
	n.rebuild(live)
	n.reroute(now)
	if n.ready {
		n.claim(now, before, len(joined) > 0)
	}
	for _, p := range joined {
		n.send(p, n.Summary())
	}
	return n.take(now)
}

// replacePeers makes the peers those of a list and returns the new ones. A
// member that came back with another epoch is new.
func (n *Node) replacePeers(now breaker.Instant, live []Member, left []string) (joined []*peer) {
	gone := make(map[string]*peer, len(n.peers))
	for id, p := range n.peers {
		gone[id] = p
	}
	for _, m := range live {
		if m.ID == n.opt.Self {
			continue
		}
		delete(n.lost, m.ID)
		p := gone[m.ID]
		if p != nil && p.Epoch == m.Epoch {
			p.Member = m
			delete(gone, m.ID)
			continue
		}
		fresh := newPeer(m)
		joined = append(joined, fresh)
		n.met = true
		n.peers[m.ID] = fresh
	}
	for _, p := range sorted(gone) {
		if n.peers[p.ID] == p {
			delete(n.peers, p.ID)
			if !slices.Contains(left, p.ID) {
				n.lost[p.ID] = now
			}
		}
		n.part(p, now)
	}
	for _, id := range left {
		delete(n.lost, id)
	}
	n.order = sorted(n.peers)
	n.judgeClock()
	return joined
}

func sorted(peers map[string]*peer) []*peer {
	list := make([]*peer, 0, len(peers))
	for _, p := range peers {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *peer) int { return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(a.Epoch, b.Epoch)) })
	return list
}

// part ends what was under way to a member that is gone.
func (n *Node) part(p *peer, now breaker.Instant) {
	if p.flight != nil {
		n.counts.BatchesLost++
		n.missed(p, p.flight.reports)
	}
	for _, r := range slices.Clone(n.requests) {
		if r.to == p.ID && !r.sync {
			n.fail(r, ErrMoved)
		}
	}
	for _, r := range n.rounds {
		r.waiting = slices.DeleteFunc(r.waiting, func(id string) bool { return id == p.ID })
	}
	n.expireRounds(now)
	n.orphan(p)
}

// orphan marks the outcomes that waited for a member that is gone: the key's
// next owner starts with no run anyway.
func (n *Node) orphan(p *peer) {
	for _, r := range p.waiting {
		n.lose(r.Key, len(r.Outcomes))
	}
	p.waiting, p.byKey, p.outcomes = nil, nil, 0
}

// rebuild places keys on the members that own any.
func (n *Node) rebuild(live []Member) {
	var owners []string
	for _, m := range live {
		if !m.Aloof {
			owners = append(owners, m.ID)
		}
	}
	n.ring = placement.New(owners)
}

// reroute moves outcomes that wait for a member that no longer owns their key.
func (n *Node) reroute(now breaker.Instant) {
	type move struct {
		r  *Report
		to *peer
	}
	var moves []move
	for _, p := range n.order {
		p.waiting = slices.DeleteFunc(p.waiting, func(r *Report) bool {
			owner := n.Owner(r.Key)
			if owner == p.ID {
				return false
			}
			delete(p.byKey, r.Key)
			p.outcomes -= len(r.Outcomes)
			moves = append(moves, move{r, n.peers[owner]})
			return true
		})
	}
	for _, m := range moves {
		switch {
		case m.to != nil:
			n.wait(m.to, m.r.Key, m.r.Outcomes)
		case n.owns(m.r.Key):
			n.step(m.r.Key, Count{n.opt.Self, true, m.r.Outcomes})
		default:
			n.lose(m.r.Key, len(m.r.Outcomes))
		}
	}
	for _, p := range n.order {
		n.launch(p, now)
	}
}

// claim activates the actors of keys that are this node's own and not closed,
// and tells those it had already that members joined. Circuits come first: their
// owner has questions to ask.
func (n *Node) claim(now breaker.Instant, before placement.Ring, joined bool) {
	var circuits, cooldowns []breaker.Key
	n.view.Each(func(k breaker.Key, s breaker.Snapshot) bool {
		switch {
		case !n.owns(k) || s.At(now).State == breaker.Closed:
		case s.Circuit.State != breaker.Closed:
			circuits = append(circuits, k)
		default:
			cooldowns = append(cooldowns, k)
		}
		return true
	})
	slices.Sort(circuits)
	slices.Sort(cooldowns)
	for _, k := range append(circuits, cooldowns...) {
		switch {
		case before.Owner(string(k)) != n.opt.Self:
			n.counts.Claimed++
			n.step(k, Activate{})
		case joined:
			n.step(k, Joined{})
		}
	}
}

// ClaimAll activates the actor of every key of this node that is not closed.
// The first call ends the start: from then on the node owns keys.
func (n *Node) ClaimAll(now breaker.Instant) Effects {
	if !n.ready {
		n.ready, n.readyAt = true, now
	}
	n.claim(now, placement.Ring{}, false)
	return n.take(now)
}

// Started reports whether the start is over. One that is not claims what is this
// node's own at its end.
func (n *Node) Started() bool { return n.ready }
