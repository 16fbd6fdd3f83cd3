package gate

import (
	"time"

	"fleetfuse/breaker"
)

// A Result says how a call ended.
type Result struct {
	breaker.Evidence
	Date      string        // the response's Date header, for a dated Retry-After
	Latency   time.Duration // zero: since the decision
	Age       time.Duration // how long ago the call ended
	Count     int           // calls that ended alike; zero is one
	FromCache bool
	// Returned says the call was not made: its permit goes back.
	Returned bool
	// NoPermit says that the call had none, so that ReportCall looks for none.
	NoPermit bool
}

// Success reports a success without further detail. It is the cheapest report.
//
// It takes a copy, so that a decision that is only asked and closed again stays
// in registers.
func (d Decision) Success() {
	if d.probe == nil && quiet(d.host) && quiet(d.resolver) && d.denied == nil {
		if d.host != nil {
			d.host.succeeded(d.began, 1, d.seat)
		}
		if d.resolver != nil {
			d.resolver.succeeded(d.began, 1, d.seat)
		}
		return
	}
	d.successOfException()
}

// successOfException is Success where a key is not quiet. A success on a key
// that failed only extends its run, or is counted, without a look at the clock.
func (d *Decision) successOfException() {
	r := Result{Evidence: breaker.Evidence{Status: 200}}
	if d.probe != nil || d.denied != nil {
		d.Report(r)
		return
	}
	for _, e := range [2]*entry{d.host, d.resolver} {
		if e != nil && !d.g.extend(e, d, d.began) {
			d.g.report(e, d, r, d.began, d.g.opt.Clock.Now())
		}
	}
}

// extend counts a success on a key that is not quiet, in its run if it is to be
// reported, and reports whether that was all there was to do.
func (g *Gate) extend(e *entry, d *Decision, began breaker.Instant) bool {
	e.mu.Lock()
	f, now := e.failing, g.opt.Clock.Tick()
	if f != nil && !f.policy.SlowCall.Enabled && !e.reporting(now) {
		e.mu.Unlock()
		e.succeeded(began, 1, d.seat)
		return true
	}
	defer e.mu.Unlock()
	if f == nil || f.policy.SlowCall.Enabled || !f.extendRun(d.role, 1, began, now) {
		return false
	}
	e.begun.mark(tickOf(began))
	g.touch(e)
	if g.opt.Usage {
		_, detail := e.place(d.seat)
		made(detail).made().succeeded(1)
	}
	return true
}

func quiet(e *entry) bool { return e == nil || e.exception.Load() == nil }

// Report tells how the call went. An outcome counts for both keys; a
// Retry-After sets the host's cooldown only.
func (d *Decision) Report(r Result) {
	if d.denied != nil {
		return // the call was not allowed, so nothing of it counts
	}
	now := d.g.opt.Clock.Now()
	ended := now.Add(-r.Age)
	began := d.began
	if r.Latency > 0 || began == 0 {
		began = ended.Add(-r.Latency)
	}
	for _, e := range [2]*entry{d.host, d.resolver} {
		if e != nil {
			d.g.report(e, d, r, began, ended)
		}
	}
	d.terms = d.g.roles.of(d.role)
}

func (g *Gate) report(e *entry, d *Decision, r Result, began, ended breaker.Instant) {
	p := g.opt.Policy(e.key)
	latency := max(r.Latency, ended.Sub(began))
	kind, slow, strict := p.ClassifyCall(r.Evidence, latency, r.FromCache)
	if r.Returned {
		kind, slow, strict = breaker.Neutral, false, false
	}
	g.count(kind, r)
	permit := d.probe.permitOf(e)
	if kind == breaker.Success && !slow && permit == nil && g.counts(e) {
		n := uint64(max(r.Count, 1))
		c, before := e.succeeded(began, n, d.seat)
		if g.opt.Usage {
			if standsFor := c.weight(before, n); standsFor > 0 {
				e.took(d.seat, latency, standsFor)
			}
		}
		return
	}
	if g.opt.Usage {
		how := g.ending(e, p, r, ended)
		how.kind, how.strict, how.probe, how.latency = kind, strict, permit != nil, latency
		e.ended(d.seat, how)
	}
	o := breaker.Outcome{
		Node: g.opt.Node, Role: d.role, Kind: kind, Slow: slow, Strict: strict, Count: max(r.Count, 1),
		Began: began, Ended: ended, Evidence: r.Evidence,
	}
	cool := g.cooldown(e, p, r, ended)
	if kind == breaker.Neutral && permit == nil && cool == nil && (!strict || quiet(e)) {
		return // changes nothing
	}
	g.deliver(e, o, permit, cool)
	if cool != nil && p.RetryAfterScope == breaker.RetryAfterCluster {
		g.opt.Owner.Cool(e.key, *cool)
	}
}

