package breaker

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Merge joins t into s and reports whether s changed. It is commutative,
// associative and idempotent, so copies agree whatever the order in which they
// heard of things. Three conditions: on one machine an identity (a circuit's
// stamp; a cooldown's setter and stamp) has one living deadline, which a
// receiver ensures by turning it into an Instant once; there are no more than
// maxCooldowns that nothing dominates; and a cooldown that was dominated does
// not come back from disk with a later deadline than it had.
func (s *Snapshot) Merge(t Snapshot) bool {
	before := *s
	s.Renewed = max(s.Renewed, t.Renewed)
	if t.Clear > s.Clear {
		s.Clear, s.ClearKept = t.Clear, t.ClearKept
	}
	s.Circuit = laterCircuit(s.Circuit, t.Circuit)
	if s.Clear != 0 && s.Circuit.Stamp <= s.Clear {
		s.Circuit = Circuit{}
	}
	if len(t.Cooldowns) > 0 || s.Clear != before.Clear {
		s.Cooldowns = mergeCooldowns(s.Cooldowns, t.Cooldowns, s.Clear)
	}
	s.Overlays = mergeOverlays(s.Overlays, t.Overlays)
	return !s.equal(&before)
}

// laterCircuit is the merge of two copies of a circuit: the higher stamp, then
// the more severe state. Two owners that tripped with the same stamp are told
// apart by what does not depend on the machine. Of two copies of one circuit
// the deadlines heard first stay, but a living copy replaces one from disk, and
// of two from disk the later wins.
func laterCircuit(a, b Circuit) Circuit {
	order := cmp.Or(
		cmp.Compare(a.Stamp, b.Stamp),
		cmp.Compare(a.State, b.State),
		cmp.Compare(a.Opens, b.Opens),
		strings.Compare(string(a.Reason), string(b.Reason)),
		strings.Compare(a.Role, b.Role),
		strings.Compare(a.Detail, b.Detail),
	)
	if order < 0 || order == 0 && a.Disk && (!b.Disk || a.compareEnds(b) < 0) {
		return b
	}
	return a
}

// compareEnds compares the instants of two copies of a circuit.
func (c Circuit) compareEnds(d Circuit) int {
	return cmp.Or(cmp.Compare(c.Until, d.Until), cmp.Compare(c.Keep, d.Keep), cmp.Compare(c.Recovered, d.Recovered))
}

// mergeCooldowns joins two sets: what the clear does not reach and nothing
// dominates, the longest first.
func mergeCooldowns(a, b []Cooldown, clear Stamp) []Cooldown {
	all := make([]Cooldown, 0, len(a)+len(b))
	for _, c := range a {
		if clear == 0 || c.Stamp > clear {
			all = append(all, c)
		}
	}
	for _, c := range b {
		if clear != 0 && c.Stamp <= clear {
			continue
		}
		if i := slices.IndexFunc(all, c.same); i >= 0 {
			all[i] = laterCopy(all[i], c)
		} else {
			all = append(all, c)
		}
	}
	kept := make([]Cooldown, 0, len(all))
	for _, c := range all {
		if !slices.ContainsFunc(all, func(d Cooldown) bool { return d.dominates(c) }) {
			kept = append(kept, c)
		}
	}
	slices.SortFunc(kept, func(a, b Cooldown) int {
		return cmp.Or(cmp.Compare(b.Until, a.Until), cmp.Compare(b.Stamp, a.Stamp), strings.Compare(a.Setter, b.Setter))
	})
	if len(kept) == 0 {
		return nil
	}
	return kept[:min(len(kept), maxCooldowns)]
}

// same reports whether d is a copy of c.
func (c Cooldown) same(d Cooldown) bool { return c.Setter == d.Setter && c.Stamp == d.Stamp }

// sameForeign is how far apart two readers may place one deadline of another
// program.
const sameForeign = time.Second

// SameForeign reports whether two deadlines of another program may be one, read by
// two.
func SameForeign(a, b Instant) bool { return a.Sub(b).Abs() < sameForeign }

// Says reports whether c says what d says: it is a copy, or the same deadline
// of another program, whose stamp tells only when its reader saw it first.
func (c Cooldown) Says(d Cooldown) bool {
	foreign := c.Reason == ReasonStore && d.Reason == ReasonStore
	return c.same(d) || foreign && SameForeign(c.Until, d.Until)
}

// laterCopy is the merge of two copies of a cooldown: a living one replaces
// one from disk, of two from disk the later wins, and hearing a living one
// again never moves it.
func laterCopy(a, b Cooldown) Cooldown {
	if a.Disk && (!b.Disk || b.Until > a.Until) {
		return b
	}
	return a
}

// dominates reports whether c makes d redundant: later in stamp, so that no
// clear ends c alone, and in deadline. A deadline from disk makes nothing
// redundant, because a living copy may replace it by a shorter one.
func (c Cooldown) dominates(d Cooldown) bool {
	return !c.Disk && c.Stamp >= d.Stamp && c.Until >= d.Until && (c.Stamp > d.Stamp || c.Until > d.Until)
}

func (s *Snapshot) equal(t *Snapshot) bool {
	return s.Circuit == t.Circuit && s.Clear == t.Clear && s.Renewed == t.Renewed &&
		slices.Equal(s.Cooldowns, t.Cooldowns) && slices.Equal(s.Overlays, t.Overlays)
}
