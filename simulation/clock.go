package simulation

import (
	"math/rand/v2"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
)

// epoch is the true wall time when a world begins.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// instantZero is the least an Instant of a node may be: zero means never.
const instantZero = breaker.Instant(time.Hour)

// machine is the clocks of one machine: one that never steps but may be a little
// fast or slow and stands still while the machine is suspended, and a wall
// clock that may be wrong.
type machine struct {
	world  *World
	origin breaker.Instant
	ppm    int64         // how much faster than true it goes, in millionths
	lost   time.Duration // it was suspended for so long
	sleeps []sleep
	ahead  time.Duration // of the wall clock
	rand   *rand.Rand
}

// sleep is one suspension: the clock stood still there.
type sleep struct {
	at   breaker.Instant
	lost time.Duration
}

// slept has the machine stand still since a moment.
func (m *machine) slept(since time.Duration) {
	s := sleep{m.at(since), m.world.now - since}
	m.sleeps, m.lost = append(m.sleeps, s), m.lost+s.lost
}

// Read implements clock.Source.
func (m *machine) Read() (breaker.Instant, time.Time) {
	return m.at(m.world.now), epoch.Add(m.world.now + m.ahead)
}

// Random implements clock.Source.
func (m *machine) Random() uint64 { return m.rand.Uint64() }

// at is the instant of a moment of the world.
func (m *machine) at(t time.Duration) breaker.Instant {
	run := t - m.lost
	return m.origin.Add(run + time.Duration(int64(run)/1_000_000*m.ppm))
}

// when is the moment of the world at which an instant is reached, not before
// now.
func (m *machine) when(i breaker.Instant) time.Duration {
	run := i.Sub(m.origin)
	run -= time.Duration(int64(run) / (1_000_000 + m.ppm) * m.ppm)
	t := max(run+m.lost, m.world.now)
	for m.at(t) < i { // the division cut something off
		t += time.Microsecond
	}
	return t
}

var _ clock.Source = (*machine)(nil)
