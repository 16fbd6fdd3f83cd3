package breaker

import "time"

// A Machine is one breaker: it counts outcomes, trips, issues permits and
// recovers. It is deterministic and not safe for concurrent use; its methods
// read no clock and do no I/O but return Effects.
type Machine struct {
	policy *Policy
	snap   Snapshot
	// state is the state last settled on; changed is when it came about.
	// Outcomes of calls that began before it change nothing.
	state   State
	changed Instant
	decided Instant // when it opened or recovered last

	runs  []roleRun
	burst tally
	rate  *rate // nil until the rate rule counts something

	probing     probing
	round       *round
	unasked     bool // the circuit was counted elsewhere: its witnesses are not the present members
	healing     healing
	adopted     bool // the circuit is another's word, which a later one replaces
	noRoundTill Instant
	asked       Instant // last question for a permit while half-open

	lastTransition *Transition
	lastOpen       *Transition  // the latest that opened it
	lastFailure    FailureSeen  // At is zero if there was none
	pending        []Transition // transitions of the step in progress
	dirty          bool         // the snapshot changed in the step in progress
	forgot         bool         // something was forgotten in it, as on every node
}

// maxCount bounds the Count of an outcome, so that sums do not overflow.
const maxCount = 1_000_000

// roleRun is the run of consecutive failures of one role.
type roleRun struct {
	role string
	run  tally
}

// FailureSeen is the latest failure, kept for people.
type FailureSeen struct {
	At   Instant
	Node string
	Role string
	Evidence
}

// New returns a closed machine.
func New(p *Policy) *Machine { return &Machine{policy: p} }

// Report counts an outcome.
func (m *Machine) Report(mo Moment, o Outcome) Effects {
	m.settle(mo)
	m.report(mo, o)
	return m.effects(mo)
}

func (m *Machine) report(mo Moment, o Outcome) {
	o.Count = min(max(o.Count, 1), maxCount)
	o.Ended = min(o.Ended, mo.Now)
	o.Began = min(o.Began, o.Ended)
	if o.Kind == Failure {
		m.lastFailure = FailureSeen{o.Ended, o.Node, o.Role, o.Evidence}
	}
	if o.Permit != 0 {
		m.probeEnded(mo, o)
		return
	}
	if o.Began < m.changed || m.policy.Mode == ModeOff {
		return
	}
	switch {
	case m.state == HalfOpen && m.policy.Mode == ModeShadow: // nobody asks for permits, so every call is a probe
		if o.Kind != Neutral || o.Strict {
			m.probed(mo, o)
		}
	case m.state == Closed && o.Kind != Neutral:
		m.count(mo, o)
	}
}

// trip is a rule that fired.
type trip struct {
	reason   Reason
	role     string
	byRole   bool
	failures int
	nodes    []string
	counted  []Counted
	evidence Evidence
}

// trip opens the circuit.
func (m *Machine) trip(mo Moment, t trip) {
	c := &m.snap.Circuit
	first, opens := c.FirstTrip, c.Opens+1
	if c.State == Closed {
		first, opens = mo.Now, 1
		m.unasked = false
	}
	m.adopted = false
	*c = Circuit{
		State: Open, Stamp: mo.Stamp, Until: mo.Now.Add(m.policy.openFor(m.length(t), opens)),
		FirstTrip: first, Opens: opens, Reason: t.reason, Role: t.role, ByRole: t.byRole, Keep: c.Keep,
	}
	m.dirty = true
	m.become(mo, mo.Now, Transition{
		Reason: t.reason, Role: t.role, Failures: t.failures, Nodes: t.nodes, Evidence: t.evidence, Counted: t.counted,
	})
	if m.unasked {
		m.heal(mo)
	}
}

// become is the only place where the state changes. It takes the state from
// the snapshot, so that no rule can disagree with what is announced.
func (m *Machine) become(mo Moment, at Instant, t Transition) {
	t.From, t.To, t.At, t.Stamp = m.state, m.snap.At(mo.Now).State, at, mo.Stamp
	m.state, m.changed = t.To, at
	m.asked = 0
	if t.To != HalfOpen {
		m.decided = at
	}
	if c := &m.snap.Circuit; c.State == Closed || c.Stamp != m.healing.of {
		m.healing = healing{}
	}
	if m.round != nil && (!m.round.heal || m.healing.of == 0) {
		m.round = nil
	}
	m.probing = probing{since: at}
	if t.To == Closed || t.To == Open {
		m.forgetCounts()
	}
	if m.lastTransition = &t; t.To == Open {
		m.lastOpen = &t
	}
	m.pending = append(m.pending, t)
}

