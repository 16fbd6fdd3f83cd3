package breaker

import (
	"slices"
	"time"
)

// pauseAfterRefusal is how long no witness round follows a refused one.
const pauseAfterRefusal = time.Second

// round is a witness round in progress: one at a time for each key.
type round struct {
	id       Stamp
	trip     trip
	from, to Instant
	window   Instant // zero: no totals wanted
	asked    bool
	heal     bool
	veto     Instant // latest success that counts against the run
	unseen   int     // successes no report has brought yet
	answered []string
	joined   bool // members joined who were not asked
}

// tripOrAsk trips, or where there are other members asks them first: one sick
// machine must never open a breaker for the fleet.
func (m *Machine) tripOrAsk(mo Moment, t trip, from, to Instant) {
	if mo.Members <= 1 {
		m.trip(mo, t)
		return
	}
	if m.round != nil || mo.Now < m.noRoundTill {
		return
	}
	m.round = &round{id: mo.Stamp, trip: t, from: from, to: to}
	if t.reason == ReasonFailureRate {
		m.round.window = from
	}
}

// Witness takes one member's answer. A success that began inside the span
// refuses a run at once; totals are summed until the round ends. Answers to
// other rounds, and second ones, are dropped.
func (m *Machine) Witness(mo Moment, a WitnessAnswer) Effects {
	m.settle(mo)
	r := m.round
	if r == nil || r.id != a.Round || slices.Contains(r.answered, a.Node) {
		return m.effects(mo)
	}
	r.answered = append(r.answered, a.Node)
	inside := a.Success > r.from && a.Success < r.to
	switch {
	case r.heal:
		if a.Success > max(r.from, m.disproved(mo.Now)) { // newer than the first trip: a successful probe
			m.healed(mo, a.Node)
		}
	case r.window != 0:
		r.unseen += min(max(a.Successes, 0), maxCount)
	case inside:
		r.veto = a.Success
		m.refuse(mo)
	}
	return m.effects(mo)
}

// refuse ends a round without a trip and drops the failures older than the
// success that refused it.
func (m *Machine) refuse(mo Moment) {
	if run := m.run(m.round.trip.role); run != nil && m.round.veto != 0 {
		run.since(m.round.veto)
	}
	m.round = nil
	m.noRoundTill = mo.Now.Add(pauseAfterRefusal)
}

// EndRound ends a round: all have answered, or the time is up. Silence is no
// witness and no veto. Reports were merged meanwhile, so the rule is read
// again.
func (m *Machine) EndRound(mo Moment, id Stamp) Effects {
	m.settle(mo)
	r := m.round
	if r == nil || r.id != id {
		return m.effects(mo)
	}
	if r.heal {
		m.round = nil
		m.healLater(mo)
		return m.effects(mo)
	}
	if !m.stillTrips(mo, r) {
		m.refuse(mo)
		return m.effects(mo)
	}
	m.round = nil
	m.trip(mo, r.trip)
	if r.joined {
		m.heal(mo)
	}
	return m.effects(mo)
}

// stillTrips reads the rule of a round again, with the totals it gathered.
func (m *Machine) stillTrips(mo Moment, r *round) bool {
	if m.policy.Mode == ModeOff {
		return false
	}
	if r.trip.reason == ReasonFailureRate {
		if m.rate == nil || !m.policy.FailureRate.Enabled {
			return false
		}
		calls, failures := m.rate.totals(mo.Now, m.rateWidth())
		return rateTrips(m.policy.FailureRate, calls+r.unseen, failures)
	}
	run := m.run(r.trip.role)
	return run != nil && run.total >= m.policy.ForRole(r.trip.role).FailMax && run.witnesses() >= m.need(mo)
}
