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

	runs  []roleRun
	burst tally
	rate  *rate // nil until the rate rule counts something

	probing     probing
	round       *round
	noRoundTill Instant
	asked       Instant // last question for a permit

	lastTransition *Transition
	lastFailure    *FailureSeen
	pending        []Transition // transitions of the step in progress
	dirty          bool         // the snapshot changed in the step in progress
}

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
	o.Count = max(o.Count, 1)
	if o.Kind == Failure {
		m.lastFailure = &FailureSeen{o.Ended, o.Node, o.Role, o.Evidence}
	}
	if o.Permit != 0 {
		m.probeEnded(mo, o)
		return
	}
	if o.Began < m.changed || m.policy.Mode == ModeOff || o.Kind == Neutral {
		return
	}
	switch m.state {
	case HalfOpen:
		if m.policy.Mode == ModeShadow { // nobody asks for permits, so every call is a probe
			m.probed(mo, o)
		}
	case Closed:
		m.count(mo, o)
	}
}

// count feeds the rules of a closed breaker.
func (m *Machine) count(mo Moment, o Outcome) {
	role := m.policy.BudgetRole(o.Role)
	m.countRate(mo, o)
	if o.Kind == Success {
		if r := m.run(role); r != nil {
			r.keep(func(f failure) bool { return f.at >= o.Began })
		}
		m.checkRate(mo, o)
		return
	}
	if r := m.run(role); r != nil && mo.Now.Sub(r.last()) > m.policy.MemoryOf(role) {
		r.keep(func(failure) bool { return false })
	}
	r := m.run(role)
	if r == nil {
		m.runs = append(m.runs, roleRun{role: role})
		r = &m.runs[len(m.runs)-1].run
	}
	r.add(o.Ended, o.Node, o.Count, m.policy.ForRole(role).FailMax)
	if m.policy.Rolling.Enabled {
		m.burst.since(mo.Now.Add(-m.policy.Rolling.Window))
		m.burst.add(o.Ended, o.Node, o.Count, m.policy.Rolling.ThresholdFailures)
	}
	m.checkRun(mo, role, o.Evidence)
	m.checkBurst(mo, o)
	m.checkRate(mo, o)
}

// run returns a role's run, nil if it has none.
func (m *Machine) run(role string) *tally {
	for i := range m.runs {
		if m.runs[i].role == role {
			return &m.runs[i].run
		}
	}
	return nil
}

// need is the number of distinct nodes a counted trip or re-open needs.
func (m *Machine) need(mo Moment) int { return min(m.policy.Witnesses, max(mo.Members, 1)) }

func (m *Machine) checkRun(mo Moment, role string, e Evidence) {
	r := m.run(role)
	if m.state != Closed || r == nil || r.total < m.policy.ForRole(role).FailMax {
		return
	}
	if nodes := r.nodes(); len(nodes) >= m.need(mo) {
		m.tripOrAsk(mo, trip{
			reason: ReasonConsecutive, role: role, byRole: true,
			length:   m.policy.ForRole(role).ResetTimeout,
			failures: r.total, nodes: nodes, evidence: e,
		}, r.first(), r.last())
	}
}

// checkBurst needs its witnesses but no round: a success does not empty the
// burst window, so no answer could refuse the trip.
func (m *Machine) checkBurst(mo Moment, o Outcome) {
	p := m.policy.Rolling
	if m.state != Closed || !p.Enabled || m.burst.total < p.ThresholdFailures {
		return
	}
	if nodes := m.burst.nodes(); len(nodes) >= m.need(mo) {
		m.trip(mo, trip{
			reason: ReasonRolling, role: o.Role, length: p.Cooldown,
			failures: m.burst.total, nodes: nodes, evidence: o.Evidence,
		})
	}
}

// rateWidth is the width of a slice of the rate window.
func (m *Machine) rateWidth() Instant {
	return max(1, Instant(m.policy.FailureRate.Window)/rateSlices)
}

func (m *Machine) countRate(mo Moment, o Outcome) {
	if !m.policy.FailureRate.Enabled || mo.Now.Sub(o.Ended) >= m.policy.FailureRate.Window {
		return
	}
	if m.rate == nil {
		m.rate = &rate{}
	}
	m.rate.add(o.Ended, m.rateWidth(), o.Node, o.Count, o.Kind == Failure || o.Slow)
}

func (m *Machine) checkRate(mo Moment, o Outcome) {
	p := m.policy.FailureRate
	if m.state != Closed || !p.Enabled || m.rate == nil {
		return
	}
	calls, failures := m.rate.totals(mo.Now, m.rateWidth())
	if !rateTrips(p, calls, failures) {
		return
	}
	window := mo.Now.Add(-p.Window)
	if nodes := m.rate.nodes(window); len(nodes) >= m.need(mo) {
		m.tripOrAsk(mo, trip{
			reason: ReasonFailureRate, role: o.Role, length: m.policy.ResetTimeout,
			failures: failures, nodes: nodes, evidence: o.Evidence,
		}, window, mo.Now)
	}
}

