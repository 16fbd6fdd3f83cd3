package words

import "fleetfuse/breaker"

// Refuses is the overlay for which a member does not hold a snapshot, of what it
// knows of the key: its maker did not know of it, be it the one that would be
// superseded or one that has superseded it before it came. was reports whether the
// member remembers an overlay that was in force; true where it cannot say.
//
// What it holds with News, a member holds only while it decides nothing about the
// key itself: else it is busy.
func Refuses(known, s breaker.Snapshot, was func(breaker.Overlay) bool) (later breaker.Overlay, refuses bool) {
	for _, o := range s.Overlays {
		k := known.Overlay(o.Register)
		foreseen := o.Stamp > k.Stamp && k.Stamp > o.Base
		if foreseen || k.Stamp > o.Stamp && !was(o) {
			return k, true
		}
	}
	return breaker.Overlay{}, false
}

// News are the overlays of a snapshot that are later than those that are known.
func News(known, s breaker.Snapshot) (later []breaker.Overlay) {
	for _, o := range s.Overlays {
		if o.Stamp > known.Overlay(o.Register).Stamp {
			later = append(later, o)
		}
	}
	return later
}
