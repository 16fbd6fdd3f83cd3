package replay

import (
	"strings"
	"time"

	"fleetfuse/breaker"
)

// begins decides about the calls of a record: as the state is, and where it is
// half-open by asking for permits.
func (r *run) begins(i int) {
	c, f := &r.script.calls[i], &r.fates[i]
	switch {
	case r.state == breaker.Closed || r.policy.Mode != breaker.ModeEnforce:
		f.plain = c.Count
	case r.state == breaker.HalfOpen && !r.defers(i):
		r.probe(i)
	}
	r.charge(i)
}

// defers reports whether a blocked call leaves the permit to a recorded probe.
func (r *run) defers(i int) bool {
	c := &r.script.calls[i]
	return c.blocked && r.script.probeAfter(c.Began) <= c.defers
}

// probe asks for permits for the calls of a record, until one is refused.
func (r *run) probe(i int) {
	c, f := &r.script.calls[i], &r.fates[i]
	for f.probes < min(c.Count, mostProbes) {
		mo := r.moment(c.Began)
		a, e := r.machine.Ask(mo, breaker.Question{ID: mo.Rand, Node: c.Node, Role: c.Role})
		r.take(c.Began, e)
		if a.State == breaker.Closed { // a silent role left it to the others
			f.plain = c.Count - f.probes
			return
		}
		if a.Permit == 0 {
			return
		}
		f.probes++
		r.permits[i] = append(r.permits[i], a.Permit)
	}
}

// ends reports the calls of a record that were made.
func (r *run) ends(i int) {
	c, f := &r.script.calls[i], r.fates[i]
	o := c.Outcome
	for _, o.Permit = range r.permits[i] {
		o.Count = 1
		r.take(c.Ended, r.machine.Report(r.moment(c.Ended), o))
	}
	delete(r.permits, i)
	if f.plain > 0 {
		o.Permit, o.Count = 0, f.plain
		r.take(c.Ended, r.machine.Report(r.moment(c.Ended), o))
	}
	if f.plain+f.probes > 0 {
		r.cool(&o)
	}
}

// cool sets the cooldown of a Retry-After.
func (r *run) cool(o *breaker.Outcome) {
	p := r.policy
	if o.RetryAfter == "" || p.RetryAfterScope != breaker.RetryAfterCluster || !p.HonoursRetryAfter(o.Status) ||
		strings.Trim(o.RetryAfter, " \t0123456789") != "" {
		return
	}
	d, ok := breaker.ParseRetryAfter(o.RetryAfter, "", p.RetryAfterCap, time.Time{})
	if !ok || d == 0 {
		return
	}
	mo := r.moment(o.Ended)
	r.take(o.Ended, r.machine.Cool(mo, breaker.Cooldown{
		Setter: o.Node, Stamp: mo.Stamp, Until: o.Ended.Add(d), Length: d, Reason: breaker.ReasonRetryAfter,
	}))
}

// witnesses answer from the tape. What ended by now has been reported; what is
// left are calls of a record of several, which the tape brings when its last
// ended: some are taken to have ended before. Of nodes that told nothing nothing
// is known: they are silent.
func (r *run) witnesses(q *breaker.WitnessQuestion, now breaker.Instant) (list []breaker.WitnessAnswer) {
	for _, e := range r.script.events[r.next:] {
		if e.at > now.Add(roundSees) || len(list) == maxAnswers {
			break
		}
		c, f := &r.script.calls[e.call], r.fates[e.call]
		if e.end && c.Count > 1 && !c.blocked && c.Kind == breaker.Success && f.plain+f.probes > 0 && c.Began > q.From && c.Began < q.To {
			list = append(list, breaker.WitnessAnswer{Round: q.Round, Node: c.Node, Success: c.Began})
		}
	}
	return list
}

const (
	// roundSees is how far apart the calls of one record may have ended.
	roundSees  = 100 * time.Millisecond
	maxAnswers = 64 // the first that is good ends the round
)

// charge counts what was decided about a record and prices it.
func (r *run) charge(i int) {
	c, f, sum := &r.script.calls[i], r.fates[i], &r.result
	failed := c.Kind == breaker.Failure || c.Strict
	if c.Kind == breaker.Neutral && !failed {
		return
	}
	made, probes := float64(f.plain+f.probes), float64(f.probes)
	rejected := float64(c.Count) - made
	sum.LetThrough += made
	sum.Probes += probes
	lost := 0.0
	if failed {
		sum.FailuresThrough += made
		sum.FailedProbes += probes
		sum.RejectedRightly += rejected
		lost = r.prices.FailureWeight * made
	} else {
		sum.RejectedWrongly += rejected
		lost = rejected
	}
	r.costs[i] = lost/r.script.rate + r.prices.ProbePrice.Seconds()*probes
}
