package breaker

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Register says whose word an overlay is. An operator's and the tuner's do
// not replace each other.
type Register uint8

// The registers, the weaker first: where both name a field the operator's
// word is in force.
const (
	RegisterTuner Register = iota
	RegisterOperator
)

func (r Register) String() string {
	if r == RegisterOperator {
		return "operator"
	}
	return "tuner"
}

// Limits of an overlay.
const (
	// MaxFieldsBytes bounds each text of an overlay's fields.
	MaxFieldsBytes = 4096
	// KeepReset is how long an overlay without a field in force is remembered,
	// so that no node that was off brings back the one before it.
	KeepReset = 30 * 24 * time.Hour
)

// An Overlay is what was replaced of a breaker's policy at run time. A machine
// carries it and does not read it: its fields are text in the grammar of the
// configuration (package config), so that nodes of different versions can pass
// on what they do not know.
type Overlay struct {
	Register Register
	Stamp    Stamp  // its version
	Base     Stamp  // the version it was made from, zero for none
	Change   uint64 // of the request that made it, so that a repeat makes no other
	// Fields are in force until they are replaced, Temporary ones until Until.
	Fields    string
	Temporary string
	Until     Instant       // zero without Temporary
	Length    time.Duration // of Temporary, as asked for
	Kept      Instant       // without Fields: when it may be forgotten; else zero
	Author    string
	Reason    string
	Disk      bool // its instants were computed from a wall clock
}

// NewOverlay is an overlay made now, whose temporary fields, if it has any, are
// in force until an instant, length after it was asked for. Without fields it
// is a reset.
func NewOverlay(mo Moment, r Register, base Stamp, fields, temporary string, until Instant, length time.Duration) Overlay {
	o := Overlay{Register: r, Stamp: mo.Stamp, Base: base, Fields: fields, Temporary: temporary}
	if temporary != "" {
		o.Until, o.Length = until, length
	}
	if fields == "" {
		o.Kept = max(mo.Now, o.Until).Add(KeepReset)
	}
	return o
}

// Temporarily is what the overlay says until Until, "" once that has passed.
func (o *Overlay) Temporarily(now Instant) string {
	if o.Until <= now {
		return ""
	}
	return o.Temporary
}

// Lay puts an overlay into its register, unless a later one is there. It
// changes no state, run, window or permit: Replace swaps the policy.
func (m *Machine) Lay(mo Moment, o Overlay) Effects {
	m.settle(mo)
	o.Author, o.Reason = Cut(o.Author), Cut(o.Reason)
	if m.snap.Merge(Snapshot{Overlays: []Overlay{o}}) {
		m.dirty = true
	}
	return m.effects(mo)
}

// Overlay is what is in a register; the zero Overlay of it if nothing is.
func (s *Snapshot) Overlay(r Register) Overlay {
	for _, o := range s.Overlays {
		if o.Register == r {
			return o
		}
	}
	return Overlay{Register: r}
}

// mergeOverlays joins two sets: the later stamp in each register. The result
// may share memory with a: overlays are replaced and never changed.
func mergeOverlays(a, b []Overlay) []Overlay {
	for _, o := range b {
		i := slices.IndexFunc(a, func(k Overlay) bool { return k.Register == o.Register })
		if i < 0 {
			a = append(slices.Clone(a), o)
			slices.SortFunc(a, func(x, y Overlay) int { return cmp.Compare(x.Register, y.Register) })
			continue
		}
		if later := laterOverlay(a[i], o); later != a[i] {
			a = slices.Clone(a)
			a[i] = later
		}
	}
	return a
}

// laterOverlay is the merge of two overlays of one register. Two owners that
// made different ones with the same stamp are told apart by their content. Of
// two copies a living one replaces one from disk, and of two from disk the one
// that ends sooner stays: a copy is later for each message it was under way.
func laterOverlay(a, b Overlay) Overlay {
	order := cmp.Or(
		cmp.Compare(a.Stamp, b.Stamp),
		strings.Compare(a.Fields, b.Fields),
		strings.Compare(a.Temporary, b.Temporary),
		strings.Compare(a.Author, b.Author),
		strings.Compare(a.Reason, b.Reason),
		cmp.Compare(a.Base, b.Base),
		cmp.Compare(a.Change, b.Change),
		cmp.Compare(a.Length, b.Length),
	)
	switch {
	case order < 0:
		return b
	case order > 0 || !a.Disk:
		return a
	case !b.Disk || b.Until < a.Until || b.Until == a.Until && b.Kept < a.Kept:
		return b
	}
	return a
}
