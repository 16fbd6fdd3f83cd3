package breaker

import (
	"slices"
	"time"
	"unicode/utf8"
)

// Cool adds a cooldown that the calling node set: a Retry-After it saw. While a
// Retry-After runs, a shorter one changes nothing; an operator's open does not
// make one redundant, because a close may end it first. A deadline that is not
// in the future is no cooldown.
func (m *Machine) Cool(mo Moment, c Cooldown) Effects {
	m.settle(mo)
	if c.Until <= mo.Now {
		return m.effects(mo)
	}
	if m.snap.Covers(c) {
		return m.effects(mo)
	}
	c.Author, c.Detail = Cut(c.Author), Cut(c.Detail)
	m.join(mo, Snapshot{Cooldowns: []Cooldown{c}}, Transition{
		Reason: c.Reason, Author: c.Author, Detail: c.Detail,
	})
	return m.effects(mo)
}

// Covers reports whether a Retry-After that runs at least as long makes c
// redundant. One from disk does not: a living copy may replace it by a shorter
// one.
func (s *Snapshot) Covers(c Cooldown) bool {
	return c.Reason == ReasonRetryAfter && slices.ContainsFunc(s.Cooldowns, func(k Cooldown) bool {
		return !k.Disk && k.Reason == ReasonRetryAfter && k.Until >= c.Until && !k.same(c)
	})
}

// OpenUntil is an operator's open, at most MaxOpen long.
func (m *Machine) OpenUntil(mo Moment, setter string, d time.Duration, author, detail string) Effects {
	d = min(d, MaxOpen)
	return m.Cool(mo, Cooldown{
		Setter: setter, Stamp: mo.Stamp, Until: mo.Now.Add(d), Length: d,
		Reason: ReasonCLIOpen, Author: author, Detail: detail,
	})
}

// Close is an operator's close: it clears cooldowns, closes the circuit and
// forgets runs and windows. It is announced even if nothing was open, because
// it also empties the rings of all nodes.
func (m *Machine) Close(mo Moment, author, detail string) Effects {
	m.settle(mo)
	m.forgetCounts()
	m.snap = Snapshot{Clear: mo.Stamp, ClearKept: mo.Now.Add(KeepClear), Overlays: m.snap.Overlays}
	m.dirty = true
	text := "closed by hand"
	if detail != "" {
		text += ": " + detail
	}
	m.become(mo, mo.Now, Transition{Author: Cut(author), Detail: Cut(text)})
	return m.effects(mo)
}

// Adopt takes what a store, the own view or another owner says of the key.
// Cooldowns and clears merge. Of another's circuit: an older one is ignored;
// one as strict as this machine's or stricter is adopted, and the present
// members are asked about it; else this machine's own is announced again with
// a newer stamp.
func (m *Machine) Adopt(mo Moment, s Snapshot) Effects {
	m.settle(mo)
	s = s.Clone()
	s.Forget(mo.Now) // what ran out more than 10 minutes ago is gone
	own := m.snap.Circuit
	if own.Stamp > s.Clear && s.Circuit.Stamp > max(own.Stamp, m.snap.Clear) && own.stricter(s.Circuit, mo.Now) && !m.adopted {
		s.Circuit = Circuit{}
		own.Stamp = mo.Stamp
		m.snap.Circuit = own
		m.dirty = true
	}
	m.join(mo, s, Transition{Detail: "adopted"})
	if c := &m.snap.Circuit; c.State != Closed && c.Stamp != own.Stamp {
		m.adopted = true
		m.heal(mo)
	}
	return m.effects(mo)
}

// stricter reports whether c rejects more than d: it is open, or open for
// longer.
func (c Circuit) stricter(d Circuit, now Instant) bool {
	left := func(c Circuit) Instant {
		if c.State == Closed {
			return -1
		}
		return max(c.Until-now, 0)
	}
	return left(c) > left(d)
}

// join merges s and records the transition if the state changed or an
// operator's close arrived.
func (m *Machine) join(mo Moment, s Snapshot, t Transition) {
	before := m.snap
	if !m.snap.Merge(s) {
		return
	}
	m.dirty = true
	st := m.snap.At(mo.Now)
	if m.snap.Clear > before.Clear {
		at := min(mo.Now, m.snap.ClearKept.Add(-KeepClear))
		m.become(mo, max(at, m.changed), t)
		return
	}
	if st.State == m.state {
		if t.Reason != "" && st.State == Open { // an extension: worth a line, not a change of state
			t.From, t.To, t.At, t.Stamp = m.state, m.state, mo.Now, mo.Stamp
			m.pending = append(m.pending, t)
		}
		if st.State == Closed { // calls that began before another owner's close are old here too
			m.changed = max(m.changed, min(mo.Now, m.snap.Circuit.recovered()))
		}
		return
	}
	if t.Reason == "" {
		t.Reason, t.Author = st.Reason, st.Author
		if st.Detail != "" {
			t.Detail = st.Detail // what the host or the operator said tells more
		}
	}
	m.become(mo, mo.Now, t)
}

// Cut shortens text to MaxDetailBytes, at a rune.
func Cut(s string) string {
	if len(s) <= MaxDetailBytes {
		return s
	}
	n := MaxDetailBytes
	for n > MaxDetailBytes-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
