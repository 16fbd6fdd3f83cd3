package cooldownstore

import (
	"fmt"
	"math"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// A Record is what is stored of one key: a breaker's snapshot with its
// deadlines as wall time plus duration.
type Record struct {
	Key       breaker.Key
	Snapshot  breaker.Snapshot // its instants and Disk are zero; the fields below replace them
	Wall      []time.Time      // deadline of each cooldown, same order
	Circuit   CircuitWall
	ClearKept time.Time
	Renewed   time.Time
	Overlays  []OverlayWall // of each overlay, same order
	// UpdatedAt is when the record was made. What remained of a deadline then
	// is the most that can remain of it later.
	UpdatedAt time.Time
}

// CircuitWall holds the instants of a circuit as wall time; zero stays zero.
type CircuitWall struct {
	Until time.Time
	// Length is what remained until Until when the record was made; negative
	// if it had run out. What remains later is clamped to it.
	Length    time.Duration
	FirstTrip time.Time
	Keep      time.Time
	Recovered time.Time
}

// OverlayWall holds the instants of an overlay as wall time; zero stays zero.
type OverlayWall struct{ Until, Kept time.Time }

// longestPast bounds how far back an instant can lie, so that adding it to a
// clock never overflows into the future.
const longestPast = time.Duration(math.MinInt64 / 2)

// FromSnapshot makes the record of a snapshot. now and wall are the same
// moment on the two clocks.
func FromSnapshot(key breaker.Key, s breaker.Snapshot, now breaker.Instant, wall time.Time) Record {
	// Without its monotonic reading, which would hide a step of the wall clock
	// from a store that stays in memory.
	wall = wall.Round(0)
	at := func(i breaker.Instant) time.Time {
		if i == 0 {
			return time.Time{}
		}
		return wall.Add(i.Sub(now))
	}
	r := Record{Key: key, Snapshot: s.Clone(), ClearKept: at(s.ClearKept), Renewed: at(s.Renewed), UpdatedAt: wall}
	for i, c := range s.Cooldowns {
		r.Wall = append(r.Wall, at(c.Until))
		r.Snapshot.Cooldowns[i].Until = 0
		r.Snapshot.Cooldowns[i].Disk = false // ToSnapshot says so of all
	}
	r.Circuit = CircuitWall{
		Until: at(s.Circuit.Until), FirstTrip: at(s.Circuit.FirstTrip), Keep: at(s.Circuit.Keep), Recovered: at(s.Circuit.Recovered),
	}
	if s.Circuit.Until != 0 {
		r.Circuit.Length = s.Circuit.Until.Sub(now)
	}
	r.Snapshot.Overlays = slices.Clone(s.Overlays)
	for i, o := range s.Overlays {
		r.Overlays = append(r.Overlays, OverlayWall{Until: at(o.Until), Kept: at(o.Kept)})
		k := &r.Snapshot.Overlays[i]
		k.Until, k.Kept, k.Disk = 0, 0, false
	}
	c := &r.Snapshot.Circuit
	c.Until, c.FirstTrip, c.Keep, c.Recovered, c.Disk = 0, 0, 0, 0, false
	r.Snapshot.ClearKept, r.Snapshot.Renewed = 0, 0
	return r
}

// ToSnapshot reads the record at a moment. What remains of a deadline is at
// most its length, and at most what remained when the record was made: a wall
// clock that was set back can neither stretch a deadline nor revive a past
// one. All is marked as read from disk. A part that was neither due
// nor renewed in the last 10 minutes is gone.
func (r Record) ToSnapshot(now breaker.Instant, wall time.Time) breaker.Snapshot {
	at := func(t time.Time, longest time.Duration) breaker.Instant { return r.at(t, longest, now, wall.Round(0)) }
	s := r.Snapshot.Clone()
	n := min(len(s.Cooldowns), len(r.Wall))
	s.Cooldowns = s.Cooldowns[:n]
	for i := range s.Cooldowns {
		c := &s.Cooldowns[i]
		c.Until = at(r.Wall[i], c.Length)
		c.Disk = true
	}
	s.Circuit.Until = at(r.Circuit.Until, r.Circuit.Length)
	s.Circuit.FirstTrip = at(r.Circuit.FirstTrip, 0)
	s.Circuit.Keep = at(r.Circuit.Keep, breaker.MaxOpen)
	s.Circuit.Recovered = at(r.Circuit.Recovered, 0)
	s.Circuit.Disk = s.Circuit != breaker.Circuit{}
	s.ClearKept = at(r.ClearKept, breaker.KeepClear)
	s.Overlays = slices.Clone(s.Overlays[:min(len(s.Overlays), len(r.Overlays))])
	for i := range s.Overlays {
		o := &s.Overlays[i]
		o.Until, o.Kept = at(r.Overlays[i].Until, o.Length), at(r.Overlays[i].Kept, o.Length+breaker.KeepReset)
		o.Disk = true
	}
	s.Renewed = at(r.Renewed, 0)
	s.Forget(now)
	// Clamping may have changed which cooldown is the longest, and a foreign
	// row may have added one: merging brings them into their one order.
	var merged breaker.Snapshot
	merged.Merge(s)
	return merged
}

// at turns a stored wall time into an instant, given the wall time of now.
func (r Record) at(t time.Time, longest time.Duration, now breaker.Instant, wall time.Time) breaker.Instant {
	if t.IsZero() {
		return 0
	}
	left := min(t.Sub(wall), longest)
	if !r.UpdatedAt.IsZero() {
		left = min(left, t.Sub(r.UpdatedAt))
	}
	i := now.Add(max(left, longestPast))
	if i == 0 {
		return -1 // zero means never
	}
	return i
}

// Clone returns a record that shares nothing with r.
func (r Record) Clone() Record {
	r.Snapshot = r.Snapshot.Clone()
	r.Wall, r.Overlays = slices.Clone(r.Wall), slices.Clone(r.Overlays)
	return r
}

// An OverlayRecord is an overlay that is or was in force. The instants of the
// Overlay are zero; the fields replace them.
type OverlayRecord struct {
	breaker.Overlay
	OverlayWall
}

// MaxPastOverlays is how many overlays of one key a store remembers.
const MaxPastOverlays = 100

// KeepPastOverlays is how long a store remembers one that is no more in force.
const KeepPastOverlays = 90 * 24 * time.Hour

// OverlayRecords are the overlays of a record.
func (r Record) OverlayRecords() []OverlayRecord {
	list := make([]OverlayRecord, min(len(r.Snapshot.Overlays), len(r.Overlays)))
	for i := range list {
		list[i] = OverlayRecord{r.Snapshot.Overlays[i], r.Overlays[i]}
	}
	return list
}

// Keys names the keys of records in an error text: the first, and how many
// more.
func Keys(records []Record) string {
	switch len(records) {
	case 0:
		return "no records"
	case 1:
		return string(records[0].Key)
	}
	return fmt.Sprintf("%s and %d more", records[0].Key, len(records)-1)
}