func rateTrips(p FailureRate, calls, failures int) bool {
	return calls >= p.MinCalls && float64(failures) >= p.Ratio*float64(calls)
}

// Gap says that reports of a node were lost: what it had reported before no
// longer makes a run.
func (m *Machine) Gap(node string) {
	for i := range m.runs {
		m.runs[i].run.keep(func(f failure) bool { return f.node != node })
	}
}

// trip is a rule that fired.
type trip struct {
	reason   Reason
	role     string
	byRole   bool
	length   time.Duration
	failures int
	nodes    []string
	evidence Evidence
}

// trip opens the circuit.
func (m *Machine) trip(mo Moment, t trip) {
	c := &m.snap.Circuit
	first, opens := c.FirstTrip, c.Opens+1
	if c.State == Closed {
		first, opens = mo.Now, 1
	}
	*c = Circuit{
		State: Open, Stamp: mo.Stamp, Until: mo.Now.Add(m.policy.openFor(t.length, opens)),
		FirstTrip: first, Opens: opens, Reason: t.reason, Role: t.role, ByRole: t.byRole,
	}
	m.dirty = true
	m.become(mo, mo.Now, Transition{
		Reason: t.reason, Role: t.role, Failures: t.failures, Nodes: t.nodes, Evidence: t.evidence,
	})
}

// become is the only place where the state changes. It takes the state from
// the snapshot, so that no rule can disagree with what is announced.
func (m *Machine) become(mo Moment, at Instant, t Transition) {
	t.From, t.To, t.At, t.Stamp = m.state, m.snap.At(mo.Now).State, at, mo.Stamp
	m.state, m.changed = t.To, at
	m.round = nil
	m.probing = probing{since: at}
	if t.To == Closed || t.To == Open {
		m.forgetCounts()
	}
	m.lastTransition = &t
	m.pending = append(m.pending, t)
}

// forgetCounts empties runs and windows.
func (m *Machine) forgetCounts() {
	m.runs, m.burst, m.rate = nil, tally{}, nil
}

// settle applies what time alone has changed since the last step: a deadline
// that ran out is a transition at the deadline, without a message.
func (m *Machine) settle(mo Moment) {
	st := m.snap.At(mo.Now)
	if st.State == HalfOpen && m.state == Open {
		silent := mo
		silent.Stamp = 0
		m.become(silent, st.Until, Transition{Reason: st.Reason, Detail: st.Detail})
	}
	if m.snap.Forget(mo.Now) {
		m.dirty = true
		if m.snap.At(mo.Now).State != m.state {
			m.become(mo, mo.Now, Transition{Detail: "nobody asked for 10 minutes"})
		}
	}
}

// Tick does what is due; call it at Effects.WakeAt.
func (m *Machine) Tick(mo Moment) Effects {
	m.settle(mo)
	m.renew(mo)
	return m.effects(mo)
}

// renewEvery is how often an entry past its deadline that is still asked for
// is announced anew, so that no node forgets it.
const renewEvery = time.Minute

func (m *Machine) renew(mo Moment) {
	if m.state != HalfOpen || mo.Now < m.renewAt() || m.asked <= m.snap.Renewed {
		return
	}
	m.snap.Renewed = mo.Now
	m.dirty = true
}

func (m *Machine) renewAt() Instant { return max(m.changed, m.snap.Renewed).Add(renewEvery) }

// Replace swaps the policy. Run, windows, deadlines and permits stay.
func (m *Machine) Replace(mo Moment, p *Policy) Effects {
	m.settle(mo)
	if m.rate != nil && m.policy.FailureRate.Window != p.FailureRate.Window {
		m.rate = nil // its slices have another width
	}
	m.policy = p
	return m.effects(mo)
}

// effects collects what the step has to say.
func (m *Machine) effects(mo Moment) Effects {
	var e Effects
	if m.dirty || len(m.pending) > 0 {
		s := m.snap.Clone()
		e.Announce = &Announcement{Snapshot: s, Transitions: m.pending}
		if m.dirty {
			e.Persist = &s
		}
	}
	if m.round != nil && !m.round.asked {
		m.round.asked = true
		e.AskWitnesses = &WitnessQuestion{Round: m.round.id, From: m.round.from, To: m.round.to, Window: m.round.window}
	}
	e.WakeAt = m.snap.Deadline(mo.Now)
	if m.state == HalfOpen && m.asked > m.snap.Renewed {
		if at := max(m.renewAt(), mo.Now+1); e.WakeAt == 0 || at < e.WakeAt {
			e.WakeAt = at
		}
	}
	m.pending, m.dirty = nil, false
	return e
}

// Snapshot is what of the machine outlives it.
func (m *Machine) Snapshot() Snapshot { return m.snap.Clone() }

// Idle reports whether the machine remembers nothing that a fresh one would
// not: it may be passivated.
func (m *Machine) Idle(mo Moment) bool {
	if m.state != Closed || m.round != nil || len(m.probing.permits) > 0 {
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
