package breaker

import (
	"slices"
	"time"
)

// A circuit that the present members were not asked about is asked about in
// healRounds rounds, healAgainAfter apart, until one brings the success that
// closes it. One round is not enough: an answer may be lost while a split
// heals, and a call that was under way may end after its gate answered. Who is
// asked last is asked two seconds after the first, which is how long healing
// may reject. It does not depend on who answered, because a known member that
// is lost never does; and it ends, because after that nobody has called for
// long enough that nobody has anything to add.
const (
	healRounds     = 3
	healAgainAfter = time.Second
)

// healing is the rounds about one open of a circuit that others counted. It ends with
// that open, whatever else becomes of the breaker meanwhile.
type healing struct {
	of     Stamp // the circuit's; zero for none
	rounds int
	again  Instant // when the next one is due, zero for never
}

// Joined says that members joined: if the breaker holds a counted circuit they
// were not asked about it, nor are they in a round that is under way.
func (m *Machine) Joined(mo Moment) Effects {
	m.settle(mo)
	if m.round != nil {
		m.round.joined = true
	}
	m.heal(mo)
	return m.effects(mo)
}

// heal asks the present members about a circuit that others counted: healing
// must not open the fleet. It asks again after every re-open.
func (m *Machine) heal(mo Moment) {
	c := &m.snap.Circuit
	if m.unasked = c.State != Closed; !m.unasked {
		return
	}
	if c.FirstTrip == 0 || c.FirstTrip > mo.Now { // not known: it was before now
		c.FirstTrip = mo.Now
	}
	m.healing = healing{of: c.Stamp}
	m.askHeal(mo)
}

// askHeal starts a healing round where there are other members.
func (m *Machine) askHeal(mo Moment) {
	m.healing.again = 0
	if mo.Members <= 1 {
		return
	}
	m.healing.rounds++
	m.round = &round{id: mo.Stamp, heal: true, from: m.snap.Circuit.FirstTrip, to: mo.Now}
}

// healLater makes another round follow the one that ended, also when the circuit
// is half-open by now: a probe may take long.
func (m *Machine) healLater(mo Moment) {
	if m.snap.Circuit.State != Closed && m.healing.rounds < healRounds {
		m.healing.again = mo.Now.Add(healAgainAfter)
	}
}

// healed counts a member's success as that of a probe, once. Where there are
// fewer members than success_threshold wants, all but one suffice: one sick
// machine must not keep it open, as it must not open it. A cooldown that runs
// rejects to its end; then the circuit no longer does, and a probe follows.
func (m *Machine) healed(mo Moment, node string) {
	if slices.Contains(m.probing.healed, node) {
		return
	}
	m.probing.healed = append(m.probing.healed, node)
	c := &m.snap.Circuit
	m.countProbe(c.Role)
	allButOne := len(m.probing.healed) >= mo.Members-1
	switch {
	case !allButOne && !m.recovered(mo):
	case m.cooling(mo.Now):
		c.Until, c.Stamp, c.Disk = min(c.Until, mo.Now), mo.Stamp, false
		m.round, m.dirty = nil, true
	default:
		m.close(mo)
	}
}

// disproved is up to when, while half-open, a member's success says nothing any more:
// a probe failed later, or the host asked for a pause that lasted longer.
func (m *Machine) disproved(now Instant) (until Instant) {
	if m.state != HalfOpen {
		return 0
	}
	for _, f := range m.probing.failed {
		until = max(until, f.at)
	}
	for _, c := range m.snap.Cooldowns {
		if c.Until <= now {
			until = max(until, c.Until)
		}
	}
	return until
}

// cooling reports whether a cooldown runs.
func (m *Machine) cooling(now Instant) bool {
	return slices.ContainsFunc(m.snap.Cooldowns, func(c Cooldown) bool { return c.Until > now })
}
