package cooldownstore

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// maxCovered bounds the foreign deadlines that a clear carries; the latest
// stay.
const maxCovered = 64

// Merge joins t into w, words of one key of which w is what is there already,
// as breaker.Snapshot.Merge joins cooldowns and clears: later stamps win, what
// a clear reaches goes, what another cooldown dominates in stamp and deadline
// goes. Of two copies of one cooldown that of w stays: heard again it never
// moves, or a step of one machine's clock would move it for everybody. So the
// order of words counts, and what is put is joined into the place word by word:
// joined with each other first, a copy that will not stay could dominate what
// the one in the place does not. A foreign deadline is one identity whoever saw
// it when: of two stamps the earlier stays, and its wall time never moves. What
// a clear ends of foreign deadlines it covers.
func (w SharedWord) Merge(t SharedWord) SharedWord {
	a, b := w.onWall(), t.onWall()
	agree(a.Cooldowns, b.Cooldowns)
	covered := cover(slices.Concat(w.Covered, t.Covered), a.Cooldowns, b.Cooldowns, max(a.Clear, b.Clear))
	a.Cooldowns, b.Cooldowns = uncovered(a.Cooldowns, covered), uncovered(b.Cooldowns, covered)
	a.Merge(b)

	m := SharedWord{Record: Record{Key: cmp.Or(w.Key, t.Key), Snapshot: a}, Covered: covered}
	for i, c := range a.Cooldowns {
		m.Wall = append(m.Wall, fromWallInstant(c.Until))
		m.Snapshot.Cooldowns[i].Until = 0
	}
	m.ClearKept, m.Snapshot.ClearKept = fromWallInstant(a.ClearKept), 0
	m.UpdatedAt = earliest(w.madeOf(m), t.madeOf(m))
	return m
}

// onWall is the word as a snapshot whose instants are wall time.
func (w SharedWord) onWall() breaker.Snapshot {
	n := min(len(w.Snapshot.Cooldowns), len(w.Wall))
	s := breaker.Snapshot{
		Cooldowns: slices.Clone(w.Snapshot.Cooldowns[:n]),
		Clear:     w.Snapshot.Clear,
		ClearKept: wallInstant(w.ClearKept),
	}
	for i := range s.Cooldowns {
		s.Cooldowns[i].Until = wallInstant(w.Wall[i])
		s.Cooldowns[i].Disk = false
	}
	return s
}

// madeOf is when the word was made if any part of it is in m as the word has
// it, else zero. A copy whose deadline did not stay says nothing of how much
// was left of the one that did. The merge counts from the earliest, which can
// only loosen what a stepped clock is held to.
func (w SharedWord) madeOf(m SharedWord) time.Time {
	for i, c := range w.Snapshot.Cooldowns[:min(len(w.Snapshot.Cooldowns), len(w.Wall))] {
		for j, d := range m.Snapshot.Cooldowns {
			if same(c, d) && wallInstant(w.Wall[i]) == wallInstant(m.Wall[j]) {
				return w.UpdatedAt
			}
		}
	}
	if w.Snapshot.Clear != 0 && w.Snapshot.Clear == m.Snapshot.Clear {
		return w.UpdatedAt
	}
	return time.Time{}
}

// agree makes copies of one cooldown equal in stamp and deadline. a is what is
// there already, and its deadlines stay.
func agree(a, b []breaker.Cooldown) {
	for i := range a {
		for j := range b {
			c, d := &a[i], &b[j]
			foreign := c.Setter == ForeignSetter && d.Setter == ForeignSetter
			switch {
			case foreign && c.Until == d.Until:
				c.Stamp = min(c.Stamp, d.Stamp)
				d.Stamp = c.Stamp
			case same(*c, *d):
				d.Until = c.Until
			}
		}
	}
}

func same(c, d breaker.Cooldown) bool { return c.Setter == d.Setter && c.Stamp == d.Stamp }

// cover adds the foreign deadlines that a clear ends to those it covers, the
// latest first. Of what is told only one of those that say the same is added: who
// did not read a deadline itself takes it for another wall time each time.
func cover(covered []float64, there, told []breaker.Cooldown, clear breaker.Stamp) []float64 {
	for i, c := range slices.Concat(there, told) {
		if c.Setter != ForeignSetter || c.Stamp > clear {
			continue
		}
		said := func(until float64) bool {
			return c.Says(breaker.Cooldown{Reason: breaker.ReasonStore, Until: wallInstant(FromEpochSeconds(until))})
		}
		if i < len(there) || !slices.ContainsFunc(covered, said) {
			covered = append(covered, EpochSeconds(fromWallInstant(c.Until)))
		}
	}
	slices.SortFunc(covered, func(a, b float64) int { return cmp.Compare(b, a) })
	covered = slices.Compact(covered)
	return covered[:min(len(covered), maxCovered)]
}

func uncovered(cooldowns []breaker.Cooldown, covered []float64) []breaker.Cooldown {
	return slices.DeleteFunc(cooldowns, func(c breaker.Cooldown) bool {
		return c.Setter == ForeignSetter && slices.Contains(covered, EpochSeconds(fromWallInstant(c.Until)))
	})
}

// earliest of two times of which zero is none.
func earliest(t, u time.Time) time.Time {
	if t.IsZero() || !u.IsZero() && u.Before(t) {
		return u
	}
	return t
}

// A wall time on the scale of instants; it saturates some centuries away.
func wallInstant(t time.Time) breaker.Instant {
	if t.IsZero() {
		return 0
	}
	return breaker.Instant(cmp.Or(t.Sub(time.Unix(0, 0)), 1))
}

func fromWallInstant(i breaker.Instant) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}
