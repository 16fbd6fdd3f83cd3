package gate

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
)

// questionIDs numbers questions, from a random start so that a restarted node
// repeats none.
type questionIDs struct{ n atomic.Uint64 }

func (q *questionIDs) next(c *clock.Clock) uint64 {
	if q.n.Load() == 0 {
		q.n.CompareAndSwap(0, c.Random())
	}
	return q.n.Add(1)
}

// probe is what a decision holds when the call is a probe.
type probe struct {
	permits [2]heldPermit // of the host and the resolver
	n       int
	delay   time.Duration
}

// heldPermit is a permit in the hands of a caller.
type heldPermit struct {
	e    *entry
	id   breaker.PermitID
	ring bool // issued by the ring, not by the owner
}

func (p *probe) permitOf(e *entry) *heldPermit {
	if p == nil {
		return nil
	}
	for i := range p.permits[:p.n] {
		if p.permits[i].e == e {
			return &p.permits[i]
		}
	}
	return nil
}

func (d *Decision) hold(p heldPermit, delay time.Duration) {
	if d.probe == nil {
		d.terms = &terms{g: d.g, seat: d.seat, role: d.role, probe: &probe{}}
	}
	d.probe.permits[d.probe.n] = p
	d.probe.n++
	d.probe.delay = max(d.probe.delay, delay)
}

// release gives back the permits of a call that will not be made.
func (d *Decision) release() {
	if d.probe == nil {
		return
	}
	for _, p := range d.probe.permits[:d.probe.n] {
		d.g.giveBack(p)
	}
	d.terms = d.g.roles.of(d.role)
}

func (g *Gate) giveBack(p heldPermit) {
	if !p.ring {
		g.opt.Owner.Return(p.e.key, p.id)
		return
	}
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	if f := p.e.failing; f != nil {
		f.ring.Return(g.opt.Clock.Moment(1), p.id)
	}
}

// roleAsk is the state of the question for one role: one at a time for the
// whole node.
type roleAsk struct {
	asking  bool
	lost    breaker.Instant // no owner answered: the ring decides until then
	noUntil breaker.Instant // a refusal is repeated locally until then
	reason  breaker.Reason
	stash   *breaker.Answer // a permit whose caller left
	stashed breaker.Instant
}

// stashFor is how long a permit that arrived after its caller left waits for
// the next caller.
const stashFor = time.Second

// lostFor is how long the ring decides without asking after no owner answered.
const lostFor = time.Second

// askOwner asks the owner of a half-open key for a permit.
func (g *Gate) askOwner(ctx context.Context, d *Decision, e *entry, st breaker.Status) *denial {
	e.mu.Lock()
	f := g.fail(e)
	role := f.policy.BudgetRole(d.role)
	if f.roles == nil {
		f.roles = map[string]*roleAsk{}
	}
	ask := f.roles[role]
	if ask == nil {
		ask = &roleAsk{}
		f.roles[role] = ask
	}
	now := g.opt.Clock.Now()
	switch {
	case ask.stash != nil:
		a := ask.stash
		ask.stash = nil
		e.mu.Unlock()
		d.hold(heldPermit{e: e, id: a.Permit}, a.Delay)
		return nil
	case now < ask.lost:
		e.mu.Unlock()
		return g.fallBack(d, e)
	case now < ask.noUntil:
		defer e.mu.Unlock()
		return &denial{key: e.key, status: breaker.Status{State: st.State, Reason: ask.reason, Until: ask.noUntil}}
	case ask.asking:
		defer e.mu.Unlock()
		return pending(e, now)
	}
	ask.asking = true
	e.mu.Unlock()
	return g.await(ctx, d, e, ask, role)
}

func pending(e *entry, now breaker.Instant) *denial {
	return &denial{key: e.key, status: breaker.Status{
		State: breaker.HalfOpen, Reason: breaker.ReasonProbePending, Until: now.Add(breaker.MinRetryIn),
	}}
}

// reply is an owner's answer on its way to the caller.
type reply struct {
	answer breaker.Answer
	err    error
}

// await sends the question and waits for the answer or for the caller to
// leave; a permit that comes after that is kept for the next caller.
func (g *Gate) await(ctx context.Context, d *Decision, e *entry, ask *roleAsk, role string) *denial {
	q := breaker.Question{ID: g.questions.next(g.opt.Clock), Node: g.opt.Node, Role: role}
	replies := make(chan reply, 1)
	var over atomic.Bool // the caller left, or has its answer
	g.work.Add(1)
	g.opt.Owner.Ask(e.key, q, g.opt.AskLimit, func(a breaker.Answer, err error) {
		defer g.work.Done()
		g.answered(e, ask, a, err)
		if over.CompareAndSwap(false, true) {
			replies <- reply{a, err}
			return
		}
		g.stash(e, role, ask, a)
	})
	select {
	case r := <-replies:
		return g.use(d, e, r)
	default:
	}
	select {
	case r := <-replies:
		return g.use(d, e, r)
	case <-ctx.Done():
		if over.CompareAndSwap(false, true) {
			return pending(e, g.opt.Clock.Now())
		}
		return g.use(d, e, <-replies) // it came at the same moment
	}
}

