package spread

import (
	"time"

	"fleetfuse/breaker"
)

// Refuse notes that a frame of a member was not taken, because its clock is
// ahead of this node's by more than a stamp may be, and tells it so.
func (n *Node) Refuse(now breaker.Instant, from string, ahead time.Duration) Effects {
	if p := n.peers[from]; p != nil {
		n.send(p, Refusal{ahead})
		n.skewed(p, ahead)
	}
	return n.take(now)
}

// skewed notes how far a member's clock is ahead of this node's, negative for
// behind, zero for near enough. Where most members disagree with this node, it
// is this node's clock that is off: it must not own keys, because nobody would
// take its word.
func (n *Node) skewed(p *peer, ahead time.Duration) {
	if (p.off == 0) == (ahead == 0) {
		p.off = ahead
		return
	}
	p.off = ahead
	n.judgeClock()
}

// judgeClock counts who disagrees.
func (n *Node) judgeClock() {
	off := 0
	for _, p := range n.order {
		if p.off != 0 {
			off++
		}
	}
	if apart := 2*off > len(n.order); apart != n.apart {
		n.apart = apart
		n.e.Apart = &apart
	}
}

// taken notes what a message that was taken tells of its sender's clock: it is
// not too far ahead, and if it acknowledges something then neither is ours.
func (n *Node) taken(p *peer, m Message) {
	acknowledges := false
	switch m.(type) {
	case Ack, BatchAck, WitnessReply, Reply, Synced:
		acknowledges = true
	}
	if acknowledges {
		p.mute = 0
	}
	if p.off > 0 || p.off < 0 && acknowledges {
		n.skewed(p, 0)
	}
}

// Skews lists the members whose clocks are off by more than a stamp may be,
// and by how much, negative for behind. apart says that it is this node's
// clock that most of them disagree with.
func (n *Node) Skews() (skews map[string]time.Duration, apart bool) {
	skews = map[string]time.Duration{}
	for _, p := range n.order {
		if p.off != 0 {
			skews[p.ID] = p.off
		}
	}
	return skews, n.apart
}