// cooldown is the Retry-After of a result, nil if it has none that counts.
func (g *Gate) cooldown(e *entry, p *breaker.Policy, r Result, ended breaker.Instant) *breaker.Cooldown {
	if r.RetryAfter == "" || r.FromCache || !p.HonoursRetryAfter(r.Status) || e.key.Scope() != breaker.ScopeHost {
		return nil
	}
	now, wall := g.opt.Clock.Both()
	d, ok := breaker.ParseRetryAfter(r.RetryAfter, r.Date, p.RetryAfterCap, wall.Add(ended.Sub(now)))
	if until := ended.Add(d); ok && until > now {
		return &breaker.Cooldown{
			Setter: g.opt.Node, Stamp: g.opt.Clock.Stamp(), Until: until, Length: d,
			Reason: breaker.ReasonRetryAfter, Detail: breaker.Cut("Retry-After: " + r.RetryAfter),
		}
	}
	return nil
}

// deliver feeds the ring and sends what the owner must know.
func (g *Gate) deliver(e *entry, o breaker.Outcome, permit *heldPermit, cool *breaker.Cooldown) {
	e.mu.Lock()
	f := g.fail(e)
	if o.Kind == breaker.Success {
		e.begun.mark(tickOf(o.Began))
	}
	if permit == nil && o.Kind == breaker.Success && !o.Slow && f.extendRun(o.Role, o.Count, o.Began, o.Ended) {
		g.touch(e)
		e.mu.Unlock()
		return
	}
	mo := g.opt.Clock.Moment(1)
	f.settle(e, mo)
	if permit != nil {
		o.Permit = permit.id
	}
	if permit == nil || permit.ring {
		f.ring.Report(mo, o)
	}
	if cool != nil && f.policy.RetryAfterScope == breaker.RetryAfterNode {
		f.ring.Cool(mo, *cool)
	}
	if o.Kind == breaker.Failure {
		f.lastFailure = mo.Now
		f.reportUntil = max(f.reportUntil, mo.Now.Add(f.policy.MemoryOf(f.policy.BudgetRole(o.Role))))
	}
	send := f.queue(o, permit)
	g.touch(e)
	g.refresh(e, viewOf(e))
	e.mu.Unlock()
	if len(send) > 0 {
		g.opt.Owner.Report(e.key, send)
	}
}

// queue adds an outcome to the outbox and returns what must go at once: a
// failure with the successes before it, or a probe's result.
func (f *failing) queue(o breaker.Outcome, permit *heldPermit) []breaker.Outcome {
	if permit == nil || !permit.ring { // the owner did not issue a ring's permit
		f.outbox = append(f.outbox, o)
	}
	if o.Kind == breaker.Success && o.Permit == 0 && len(f.outbox) < maxOutbox {
		return nil
	}
	send := f.outbox
	f.outbox = nil
	return send
}

// extendRun adds successes to the run that is under way. It reports false where
// the run is another role's and must be settled first.
func (f *failing) extendRun(role string, n int, began, ended breaker.Instant) bool {
	switch {
	case f.run.Count == 0:
		f.run = breaker.Outcome{Node: f.node, Role: role, Kind: breaker.Success}
	case f.run.Role != role:
		return false
	}
	f.run.Count += n
	f.run.Began, f.run.Ended = max(f.run.Began, began), max(f.run.Ended, ended, began)
	return true
}

// settle ends the run of successes: the ring counts it and it waits to be
// sent. Successes that were only counted go first, as far as they are recent.
func (f *failing) settle(e *entry, mo breaker.Moment) {
	e.rotate(mo.Now)
	if total := e.total(); total > f.reported {
		o := breaker.Outcome{
			Node: f.node, Kind: breaker.Success, Count: int(total - f.reported), Began: e.lastBegan(), Ended: mo.Now,
		}
		f.reported = total
		f.ring.Report(mo, o)
		f.outbox = append(f.outbox, o)
	}
	if f.run.Count > 0 {
		f.ring.Report(mo, f.run)
		f.outbox = append(f.outbox, f.run)
		f.run = breaker.Outcome{}
	}
}
