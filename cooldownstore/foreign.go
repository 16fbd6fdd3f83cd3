package cooldownstore

import (
	"math"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// ForeignSetter is the setter of a cooldown that another program wrote into a
// store.
const ForeignSetter = breaker.ForeignSetter

// A Foreign is a cooldown as another program writes it: only the documented
// fields, and nothing in them can be relied on.
type Foreign struct {
	UntilWall float64 // epoch seconds
	UpdatedAt float64 // epoch seconds; see Dated
	Reason    string  // free text
}

// Dated reports whether UpdatedAt is usable: after 1970, and not further ahead
// of now than a stamp may be.
func (f Foreign) Dated(now time.Time) bool {
	return f.UpdatedAt > 0 && f.UpdatedAt <= EpochSeconds(now.Add(breaker.MaxStampLead))
}

// Cooldown reads what another program wrote, seen first at this wall time. Its
// stamp and length count from UpdatedAt, or from seen where that is not
// usable; its length is at most breaker.MaxOpen. It returns the deadline, when
// it was written, and false if there is no deadline in it.
func (f Foreign) Cooldown(seen time.Time) (c breaker.Cooldown, until, written time.Time, ok bool) {
	if !(f.UntilWall > 0) { // NaN is no deadline either
		return breaker.Cooldown{}, time.Time{}, time.Time{}, false
	}
	written = seen.Round(0)
	if f.Dated(seen) {
		written = FromEpochSeconds(f.UpdatedAt)
	}
	length := breaker.MaxOpen
	if f.UntilWall < EpochSeconds(written.Add(breaker.MaxOpen)) {
		length = FromEpochSeconds(f.UntilWall).Sub(written)
	}
	return breaker.Cooldown{
		Setter: ForeignSetter,
		Stamp:  max(breaker.StampAt(written), 1), // zero is no stamp
		Length: length,
		Reason: breaker.ReasonStore,
		Detail: breaker.Cut(strings.ToValidUTF8(f.Reason, "\uFFFD")),
	}, written.Add(length), written, true
}

// EpochSeconds is a wall time as other programs write it; zero is 0.
func EpochSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}

// FromEpochSeconds reads epoch seconds, to the precision of a float64 (about a
// quarter of a microsecond). Values out of any clock's range, and NaN, become
// the zero time.
func FromEpochSeconds(s float64) time.Time {
	if !(math.Abs(s) < 1<<40) { // year 36812
		return time.Time{}
	}
	whole, part := math.Modf(s)
	return time.Unix(int64(whole), int64(math.Round(part*1e9))).UTC()
}
