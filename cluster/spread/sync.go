package spread

import (
	"slices"

	"fleetfuse/breaker"
)

// Summary is the digest of the view, for carriers that have room for one.
func (n *Node) Summary() Digest { return Digest{Buckets: n.view.Digest()} }

// Sync asks members, one after the other, for everything this node lacks. Done follows with the
// returned id, and a Synced or an error.
func (n *Node) Sync(now breaker.Instant, limit breaker.Instant) (uint64, Effects) {
	if len(n.order) == 0 {
		return n.unowned(now, "")
	}
	r := &request{Request: Request{ID: n.id()}, sync: true, deadline: limit}
	n.requests = append(n.requests, r)
	n.askSync(r, now)
	return r.ID, n.take(now)
}

// askSync asks the next member in turn.
func (n *Node) askSync(r *request, now breaker.Instant) {
	r.again = now.Add(replyFloor)
	if len(n.order) == 0 {
		return
	}
	p := n.order[n.turn%len(n.order)]
	n.turn++
	r.to = p.ID
	n.send(p, Digest{Buckets: n.view.Digest(), Sync: r.ID})
}

// digest sends one to the next member in turn. A view that is full forgets
// what it has no room for, so it would differ for ever.
func (n *Node) digest(now breaker.Instant) {
	n.digestAt = now.Add(digestEvery)
	n.sums[0], n.sums[1] = n.sums[1], n.view.Digest()
	if len(n.order) == 0 || n.view.Full() {
		return
	}
	p := n.order[n.turn%len(n.order)]
	n.turn++
	if len(p.queue) == 0 && len(p.pushes) == 0 { // else what differs is on its way
		n.send(p, n.Summary())
	}
}

// onDigest pushes what the sender may lack and asks for what this node may
// lack. A difference that an exchange did not remove is left alone for a while
// unless one side changes: two clocks may disagree which of two cooldowns is redundant.
// So is one in a bucket that still changes here: pushes are on their way, and
// in a flood of them each digest would send the whole view.
func (n *Node) onDigest(p *peer, m Digest, now breaker.Instant) {
	if m.Sync != 0 {
		p.sync = m.Sync
	}
	defer n.pump(p, now)
	own := n.view.Digest()
	first := m.Sync != 0 || !p.compared
	if len(m.Buckets) != len(own) || !first && (n.view.Full() || len(p.queue)+len(p.pushes) > 0) {
		return
	}
	p.compared = true
	var differ []int
	for i, theirs := range m.Buckets {
		pair := [2]uint64{theirs, own[i]}
		last := p.settled[i]
		switch {
		case theirs == own[i]:
			delete(p.settled, i)
		case first || n.steady(i, own[i]) && (last.sums != pair || now.Sub(last.at) >= settledFor):
			p.settled[i] = exchange{pair, now}
			differ = append(differ, i)
		}
	}
	if len(differ) > 0 {
		n.send(p, Want{differ})
		n.enqueueBuckets(p, differ)
	}
}

// steady reports whether a bucket has not changed since the digest before the
// last.
func (n *Node) steady(i int, sum uint64) bool { return n.sums[0] != nil && n.sums[0][i] == sum }

func (n *Node) onWant(p *peer, m Want, now breaker.Instant) {
	n.enqueueBuckets(p, m.Buckets)
	n.pump(p, now)
}

func (n *Node) enqueueBuckets(p *peer, buckets []int) {
	keys := n.view.KeysIn(buckets)
	slices.Sort(keys)
	for _, k := range keys {
		n.enqueue(p, k)
	}
}

func (n *Node) onSynced(m Synced) { n.finish(m.Sync, m) }
