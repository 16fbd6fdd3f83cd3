package breaker

import (
	"time"
	"unicode/utf8"
)

// Cool adds a cooldown: a Retry-After that the calling node saw, or heard of.
// While a Retry-After runs, a shorter one changes nothing; an operator's open
// does not make one redundant, because a close may end it first.
func (m *Machine) Cool(mo Moment, c Cooldown) Effects {
	m.settle(mo)
	for _, k := range m.snap.Cooldowns {
		if c.Reason == ReasonRetryAfter && k.Reason == ReasonRetryAfter && k.Until >= c.Until && k.Stamp != c.Stamp {
			return m.effects(mo)
		}
	}
	m.join(mo, Snapshot{Cooldowns: []Cooldown{c}}, Transition{
		Reason: c.Reason, Author: c.Author, Detail: c.Detail,
	})
	return m.effects(mo)
}

// OpenUntil is an operator's open, at most MaxOpen long.
func (m *Machine) OpenUntil(mo Moment, setter string, d time.Duration, author, detail string) Effects {
	d = min(d, MaxOpen)
	return m.Cool(mo, Cooldown{
		Setter: setter, Stamp: mo.Stamp, Until: mo.Now.Add(d), Length: d,
		Reason: ReasonCLIOpen, Author: Cut(author), Detail: Cut(detail),
	})
}

// Close is an operator's close: it clears cooldowns, closes the circuit and
// forgets runs and windows. It is announced even if nothing was open, because
// it also empties the rings of all nodes.
func (m *Machine) Close(mo Moment, author, detail string) Effects {
	m.settle(mo)
	m.forgetCounts()
	m.snap = Snapshot{Clear: mo.Stamp, ClearKept: mo.Now.Add(KeepClear)}
	m.dirty = true
	m.become(mo, mo.Now, Transition{Author: Cut(author), Detail: Cut("closed by hand: " + detail)})
	return m.effects(mo)
}

// Adopt takes what a store, the own view or another owner says of the key.
// Cooldowns and clears merge. Of another's circuit: an older one is ignored, a
// stricter one adopted; else this machine's own is announced again with a newer
// stamp.
func (m *Machine) Adopt(mo Moment, s Snapshot) Effects {
	m.settle(mo)
	theirs := s.Circuit
	own := m.snap.Circuit
	if theirs.Stamp > max(own.Stamp, m.snap.Clear) && theirs.State < own.State && own.Stamp > s.Clear {
		s.Circuit = Circuit{}
		m.snap.Circuit.Stamp = mo.Stamp
		m.dirty = true
	}
	counted := own.State == Closed && s.Circuit.State != Closed
	m.join(mo, s, Transition{Detail: "adopted"})
	if counted && mo.Members > 1 && m.snap.Circuit.State != Closed && m.round == nil {
		// Its present members were not asked about this circuit: healing must
		// not open the fleet.
		m.round = &round{id: mo.Stamp, heal: true, from: m.snap.Circuit.FirstTrip, to: mo.Now}
	}
	return m.effects(mo)
}

// join merges s and records the transition if the state changed.
func (m *Machine) join(mo Moment, s Snapshot, t Transition) {
	if !m.snap.Merge(s) {
		return
	}
	m.dirty = true
	st := m.snap.At(mo.Now)
	if st.State == m.state {
		if t.Reason != "" && st.State == Open { // an extension: worth a line, not a change of state
			t.From, t.To, t.At, t.Stamp = m.state, m.state, mo.Now, mo.Stamp
			m.pending = append(m.pending, t)
		}
		return
	}
	if t.Reason == "" {
		t.Reason, t.Author = st.Reason, st.Author
	}
	m.become(mo, mo.Now, t)
}

// Cut shortens text to MaxDetailBytes, at a rune.
func Cut(s string) string {
	if len(s) <= MaxDetailBytes {
		return s
	}
	s = s[:MaxDetailBytes]
	for s != "" && !utf8.RuneStart(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s[:max(len(s)-1, 0)]
}