// answered ends the question and remembers a refusal.
func (g *Gate) answered(e *entry, ask *roleAsk, a breaker.Answer, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ask.asking = false
	if err != nil {
		ask.lost = g.opt.Clock.Now().Add(lostFor)
	}
	if err == nil && a.Permit == 0 && a.State != breaker.Closed {
		ask.noUntil, ask.reason = g.opt.Clock.Now().Add(max(a.RetryIn, breaker.MinRetryIn)), a.Reason
	}
}

func (g *Gate) use(d *Decision, e *entry, r reply) *denial {
	switch a := r.answer; {
	case r.err != nil:
		return g.fallBack(d, e)
	case a.Permit != 0:
		d.hold(heldPermit{e: e, id: a.Permit}, a.Delay)
		return nil
	case a.State == breaker.Closed:
		return nil
	default:
		return &denial{key: e.key, status: breaker.Status{
			State: a.State, Reason: a.Reason, Until: g.opt.Clock.Now().Add(a.RetryIn),
		}}
	}
}

// stash keeps a permit for the next caller here.
func (g *Gate) stash(e *entry, role string, ask *roleAsk, a breaker.Answer) {
	if a.Permit == 0 {
		return
	}
	e.mu.Lock()
	f := e.failing
	wanted := f != nil && f.roles[role] == ask && ask.stash == nil && g.rejected(e) == nil
	if wanted {
		ask.stash, ask.stashed = &a, g.opt.Clock.Now()
		g.touch(e)
	}
	e.mu.Unlock()
	if !wanted {
		g.opt.Owner.Return(e.key, a.Permit)
	}
}

// unstash takes the permits nobody came for, or that the view rejects by now,
// or all. The entry is locked; the caller returns them when it is not.
func (g *Gate) unstash(e *entry, all bool) (stale []breaker.PermitID, waiting bool) {
	view, now := viewOf(e), g.opt.Clock.Now()
	for _, role := range slices.Sorted(maps.Keys(e.failing.roles)) { // the order in which they go back is seen by others
		switch ask := e.failing.roles[role]; {
		case ask.stash == nil:
		case all || now.Sub(ask.stashed) > stashFor || view.At(now).State == breaker.Open:
			stale = append(stale, ask.stash.Permit)
			ask.stash = nil
		default:
			waiting = true
		}
	}
	return stale, waiting
}

func (g *Gate) returnPermits(key breaker.Key, ids []breaker.PermitID) {
	for _, id := range ids {
		g.opt.Owner.Return(key, id)
	}
}

// fallBack is taken when no owner answers: the ring continues from the view's
// entry, half-open with trial_calls permits on this node, never full traffic.
func (g *Gate) fallBack(d *Decision, e *entry) *denial {
	e.mu.Lock()
	f := g.fail(e)
	f.ring.Adopt(g.opt.Clock.Moment(1), viewOf(e))
	e.mu.Unlock()
	return g.askRing(d, e)
}

// askRing takes the ring's word. Where the view is not closed no owner answers:
// a ring that recovered alone begins again, for the fleet has not.
func (g *Gate) askRing(d *Decision, e *entry) *denial {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.failing
	if f == nil {
		return nil
	}
	mo, view := g.opt.Clock.Moment(1), viewOf(e)
	a := g.askMachine(f.ring, mo, d.role)
	if a.State == breaker.Closed && view.At(mo.Now).State != breaker.Closed {
		f.ring = breaker.New(f.policy)
		f.ring.Adopt(g.opt.Clock.Moment(1), view)
		a = g.askMachine(f.ring, mo, d.role)
	}
	switch {
	case a.Permit != 0:
		d.hold(heldPermit{e: e, id: a.Permit, ring: true}, a.Delay)
	case a.State != breaker.Closed:
		return &denial{key: e.key, local: true, status: breaker.Status{
			State: a.State, Reason: a.Reason, Until: mo.Now.Add(a.RetryIn),
		}}
	}
	g.refresh(e, view)
	return nil
}

// askMachine asks a ring for a permit, if it is not closed.
func (g *Gate) askMachine(ring *breaker.Machine, mo breaker.Moment, role string) breaker.Answer {
	s := ring.Snapshot()
	if s.At(mo.Now).State == breaker.Closed {
		return breaker.Answer{State: breaker.Closed}
	}
	a, _ := ring.Ask(mo, breaker.Question{ID: g.questions.next(g.opt.Clock), Node: g.opt.Node, Role: role})
	return a
}
