package spread

import (
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// request is a question of this node that is out.
type request struct {
	Request
	to       string
	deadline breaker.Instant
	again    breaker.Instant // when to repeat it, zero for never
	sync     bool            // a digest that wants a Synced
}

func (r *request) wakeAt() breaker.Instant {
	if r.again != 0 {
		return min(r.again, r.deadline)
	}
	return r.deadline
}

// lateAsk is a question for a permit that was given up or answered: a permit that
// comes all the same, for its repeat, goes back.
type lateAsk struct {
	id   uint64
	key  breaker.Key
	used breaker.PermitID // the permit it was answered with, zero if none
}

// maxLate bounds the questions remembered so; a permit beyond it expires.
const maxLate = 1000

// Ask sends a question for a permit to the key's owner. Done follows with the
// returned id. The question is repeated once: the owner knows it by its id.
func (n *Node) Ask(now breaker.Instant, key breaker.Key, q breaker.Question) (uint64, Effects) {
	p := n.peers[n.Owner(key)]
	if p == nil {
		return n.unowned(now, key)
	}
	r := n.request(p, key, Ask{q, n.view.Of(key)}, now.Add(p.patience()))
	r.again = now.Add(p.patience() / 2)
	return r.ID, n.take(now)
}

// Request sends a request to the key's owner and waits for the reply for at
// least a while. Done follows with the returned id.
func (n *Node) Request(now breaker.Instant, key breaker.Key, body any, least time.Duration) (uint64, Effects) {
	return n.RequestFrom(now, n.Owner(key), key, body, least)
}

// RequestFrom is Request to a member, whoever owns the key.
func (n *Node) RequestFrom(now breaker.Instant, to string, key breaker.Key, body any, least time.Duration) (uint64, Effects) {
	p := n.peers[to]
	if p == nil {
		return n.unowned(now, key)
	}
	r := n.request(p, key, body, now.Add(max(least, p.patience())))
	return r.ID, n.take(now)
}

func (n *Node) request(p *peer, key breaker.Key, body any, deadline breaker.Instant) *request {
	r := &request{Request: Request{ID: n.id(), Key: key, Body: body}, to: p.ID, deadline: deadline}
	if changes(body) {
		r.Challenge = &Challenge{}
	}
	n.requests = append(n.requests, r)
	n.send(p, r.Request)
	if len(n.requests) > maxRequests {
		n.fail(n.requests[0], fmt.Errorf("%w: too many requests wait", ErrNoOwner))
	}
	return r
}

// unowned ends a request before it began.
func (n *Node) unowned(now breaker.Instant, key breaker.Key) (uint64, Effects) {
	id := n.id()
	n.e.Done = append(n.e.Done, Done{id, fmt.Errorf("%w: no member owns %s", ErrNoOwner, key)})
	return id, n.take(now)
}

// Members are the ids of the other live members, in order.
func (n *Node) Members() []string {
	ids := make([]string, len(n.order))
	for i, p := range n.order {
		ids[i] = p.ID
	}
	return ids
}

// finish ends a request; false if it is not out any more.
func (n *Node) finish(id uint64, body any) bool {
	i := slices.IndexFunc(n.requests, func(r *request) bool { return r.ID == id })
	if i < 0 {
		return false
	}
	n.requests = slices.Delete(n.requests, i, i+1)
	n.e.Done = append(n.e.Done, Done{id, body})
	return true
}

// fail ends a request without its reply.
func (n *Node) fail(r *request, why error) {
	if _, ask := r.Body.(Ask); ask {
		n.rememberLate(lateAsk{r.ID, r.Key, 0})
	}
	n.finish(r.ID, fmt.Errorf("%s: %w", r.Key, why))
}

func (n *Node) rememberLate(l lateAsk) {
	if len(n.late) >= maxLate {
		n.late = n.late[1:]
	}
	n.late = append(n.late, l)
}

// Abandon ends a request nobody waits for any more, without a Done.
func (n *Node) Abandon(now breaker.Instant, id uint64) Effects {
	if i := slices.IndexFunc(n.requests, func(r *request) bool { return r.ID == id }); i >= 0 {
		n.fail(n.requests[i], fmt.Errorf("%w: nobody waits", ErrNoOwner))
		n.e.Done = nil
	}
	return n.take(now)
}

// Idle reports whether nothing is under way to any member that must arrive.
func (n *Node) Idle() bool {
	return !slices.ContainsFunc(n.order, func(p *peer) bool {
		return p.flight != nil || len(p.waiting)+len(p.queue)+len(p.pushes)+len(p.settles) > 0
	})
}

func (n *Node) expireRequests(now breaker.Instant) {
	for _, r := range slices.Clone(n.requests) {
		switch {
		case now >= r.deadline:
			n.fail(r, fmt.Errorf("%w: no reply in time", ErrNoOwner))
		case r.again != 0 && now >= r.again:
			n.repeat(r, now)
		}
	}
}

// repeat sends a request again: a question once, a digest until it is answered,
// each time to another member, because one that does not know this node yet
// drops what it says.
func (n *Node) repeat(r *request, now breaker.Instant) {
	r.again = 0
	if r.sync {
		n.askSync(r, now)
	} else if p := n.peers[r.to]; p != nil {
		n.send(p, r.Request)
	}
}

func (n *Node) onReply(p *peer, m Reply, now breaker.Instant) {
	if c, ok := m.Body.(Challenge); ok {
		n.onChallenge(p, m.ID, c, now)
		return
	}
	n.learn(m, now)
	if n.finish(m.ID, m.Body) {
		return
	}
	i := slices.IndexFunc(n.late, func(l lateAsk) bool { return l.id == m.ID })
	if i < 0 {
		return
	}
	l := n.late[i]
	if a, ok := m.Body.(breaker.Answer); ok && a.Permit != 0 && a.Permit != l.used {
		n.settle(p, l.key, breaker.Outcome{Node: n.opt.Self, Kind: breaker.Neutral, Permit: a.Permit, Began: now, Ended: now}, now)
	}
}

// learn takes what a reply to a request that is out says of its key.
func (n *Node) learn(m Reply, now breaker.Instant) {
	i := slices.IndexFunc(n.requests, func(r *request) bool { return r.ID == m.ID })
	if i < 0 {
		return
	}
	key := n.requests[i].Key
	switch body := m.Body.(type) {
	case breaker.Answer:
		n.learnAnswer(m.ID, key, body, now)
	case OperatorResult: // the reply may be faster than the push
		n.hear(now, key, body.Entry)
	case LayResult:
		n.hear(now, key, breaker.Snapshot{Overlays: []breaker.Overlay{body.Overlay}})
	}
}

// learnAnswer remembers a question: its repeat, should it come when the permit is
// used or a place is free again, gets another permit. Of a key whose owner, told
// of them with the question, says that it is closed it drops cooldowns that ran
// out: they came from a machine whose clock lags, so the close did not cover them
// here.
func (n *Node) learnAnswer(id uint64, key breaker.Key, a breaker.Answer, now breaker.Instant) {
	n.rememberLate(lateAsk{id, key, a.Permit})
	if a.State == breaker.Closed && n.view.Over(now, key) {
		n.e.Changed = append(n.e.Changed, Entry{key, n.view.Of(key)})
	}
}

// onRequest hands a request to whoever serves it. What the asker believes of
// the key comes with a question for a permit.
func (n *Node) onRequest(p *peer, m Request, now breaker.Instant) {
	switch m.Body.(type) {
	case Ask, Word, Lay, Inspect:
		if !n.owns(m.Key) {
			n.send(p, Reply{m.ID, fmt.Errorf("%w: %s", ErrNotOwner, m.Key)})
			return
		}
	}
	until, ok := n.wanted(m, now)
	if !ok {
		n.send(p, Reply{m.ID, Challenge{n.opt.FirstID, uint64(now)}})
		return
	}
	if until != 0 && !n.begin(begun{p.ID, m.ID, now.Add(min(m.Left, maxLeft))}, now) {
		return
	}
	if ask, ok := m.Body.(Ask); ok {
		n.hear(now, m.Key, ask.Entry)
	}
	n.e.Serve = append(n.e.Serve, Serve{p.ID, m, until})
}

// Reply answers a request of a member.
func (n *Node) Reply(now breaker.Instant, to string, id uint64, body any) Effects {
	if p := n.peers[to]; p != nil {
		n.send(p, Reply{id, body})
	}
	return n.take(now)
}
