package replay

import "fleetfuse/breaker"

// A Result is what a policy would have done with the calls of a tape, in one
// imputation: numbers of calls, averaged over its draws. A call that says
// nothing about the host (neutral) is in none of them.
type Result struct {
	LetThrough      float64 // calls made, probes among them
	FailuresThrough float64 // of those the ones that failed, probes included
	RejectedWrongly float64 // it would have succeeded
	RejectedRightly float64 // it would have failed
	Probes          float64
	FailedProbes    float64
	Opens           float64 // how often it opened, after failed probes too
	SecondsOpen     float64 // rejecting all calls
	Cost            float64 // seconds of lost service (Prices)
}

// mostProbes is how many calls of one record may be probes: they count as if made
// at one time, and more at once a recovery hardly needs.
const mostProbes = 16

// run is one machine under way through a script.
type run struct {
	script  *script
	machine *breaker.Machine
	policy  *breaker.Policy
	prices  Prices
	stamp   breaker.Stamp
	wake    breaker.Instant
	next    int // the event after the one in progress

	fates   []fate
	costs   []float64 // of each call, in seconds
	result  Result
	state   breaker.State
	since   breaker.Instant            // when the state came about
	open    []interval                 // when it was not closed
	permits map[int][]breaker.PermitID // of calls under way
}

// fate is how many of a record's calls were made.
type fate struct{ plain, probes int }

// interval is a time in which a machine was not closed.
type interval struct{ from, to breaker.Instant }

// newRun is a closed machine at the beginning of a script.
func newRun(s *script, p *breaker.Policy, prices Prices) *run {
	return &run{
		script: s, machine: breaker.New(p), policy: p, prices: prices,
		fates: make([]fate, len(s.calls)), costs: make([]float64, len(s.calls)),
		permits: map[int][]breaker.PermitID{},
	}
}

// play goes through the script as it was last imputed.
func (r *run) play() {
	var last breaker.Instant
	for i, e := range r.script.events {
		r.next, last = i+1, e.at
		r.advance(e.at)
		if e.end {
			r.ends(e.call)
		} else {
			r.begins(e.call)
		}
	}
	if r.state != breaker.Closed && len(r.open) > 0 {
		r.open[len(r.open)-1].to = last
	}
	if r.state == breaker.Open {
		r.result.SecondsOpen += max(last.Sub(r.since), 0).Seconds()
	}
	for _, c := range r.costs {
		r.result.Cost += c
	}
}

// moment is a fresh one. Permits need no more than different random numbers.
func (r *run) moment(now breaker.Instant) breaker.Moment {
	r.stamp++
	return breaker.Moment{Now: now, Stamp: r.stamp, Members: r.script.members, Rand: uint64(r.stamp)}
}

// advance lets the machine's timer go off.
func (r *run) advance(to breaker.Instant) {
	for r.wake != 0 && r.wake <= to {
		at := r.wake
		r.wake = 0
		r.take(at, r.machine.Tick(r.moment(at)))
	}
}

// take carries out what the machine wants.
func (r *run) take(now breaker.Instant, e breaker.Effects) {
	if e.WakeAt != 0 {
		r.wake = e.WakeAt
	}
	if e.Announce != nil {
		for _, t := range e.Announce.Transitions {
			r.moves(t)
		}
	}
	if q := e.AskWitnesses; q != nil {
		for _, a := range r.witnesses(q, now) {
			r.take(now, r.machine.Witness(r.moment(now), a))
		}
		r.take(now, r.machine.EndRound(r.moment(now), q.Round))
	}
}

func (r *run) moves(t breaker.Transition) {
	if t.From == t.To {
		return // a cooldown that was extended
	}
	if r.state == breaker.Open {
		r.result.SecondsOpen += max(t.At.Sub(r.since), 0).Seconds()
	}
	if t.To == breaker.Open {
		r.result.Opens++
	}
	if t.From == breaker.Closed {
		r.open = append(r.open, interval{from: t.At})
	}
	if t.To == breaker.Closed && len(r.open) > 0 {
		r.open[len(r.open)-1].to = t.At
	}
	r.state, r.since = t.To, t.At
}