// forgetCounts empties runs and windows.
func (m *Machine) forgetCounts() {
	m.runs, m.burst, m.rate = nil, tally{}, nil
}

// settle applies what time alone has changed since the last step: a deadline
// that ran out is a transition at the deadline, and so is forgetting. Every
// node derives both for itself: no stamp, no message.
func (m *Machine) settle(mo Moment) {
	if m.snap.Empty() && m.state == Closed {
		return
	}
	silent := mo
	silent.Stamp = 0
	if st := m.snap.At(mo.Now); st.State < m.state {
		m.become(silent, m.ranOut(st, mo.Now), Transition{Of: m.snap.lastWord(), Reason: st.Reason, Detail: st.Detail})
	}
	word := m.snap.lastWord()
	if !m.snap.Forget(mo.Now) {
		return
	}
	m.forgot = true
	if m.snap.At(mo.Now).State != m.state {
		m.become(silent, mo.Now, Transition{Of: word, Detail: "nobody asked for 10 minutes"})
	}
}

// ranOut is when the last deadline before a status was.
func (m *Machine) ranOut(st Status, now Instant) Instant {
	if st.State == HalfOpen {
		return st.Until
	}
	return min(m.snap.LastDeadline(), now)
}

// Tick does what is due; call it at Effects.WakeAt.
func (m *Machine) Tick(mo Moment) Effects {
	m.settle(mo)
	m.renew(mo)
	if m.noRoundTill != 0 && m.noRoundTill <= mo.Now {
		m.noRoundTill = 0
		m.recheck(mo)
	}
	if m.healing.again != 0 && m.healing.again <= mo.Now {
		m.askHeal(mo)
	}
	return m.effects(mo)
}

// renewEvery is how often an entry past its deadline that is still asked for
// is announced anew, so that no node forgets it.
const renewEvery = time.Minute

func (m *Machine) renew(mo Moment) {
	if m.state != HalfOpen || mo.Now < m.renewAt(mo.Now) || m.asked <= m.snap.Renewed {
		return
	}
	m.snap.Renewed = mo.Now
	m.dirty = true
}

// renewAt counts from the deadline that ran out.
func (m *Machine) renewAt(now Instant) Instant {
	return max(m.snap.At(now).Until, m.snap.Renewed).Add(renewEvery)
}

// Replace swaps the policy. Run, windows, deadlines and permits stay; a window
// that is switched off is forgotten.
func (m *Machine) Replace(mo Moment, p *Policy) Effects {
	m.settle(mo)
	m.forgetOld(mo)
	if m.rate != nil && m.policy.FailureRate.Window != p.FailureRate.Window {
		m.rate = m.rate.resized(mo.Now, m.rateWidth(), p.FailureRate.sliceWidth())
	}
	m.policy = p
	if !p.Rolling.Enabled {
		m.burst = tally{}
	}
	if !p.FailureRate.Enabled {
		m.rate = nil
	}
	return m.effects(mo)
}

// forgetOld drops what is older than the policy remembers, so that a policy
// with a longer memory does not bring it back.
func (m *Machine) forgetOld(mo Moment) {
	for i := range m.runs {
		if r := &m.runs[i]; mo.Now.Sub(r.run.last()) > m.policy.MemoryOf(r.role) {
			r.run = tally{}
		}
	}
	m.burst.within(mo.Now.Add(-m.policy.Rolling.Window))
}

// Decided is when it opened or recovered last, not when that ran out; zero for a
// machine that was always closed.
func (m *Machine) Decided() Instant { return m.decided }

// Snapshot is what of the machine outlives it.
func (m *Machine) Snapshot() Snapshot { return m.snap.Clone() }

// Idle reports whether the machine remembers nothing that a fresh one, handed
// its Snapshot, would not: it may be passivated.
func (m *Machine) Idle(mo Moment) bool {
	if m.state != Closed || m.round != nil || mo.Now < m.noRoundTill {
		return false
	}
	for i := range m.runs {
		if mo.Now.Sub(m.runs[i].run.last()) <= m.policy.MemoryOf(m.runs[i].role) {
			return false
		}
	}
	if m.policy.Rolling.Enabled && m.burst.last() > mo.Now.Add(-m.policy.Rolling.Window) {
		return false
	}
	if m.rate != nil {
		calls, _ := m.rate.totals(mo.Now, m.rateWidth())
		return calls == 0
	}
	return true
}
