package cooldownstore_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const now = breaker.Instant(1_000 * time.Hour)

var wall = time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC)

// A circuit past its deadline when it was saved is half-open while that was
// under 10 minutes ago, across a restart as without one.
func TestCircuitPastWhenSaved(t *testing.T) {
	for _, test := range []struct {
		past, away, step time.Duration
		want             breaker.State
	}{
		{0, 0, 0, breaker.HalfOpen},
		{4 * time.Minute, 5 * time.Minute, 0, breaker.HalfOpen},
		{4 * time.Minute, 6 * time.Minute, 0, breaker.Closed},
		{4 * time.Minute, 5 * time.Minute, -time.Hour, breaker.HalfOpen}, // set back: as when it was saved
		{4 * time.Minute, 5 * time.Minute, time.Hour, breaker.Closed},
	} {
		for _, state := range []breaker.State{breaker.Open, breaker.HalfOpen} {
			s := breaker.Snapshot{Circuit: breaker.Circuit{State: state, Stamp: 2, Until: now.Add(-test.past)}}
			r := cooldownstore.FromSnapshot("host:a", s, now, wall)
			later := now.Add(test.away)
			got := r.ToSnapshot(later, wall.Add(test.away+test.step))
			if state := got.At(later).State; state != test.want || got.Circuit.Until > later {
				t.Errorf("%v ago, %v away, clock stepped %v: %v until %v ahead, want %v",
					test.past, test.away, test.step, state, got.Circuit.Until.Sub(later), test.want)
			}
		}
	}
}

// What was asked for in the last 10 minutes is not forgotten, as in a node
// that kept running.
func TestRenewed(t *testing.T) {
	s := breaker.Snapshot{
		Circuit: breaker.Circuit{State: breaker.HalfOpen, Stamp: 2, Until: now.Add(-time.Hour)},
		Renewed: now.Add(-time.Minute),
	}
	r := cooldownstore.FromSnapshot("host:a", s, now, wall)
	for away, want := range map[time.Duration]breaker.State{8 * time.Minute: breaker.HalfOpen, 9 * time.Minute: breaker.Closed} {
		got := r.ToSnapshot(now.Add(away), wall.Add(away))
		if state := got.At(now.Add(away)).State; state != want {
			t.Errorf("renewed %v ago: %v, want %v", away+time.Minute, state, want)
		}
	}
}

// Cooldowns come back in the one order that copies agree on, whatever was
// added to the record: longest first.
func TestCooldownsComeBackInOrder(t *testing.T) {
	r := cooldownstore.FromSnapshot("host:a", breaker.Snapshot{}, now, wall)
	for i, minutes := range []time.Duration{10, 30, 20, 60} {
		length := minutes * time.Minute
		c := breaker.Cooldown{Setter: "n", Stamp: breaker.Stamp(10 - i), Length: length}
		if minutes == 60 {
			c.Stamp, c.Length = 20, 25*time.Minute // clamped: shorter than its wall time says
		}
		r.Snapshot.Cooldowns = append(r.Snapshot.Cooldowns, c)
		r.Wall = append(r.Wall, wall.Add(length))
	}
	s := r.ToSnapshot(now, wall)
	var got []time.Duration
	for _, c := range s.Cooldowns {
		got = append(got, c.Until.Sub(now)/time.Minute)
	}
	if want := []time.Duration{30, 25, 20, 10}; !slices.Equal(got, want) {
		t.Errorf("cooldowns come back as %d minutes, want %d", got, want)
	}
}

// Whatever a record holds, it reads as something.
func TestHostileRecord(t *testing.T) {
	far := []time.Time{{}, time.Unix(0, 0), time.Unix(1<<40, 0), time.Unix(-1<<40, 0), time.Unix(math.MaxInt64/2, 0)}
	for _, at := range far {
		for _, length := range []time.Duration{0, -1, math.MinInt64, math.MaxInt64} {
			r := cooldownstore.Record{
				Key: "host:a", Wall: []time.Time{at, at}, // and no UpdatedAt ClearKept: at, Renewed: at,
				Circuit: cooldownstore.CircuitWall{Until: at, Length: length, FirstTrip: at, Keep: at, Recovered: at},
			}
			r.Snapshot.Cooldowns = []breaker.Cooldown{{Setter: "n", Stamp: 2, Length: length}, {Stamp: 3}, {Stamp: 4}}
			r.Snapshot.Circuit = breaker.Circuit{State: breaker.Open, Stamp: 2}
			for _, clock := range []breaker.Instant{0, 1, now} {
				got := r.ToSnapshot(clock, wall)
				if at := got.At(clock); at.State == breaker.Open && at.Until.Sub(clock) > length {
					t.Errorf("deadline %v of length %v: %v left", at, length, at.Until.Sub(clock))
				}
			}
		}
	}
}

// Zero means never: a deadline that falls on the clock's origin must not.
func TestDeadlineAtTheOrigin(t *testing.T) {
	s := breaker.Snapshot{Circuit: breaker.Circuit{State: breaker.Open, Stamp: 2, Until: now.Add(-time.Minute)}}
	got := cooldownstore.FromSnapshot("host:a", s, now, wall).ToSnapshot(breaker.Instant(time.Minute), wall)
	if got.Circuit.Until != -1 {
		t.Errorf("until is %d, want just before the origin", got.Circuit.Until)
	}
}

func TestMonotonicReadingIsDropped(t *testing.T) {
	mono := time.Now()
	s := breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: 2, Until: now.Add(time.Hour), Length: time.Hour}}}
	r := cooldownstore.FromSnapshot("host:a", s, now, mono)
	if r.UpdatedAt != r.UpdatedAt.Round(0) || r.Wall[0] != r.Wall[0].Round(0) {
		t.Errorf("record of %v has monotonic readings: %v, %v", mono, r.UpdatedAt, r.Wall[0])
	}
}

func TestEpochSeconds(t *testing.T) {
	for _, at := range []time.Time{{}, wall, wall.Add(time.Millisecond), wall.Add(123_456 * time.Microsecond), time.Unix(-5, 500_000_000)} {
		got := cooldownstore.FromEpochSeconds(cooldownstore.EpochSeconds(at))
		if at.IsZero() {
			at = time.Unix(0, 0)
		}
		if d := got.Sub(at).Abs(); d > 250*time.Nanosecond {
			t.Errorf("%v comes back as %v, off by %v", at, got, d)
		}
	}
	for _, s := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300} {
		if got := cooldownstore.FromEpochSeconds(s); !got.IsZero() {
			t.Errorf("%v is %v, want the zero time", s, got)
		}
	}
	nan := cooldownstore.Foreign{UntilWall: math.NaN(), UpdatedAt: math.NaN()}
	if c, _, _, ok := nan.Cooldown(wall); ok || nan.Dated(wall) {
		t.Errorf("NaN is the cooldown %+v", c)
	}
}
