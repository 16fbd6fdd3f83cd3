package spread

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Standing says what became of an overlay.
type Standing string

// The standings.
const (
	StandingCurrent    Standing = "current"
	StandingExpired    Standing = "expired"    // current, but its temporary fields were all it had
	StandingReset      Standing = "reset"      // current, and says nothing
	StandingReplaced   Standing = "replaced"   // a later one was made from it
	StandingSuperseded Standing = "superseded" // the later one did not know of it: it was made in another part of a split
)

// StandingOf is the standing of the latest overlay of a register, whose temporary
// fields ended, or not.
func StandingOf(o breaker.Overlay, ended bool) Standing {
	switch {
	case o.Fields != "" || o.Temporary != "" && !ended:
		return StandingCurrent
	case o.Temporary != "":
		return StandingExpired
	}
	return StandingReset
}

// A Version is an overlay in a history.
type Version struct {
	PastOverlay
	Standing Standing
}

// History joins what several nodes remember of one key: each overlay once, the
// latest first, with its standing. From the latest of a register its bases lead
// back along the versions that were made from each other; what lies between two
// of these was lost when two parts of a split met.
func History(now time.Time, lists ...PastOverlays) []Version {
	var all []Version
	for _, o := range slices.Concat(lists...) {
		same := func(v Version) bool { return v.Register == o.Register && v.Stamp == o.Stamp }
		if !slices.ContainsFunc(all, same) {
			all = append(all, Version{PastOverlay: o, Standing: StandingReplaced})
		}
	}
	slices.SortFunc(all, func(a, b Version) int {
		return cmp.Or(cmp.Compare(b.Stamp, a.Stamp), cmp.Compare(b.Register, a.Register))
	})
	next := map[breaker.Register]breaker.Stamp{} // the version that the line goes on with; 0: before all we know
	for i := range all {
		v := &all[i]
		expected, seen := next[v.Register]
		switch {
		case !seen:
			v.Standing = StandingOf(v.Overlay, !v.Until.After(now))
		case v.Stamp > expected:
			v.Standing = StandingSuperseded
			continue
		}
		next[v.Register] = v.Base
	}
	return all
}
