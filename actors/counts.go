package actors

import (
	"sync/atomic"

	"fleetfuse/breaker"
)

// Counts is what the breaker actors of a node counted since its start, and how
// many there are now, for metrics.
type Counts struct {
	Active  int // actors
	Waiting int // outcomes in mailboxes
	Panics  uint64
	Dropped uint64 // outcomes lost: too many waited, there was no owner, or no actor
	Refused uint64 // reports on keys that got no actor because there were too many

	PermitsGranted, PermitsRefused uint64 // questions of half-open breakers, answered
	// Probes by their end, which the owner heard of while the permit was good.
	ProbesSucceeded, ProbesFailed, ProbesReturned uint64
	// Witness rounds about trips by their end: the breaker tripped, a member
	// refused it or the rule was not met any more, or something else moved the
	// breaker meanwhile. Rounds that heal a circuit are not among them.
	RoundsTripped, RoundsRefused, RoundsVoid uint64
}

// counts are the Counts in the making.
type counts struct {
	active, waiting                          atomic.Int64
	panics, dropped, refused                 atomic.Uint64
	granted, denied                          atomic.Uint64
	succeeded, failed, returned              atomic.Uint64
	roundsTripped, roundsRefused, roundsVoid atomic.Uint64
}

// Counts reads the counts.
func (b *Breakers) Counts() Counts {
	c := &b.counts
	return Counts{
		Active: int(c.active.Load()), Waiting: int(c.waiting.Load()), Panics: c.panics.Load(), Dropped: c.dropped.Load(), Refused: c.refused.Load(),
		PermitsGranted: c.granted.Load(), PermitsRefused: c.denied.Load(),
		ProbesSucceeded: c.succeeded.Load(), ProbesFailed: c.failed.Load(), ProbesReturned: c.returned.Load(),
		RoundsTripped: c.roundsTripped.Load(), RoundsRefused: c.roundsRefused.Load(), RoundsVoid: c.roundsVoid.Load(),
	}
}

// enter and exit count the actor.
func (a *breakerActor) enter() {
	a.door.counts.active.Add(1)
	if o := a.door.opt.Observer; o != nil {
		o.Entered(a.key)
	}
}

func (a *breakerActor) exit() {
	a.voidRound()
	a.door.counts.active.Add(-1)
	if o := a.door.opt.Observer; o != nil {
		o.Left(a.key)
	}
}

// observe counts what a step asked for, before anybody acts on it.
func (a *breakerActor) observe(e breaker.Effects) {
	if e.Announce != nil {
		if a.round != 0 && moves(e) {
			a.voidRound()
		}
		for _, t := range e.Announce.Transitions {
			if o := a.door.opt.Observer; o != nil {
				o.Moved(a.key, t)
			}
		}
	}
	if q := e.AskWitnesses; q != nil && !q.Heal {
		a.voidRound()
		a.round = q.Round
	}
}

// moves reports whether a step changed the state.
func moves(e breaker.Effects) bool {
	if e.Announce == nil {
		return false
	}
	for _, t := range e.Announce.Transitions {
		if t.From != t.To {
			return true
		}
	}
	return false
}

// voidRound counts the round under way as one that came to nothing.
func (a *breakerActor) voidRound() {
	if a.round != 0 {
		a.round = 0
		a.door.counts.roundsVoid.Add(1)
	}
}

// roundOver counts how a round ended that this actor asked for.
func (a *breakerActor) roundOver(round breaker.Stamp, e breaker.Effects) {
	if round != a.round || round == 0 {
		return
	}
	a.round = 0
	if moves(e) {
		a.door.counts.roundsTripped.Add(1)
		return
	}
	a.door.counts.roundsRefused.Add(1)
}

// answered counts the answer to a question.
func (a *breakerActor) answered(answer breaker.Answer) {
	switch {
	case answer.Permit != 0:
		a.door.counts.granted.Add(1)
	case answer.State == breaker.HalfOpen:
		a.door.counts.denied.Add(1)
	}
}

// out is the number of permits that are out. What ends no permit, as most
// outcomes do, need not ask.
func (a *breakerActor) out(o breaker.Outcome, now breaker.Instant) int {
	if o.Permit == 0 {
		return 0
	}
	return len(a.machine.Inspect(now).Permits)
}

// probed counts the end of a probe. One that was heard of before, or came too
// late, ended no permit.
func (a *breakerActor) probed(o breaker.Outcome, before int, now breaker.Instant) {
	if before == 0 || a.out(o, now) >= before {
		return
	}
	if x := a.door.opt.Observer; x != nil {
		x.Probed(a.key, o)
	}
	switch {
	case o.Kind == breaker.Failure || o.Strict:
		a.door.counts.failed.Add(1)
	case o.Kind == breaker.Success:
		a.door.counts.succeeded.Add(1)
	default:
		a.door.counts.returned.Add(1)
	}
}
