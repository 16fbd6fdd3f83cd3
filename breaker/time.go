package breaker

import (
	"errors"
	"time"
)

// An Instant is a point on one machine's clock that never steps, in
// nanoseconds since an origin of that machine's choosing. The zero Instant
// means "never". Instants of two machines must not be compared: between
// machines only durations travel.
type Instant int64

// Add returns the instant d later.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns the time from u to i.
func (i Instant) Sub(u Instant) time.Duration { return time.Duration(i - u) }

// A Stamp is a reading of a hybrid logical clock: 48 bits of wall time in
// milliseconds, 16 bits of counter. Stamps are the only order between two
// words about one key (Kulkarni et al., "Logical Physical Clocks", 2014).
type Stamp uint64

const stampCounterBits = 16

// StampAt is the lowest stamp of a wall-clock millisecond; zero before 1970,
// which is what a machine without a battery believes at boot.
func StampAt(wall time.Time) Stamp { return Stamp(max(wall.UnixMilli(), 0)) << stampCounterBits }

// Wall is the wall-clock time in the stamp, to the millisecond.
func (s Stamp) Wall() time.Time { return time.UnixMilli(int64(s >> stampCounterBits)) }

// MaxStampLead is how far ahead of the local wall clock a stamp may be.
const MaxStampLead = 24 * time.Hour

// ErrStampAhead is returned by StampClock.Observe for a stamp more than
// MaxStampLead ahead of the local wall clock.
var ErrStampAhead = errors.New("stamp is more than 24 h ahead of this node's clock")

// A StampClock issues stamps that never go back. It reads no clock: callers
// hand it the wall time. It is not safe for concurrent use.
type StampClock struct{ last Stamp }

// Next issues a stamp later than every one issued or observed before.
func (c *StampClock) Next(wall time.Time) Stamp {
	c.last = max(c.last+1, StampAt(wall))
	return c.last
}

// Observe makes later stamps exceed s.
func (c *StampClock) Observe(s Stamp, wall time.Time) error {
	if s > StampAt(wall.Add(MaxStampLead)) {
		return ErrStampAhead
	}
	c.last = max(c.last, s)
	return nil
}

// unwritten is more stamps than a process issues while its store falls behind: a
// second of the clock, which is 65 million.
const unwritten = Stamp(time.Second/time.Millisecond) << stampCounterBits

// Resume makes later stamps exceed those that an earlier process of this node
// issued and did not write, once those that it wrote are observed. Where its wall
// clock is behind its stamps they differ by one only, and the next would name
// another cooldown by a stamp that others know already (ADR 13).
func (c *StampClock) Resume() { c.last += unwritten }

// Last is the highest stamp issued or observed.
func (c *StampClock) Last() Stamp { return c.last }

// A Moment is what a step is handed instead of reading clocks.
type Moment struct {
	Now   Instant
	Stamp Stamp // fresh: later than every stamp this node issued or heard
	// Members is the number of known members: the live ones and those lost
	// without leaving in the last 10 minutes. Zero counts as one.
	Members int
	// Rand feeds permit ids and jitter; it need not be secret.
	Rand uint64
}
