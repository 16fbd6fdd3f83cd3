package spread

import (
	"cmp"
	"slices"

	"fleetfuse/breaker"
)

// Announce takes what an actor of this node says of its key, or what this node
// itself saw, and pushes it to every member. derived says that time alone did
// it, which needs no message.
func (n *Node) Announce(now breaker.Instant, key breaker.Key, s breaker.Snapshot, derived bool) Effects {
	changed := n.merge(key, s)
	if changed && n.owns(key) { // its actor may not be the one that said it, or not be there
		merged := n.view.Of(key)
		n.step(key, Adopt{Snapshot: merged, Wake: merged.At(now).State != breaker.Closed})
	}
	if changed && !derived {
		n.pushAll(now, key, "")
	}
	return n.take(now)
}

// pushAll pushes a key to every member but one.
func (n *Node) pushAll(now breaker.Instant, key breaker.Key, but string) {
	for _, p := range n.order {
		if p.ID != but {
			n.enqueue(p, key)
			n.pump(p, now)
		}
	}
}

// Cool takes a Retry-After that this node saw: it needs no owner. One that is
// redundant is dropped.
func (n *Node) Cool(now breaker.Instant, key breaker.Key, c breaker.Cooldown) Effects {
	s := n.view.Of(key)
	if s.Covers(c) {
		return n.take(now)
	}
	if n.owns(key) {
		n.step(key, Cool{c})
	}
	return n.Announce(now, key, breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}, false)
}

// Hold takes an operator's word that another node asked this one to hold, and
// passes it on: it is about to be acknowledged, and the node that asked may die
// before its own pushes have left. That node itself is not told its own word. It
// asks a key's owner where that did not answer in time: the actor must hear.
func (n *Node) Hold(now breaker.Instant, from string, key breaker.Key, s breaker.Snapshot) Effects {
	if n.hear(now, key, s) {
		n.pushAll(now, key, from)
	}
	return n.take(now)
}

// hear takes what another node says of a key and reports whether it was news.
// The actor of a key of this node adopts it, or answers with a newer word.
func (n *Node) hear(now breaker.Instant, key breaker.Key, s breaker.Snapshot) bool {
	s = n.view.Hear(now, key, s)
	if s.Empty() || !n.merge(key, s) {
		return false
	}
	if n.owns(key) {
		merged := n.view.Of(key)
		n.step(key, Adopt{Snapshot: s, Wake: merged.At(now).State != breaker.Closed})
	}
	return true
}

// Recall puts what the store knows into the view, without telling anybody.
func (n *Node) Recall(now breaker.Instant, entries []Entry) Effects {
	for _, x := range entries {
		n.merge(x.Key, x.Snapshot)
	}
	return n.take(now)
}

// Forget drops what is due.
func (n *Node) Forget(now breaker.Instant) Effects {
	for _, k := range n.view.Forget(now) {
		n.e.Changed = append(n.e.Changed, Entry{k, n.view.Of(k)})
	}
	for id, at := range n.lost {
		if now.Sub(at) >= lostFor {
			delete(n.lost, id)
		}
	}
	n.forgetDoubts(now)
	return n.take(now)
}

// merge joins a snapshot into the view and reports whether anything changed.
func (n *Node) merge(key breaker.Key, s breaker.Snapshot) bool {
	if s.Clear != 0 {
		n.clears(key, s)
	}
	merged, changed, evicted := n.view.Merge(key, s)
	if evicted != "" {
		n.e.Changed = append(n.e.Changed, Entry{Key: evicted})
		n.e.Evicted = append(n.e.Evicted, evicted)
	}
	if changed {
		n.e.Changed = append(n.e.Changed, Entry{key, merged})
	}
	return changed
}

// clears notes what of the view a clear ends that is not settled with that: a
// cooldown that this node set later than the clear was made, although its stamp is
// earlier because its clock was behind; and deadlines of other programs, which they
// may say again.
func (n *Node) clears(key breaker.Key, s breaker.Snapshot) {
	for _, c := range n.view.Of(key).Cooldowns {
		set, made := c.Until.Add(-c.Length), s.ClearKept.Add(-breaker.KeepClear)
		switch {
		case c.Stamp > s.Clear:
		case c.Setter == breaker.ForeignSetter:
			n.e.Covered = append(n.e.Covered, Cooled{key, c})
		case c.Setter == n.opt.Self && !c.Disk && set > made:
			n.e.Again = append(n.e.Again, Cooled{key, c})
		}
	}
}

// enqueue makes a key part of the next push to a member.
func (n *Node) enqueue(p *peer, key breaker.Key) {
	if _, there := p.queued[key]; !there {
		p.queued[key] = struct{}{}
		p.queue = append(p.queue, key)
	}
}

// pump sends what waits while the window is open, and ends a sync when nothing
// waits any more.
func (n *Node) pump(p *peer, now breaker.Instant) {
	for len(p.queue) > 0 && len(p.pushes) < pushWindow {
		k := min(len(p.queue), pushKeys)
		x := &parcel{repeated: repeated{sent: now}, id: n.id(), keys: slices.Clone(p.queue[:k])}
		for _, key := range x.keys {
			delete(p.queued, key)
		}
		if p.queue = p.queue[k:]; len(p.queue) == 0 {
			p.queue = nil
		}
		if n.push(p, x) {
			p.pushes = append(p.pushes, x)
		}
	}
	if p.sync != 0 && len(p.queue) == 0 && len(p.pushes) == 0 {
		n.send(p, Synced{p.sync})
		p.sync = 0
	}
}

// push sends what is believed of a parcel's keys now; false if there is
// nothing left to say of any.
func (n *Node) push(p *peer, x *parcel) bool {
	m := Push{ID: x.id, Entries: make([]Entry, 0, len(x.keys))}
	for _, key := range x.keys {
		if s := n.view.Of(key); !s.Empty() {
			m.Entries = append(m.Entries, Entry{key, s})
		}
	}
	if len(m.Entries) == 0 {
		return false
	}
	n.send(p, m)
	return true
}

// resend repeats what was not acknowledged in time.
func (n *Node) resend(p *peer, now breaker.Instant) {
	p.pushes = slices.DeleteFunc(p.pushes, func(x *parcel) bool {
		if now < x.due() {
			return false
		}
		x.again(now)
		return !n.push(p, x)
	})
	p.settles = slices.DeleteFunc(p.settles, func(x *settle) bool {
		if now >= x.expires {
			return true
		}
		if now >= x.due() {
			x.again(now)
			n.send(p, x.Settle)
		}
		return false
	})
	n.pump(p, now)
}

// onAck ends pushes and settles.
func (n *Node) onAck(p *peer, m Ack, now breaker.Instant) {
	p.pushes = slices.DeleteFunc(p.pushes, func(x *parcel) bool {
		acked := slices.Contains(m.IDs, x.id)
		if acked && x.tries == 0 {
			p.measured(now.Sub(x.sent))
		}
		return acked
	})
	for _, id := range m.IDs {
		if i, ok := slices.BinarySearchFunc(p.settles, id, func(x *settle, id uint64) int { return cmp.Compare(x.ID, id) }); ok {
			p.settles = slices.Delete(p.settles, i, i+1)
		}
	}
	n.pump(p, now)
}

// onPush takes what another node believes.
func (n *Node) onPush(p *peer, m Push, now breaker.Instant) {
	for _, x := range m.Entries {
		n.hear(now, x.Key, x.Snapshot)
	}
	n.send(p, Ack{[]uint64{m.ID}})
}
