package spread

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// changes reports whether a request is carried out with a fresh stamp, so that a late
// one would win over what came since. What is held has the stamp it was made with.
func changes(body any) bool {
	switch body.(type) {
	case Word, Lay:
		return true
	}
	return false
}

// maxLeft bounds what an asker says of how long it waits.
const maxLeft = time.Minute

// wanted is until when a request is surely waited for, on this node's clock: the
// asker got the challenge after it was made. It is zero where nothing says, and
// false if the asker is to be asked whether it still waits.
func (n *Node) wanted(m Request, now breaker.Instant) (until breaker.Instant, ok bool) {
	c := m.Challenge
	if !changes(m.Body) || c == nil {
		return 0, true
	}
	made := breaker.Instant(c.At)
	until = made.Add(min(m.Left, maxLeft))
	return until, c.Life == n.opt.FirstID && made <= now && now < until
}

// onChallenge sends a request that still waits again. This process may have been
// stopped since it asked.
func (n *Node) onChallenge(p *peer, id uint64, c Challenge, now breaker.Instant) {
	i := slices.IndexFunc(n.requests, func(r *request) bool { return r.ID == id && r.to == p.ID && now < r.deadline })
	if i < 0 {
		return
	}
	r := n.requests[i]
	r.Challenge, r.Left = &c, r.deadline.Sub(now)
	n.send(p, r.Request)
}

// begun is a request of a member that was handed out to be carried out, once. Its
// copy, or its repeat for a second challenge, is passed over until nobody waits for it
// any more, which is not after until.
type begun struct {
	from  string
	id    uint64
	until breaker.Instant
}

// maxBegun bounds the requests remembered so: more words than operators say in a
// minute. Beyond it the oldest is forgotten.
const maxBegun = 1000

// begin remembers a request; false if it was begun before.
func (n *Node) begin(b begun, now breaker.Instant) bool {
	n.begun = slices.DeleteFunc(n.begun, func(x begun) bool { return now >= x.until })
	if slices.ContainsFunc(n.begun, func(x begun) bool { return x.from == b.from && x.id == b.id }) {
		return false
	}
	if len(n.begun) >= maxBegun {
		n.begun = n.begun[1:]
	}
	n.begun = append(n.begun, b)
	return true
}
