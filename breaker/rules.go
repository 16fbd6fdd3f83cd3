package breaker

import "time"

// count feeds the rules of a closed breaker.
func (m *Machine) count(mo Moment, o Outcome) {
	role := m.policy.BudgetRole(o.Role)
	m.countRate(mo, o)
	if o.Kind == Success {
		if r := m.run(role); r != nil {
			r.since(o.Began)
		}
		m.checkRate(mo, o)
		return
	}
	if mo.Now.Sub(o.Ended) > m.policy.MemoryOf(role) {
		return // it was forgotten before it was heard of
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
		m.burst.add(o.Ended, o.Node, o.Count, m.policy.Rolling.ThresholdFailures)
		m.burst.within(mo.Now.Add(-m.policy.Rolling.Window))
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

// recheck reads the rules again when the pause after a refused round is over.
func (m *Machine) recheck(mo Moment) {
	if m.state != Closed || m.lastFailure.At == 0 {
		return
	}
	m.forgetOld(mo)
	for _, r := range m.runs { // a trip empties m.runs
		m.checkRun(mo, r.role, m.lastFailure.Evidence)
	}
	m.checkRate(mo, Outcome{Role: m.lastFailure.Role, Evidence: m.lastFailure.Evidence})
}

// need is the number of distinct nodes a counted trip or re-open needs.
func (m *Machine) need(mo Moment) int { return min(m.policy.Witnesses, max(mo.Members, 1)) }

func (m *Machine) checkRun(mo Moment, role string, e Evidence) {
	r := m.run(role)
	if m.state != Closed || r == nil || r.total < m.policy.ForRole(role).FailMax || r.witnesses() < m.need(mo) {
		return
	}
	m.tripOrAsk(mo, trip{
		reason: ReasonConsecutive, role: role, byRole: true,
		failures: r.total, nodes: r.nodes(), counted: counted(r.list), evidence: e,
	}, r.first(), r.last())
}

// length is how long a trip opens the circuit for the first time. It is read when
// the circuit opens: the policy may have been replaced since the witnesses of a
// trip were asked.
func (m *Machine) length(t trip) time.Duration {
	if t.reason == ReasonRolling {
		return m.policy.Rolling.Cooldown
	}
	return m.resetTimeout(t.role, t.byRole)
}

// resetTimeout is the one of a circuit that was, or is, tripped by the run of a
// role, or by all calls.
func (m *Machine) resetTimeout(role string, byRole bool) time.Duration {
	if byRole {
		return m.policy.ForRole(role).ResetTimeout
	}
	return m.policy.ResetTimeout
}

// checkBurst needs its witnesses but no round: a success does not empty the
// burst window, so no answer could refuse the trip.
func (m *Machine) checkBurst(mo Moment, o Outcome) {
	p := m.policy.Rolling
	if m.state != Closed || !p.Enabled || m.burst.total < p.ThresholdFailures || m.burst.witnesses() < m.need(mo) {
		return
	}
	m.trip(mo, trip{
		reason: ReasonRolling, role: o.Role,
		failures: m.burst.total, nodes: m.burst.nodes(), counted: counted(m.burst.list), evidence: o.Evidence,
	})
}

// rateWidth is the width of a slice of the rate window.
func (m *Machine) rateWidth() Instant { return m.policy.FailureRate.sliceWidth() }

func (f FailureRate) sliceWidth() Instant { return max(1, Instant(f.Window)/rateSlices) }

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
			reason: ReasonFailureRate, role: o.Role,
			failures: failures, nodes: nodes, counted: counted(m.rate.after(window)), evidence: o.Evidence,
		}, window, mo.Now)
	}
}

func rateTrips(p FailureRate, calls, failures int) bool {
	// A quotient: 7 of 100 is exactly the number written 0.07, 0.07*100 is not 7.
	return calls >= p.MinCalls && float64(failures)/float64(calls) >= p.Ratio
}

// Gap says that reports of a node were lost: what it had reported before no
// longer makes a run.
func (m *Machine) Gap(node string) {
	for i := range m.runs {
		m.runs[i].run.keep(func(f failure) bool { return f.node != node })
	}
}
