package breaker

import "time"

// Effects is what the caller must carry out after a step. The zero value
// means nothing.
type Effects struct {
	// Announce, if not nil, goes to the views of all members and to observers.
	Announce *Announcement
	// Persist, if not nil, replaces what the store knows of the key. It comes
	// alone when something was forgotten that changed no state.
	Persist *Snapshot
	// WakeAt, if not zero, replaces any earlier timer: call Tick then.
	WakeAt Instant
	// AskWitnesses, if not nil, starts a witness round: send the question to
	// every member, feed Witness with each answer and EndRound when all have
	// answered or the time is up.
	AskWitnesses *WitnessQuestion
}

// An Announcement says what a breaker now is and how it came there.
type Announcement struct {
	Snapshot    Snapshot
	Transitions []Transition
	// Derived says that time alone did it: each node derives that for itself,
	// so only observers need it.
	Derived bool
}

// A Transition is one recorded change of state.
type Transition struct {
	At       Instant
	Stamp    Stamp // zero where a deadline ran out: that needs no message
	Of       Stamp // then, of the cooldown or circuit that ran out or was forgotten
	From, To State
	Reason   Reason // why it is open, or what closed it ("" for a recovery)
	Role     string
	Author   string
	Detail   string
	Failures int      // counted failures that completed the rule
	Nodes    []string // the witnesses
	Evidence Evidence // of the outcome that completed it
	// Counted are the latest failures that completed the rule, at most
	// MaxCounted, the oldest first; of a rate only the newest of each node.
	// People read them: neither views nor stores have them.
	Counted []Counted
}

// Counted is Count failures that Node reported for one instant.
type Counted struct {
	Node  string
	At    Instant
	Count int
}

// MaxCounted bounds the failures kept with a transition.
const MaxCounted = 16

// A WitnessQuestion asks every member what it saw on the key between the
// run's first failure and the one that completed it. Ages on the wire count
// from when the question was sent.
type WitnessQuestion struct {
	Round Stamp
	// Heal is true for a healing round: the carrier may ask about many keys
	// with one question.
	Heal bool
	From Instant // exclusive
	To   Instant // exclusive
	// Window is how far back totals are wanted, zero for none (rate rule).
	Window Instant
}

// A WitnessAnswer is one member's answer.
type WitnessAnswer struct {
	Round Stamp
	Node  string
	// Success is when the latest successful call began that began inside the
	// span and is not counted in a report yet; zero for none.
	Success Instant
	// Successes counts the unreported successes since the question's Window.
	Successes int
}

// A Question asks the owner for a permit.
type Question struct {
	ID   uint64 // a repeat of the question gets the same answer
	Node string
	Role string
}

// An Answer to a Question.
type Answer struct {
	State  State
	Permit PermitID // zero: refused, or not needed because State is Closed
	// Expires is when an unreported permit returns to the budget.
	Expires Instant
	Delay   time.Duration // wait this long before the probe
	// RetryIn is how long a refusal may be repeated locally.
	RetryIn time.Duration
	Reason  Reason
}

// effects collects what the step has to say.
func (m *Machine) effects(mo Moment) Effects {
	var e Effects
	if m.dirty || m.forgot || len(m.pending) > 0 {
		s := m.snap.Clone()
		if m.dirty || len(m.pending) > 0 {
			e.Announce = &Announcement{Snapshot: s, Transitions: m.pending, Derived: !m.dirty}
		}
		if m.dirty || m.forgot {
			e.Persist = &s
		}
	}
	if m.round != nil && !m.round.asked {
		m.round.asked = true
		r := m.round
		e.AskWitnesses = &WitnessQuestion{Round: r.id, Heal: r.heal, From: r.from, To: r.to, Window: r.window}
	}
	e.WakeAt = m.wakeAt(mo.Now)
	m.pending, m.dirty, m.forgot = nil, false, false
	return e
}

// wakeAt is when time alone will change something, zero for never.
func (m *Machine) wakeAt(now Instant) Instant {
	at := m.snap.Deadline(now)
	sooner := func(t Instant) {
		if t > now && (at == 0 || t < at) {
			at = t
		}
	}
	sooner(m.noRoundTill)
	sooner(m.healing.again)
	if m.state == HalfOpen && m.asked > m.snap.Renewed {
		sooner(m.renewAt(now))
	}
	return at
}
