package storetest

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// clockSteps reads records at another wall time than they were written, after
// time away and with the wall clock stepped. Whatever it shows, no deadline
// may last longer than it did when it was written.
func clockSteps(t *testing.T, s cooldownstore.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		length := time.Duration(rapid.Int64Range(1, int64(24*time.Hour)).Draw(rt, "length"))
		left := rapid.Int64Range(-int64(20*time.Minute), int64(length)).Draw(rt, "left")
		away := time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(rt, "away"))
		step := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(rt, "step"))
		until := now.Add(time.Duration(left))
		save(rt, s, record(key, breaker.Snapshot{
			Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: 2, Until: until, Length: length, Reason: breaker.ReasonRetryAfter}},
			Circuit:   breaker.Circuit{State: breaker.Open, Stamp: 3, Until: until, FirstTrip: now.Add(-time.Hour)},
			Clear:     1, ClearKept: now.Add(length),
		}))
		r, ok := load(rt, s, key)
		later := now.Add(away)
		got := r.ToSnapshot(later, wall.Add(away+step))
		// What the wall clock says has passed, but never less than nothing.
		want := until.Sub(now) - max(away+step, 0)
		check := func(what string, gone bool, remaining time.Duration) {
			switch {
			case want <= -10*time.Minute && !gone:
				rt.Errorf("%s has %v left, want it forgotten", what, remaining)
			case want > -10*time.Minute && gone:
				rt.Errorf("%s is gone, want %v left", what, want)
			case !gone && remaining != want:
				rt.Errorf("%s has %v left, want %v", what, remaining, want)
			}
		}
		if !ok {
			rt.Fatal("the record is gone")
		}
		cooldowns := append(got.Cooldowns, breaker.Cooldown{})
		check("cooldown", len(got.Cooldowns) == 0, cooldowns[0].Until.Sub(later))
		check("circuit", got.Circuit.Stamp == 0, got.Circuit.Until.Sub(later))
		if got.ClearKept > later.Add(length) || got.Circuit.FirstTrip > later {
			rt.Errorf("clear kept %v, first trip %v ahead", got.ClearKept.Sub(later), got.Circuit.FirstTrip.Sub(later))
		}
	})
}

// boundary reads a deadline just before and at its end, and just before and
// when it is forgotten.
func boundary(t *testing.T, s cooldownstore.Store) {
	const left = 20 * time.Minute
	until := now.Add(left)
	snapshots := map[string]breaker.Snapshot{
		"cooldown": {Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: 2, Until: until, Length: left}}},
		"circuit":  {Circuit: breaker.Circuit{State: breaker.Open, Stamp: 2, Until: until}},
	}
	for name, snapshot := range snapshots {
		save(t, s, record(key, snapshot))
		r, _ := load(t, s, key)
		for _, at := range []struct {
			after time.Duration
			want  breaker.State
			empty bool
		}{
			{0, breaker.Open, false},
			{left - 1, breaker.Open, false},
			{left, breaker.HalfOpen, false},
			{left + 10*time.Minute - 1, breaker.HalfOpen, false},
			{left + 10*time.Minute, breaker.Closed, true},
			{1000 * time.Hour, breaker.Closed, true},
		} {
			got := r.ToSnapshot(now.Add(at.after), wall.Add(at.after))
			if state := got.At(now.Add(at.after)).State; state != at.want || got.Empty() != at.empty {
				t.Errorf("%s after %v is %v, empty %v; want %v, %v", name, at.after, state, got.Empty(), at.want, at.empty)
			}
		}
	}
}

// clearBoundary reads a clear just before and when it is forgotten.
func clearBoundary(t *testing.T, s cooldownstore.Store) {
	for _, kept := range []time.Duration{time.Hour, breaker.KeepClear} {
		save(t, s, record(key, breaker.Snapshot{Clear: 7, ClearKept: now.Add(kept)}))
		r, _ := load(t, s, key)
		for _, at := range []struct {
			after time.Duration
			want  breaker.Stamp
		}{{-time.Hour, 7}, {0, 7}, {kept - 1, 7}, {kept, 0}, {kept + time.Hour, 0}} {
			got := r.ToSnapshot(now, wall.Add(at.after))
			if got.Clear != at.want || got.ClearKept > now.Add(kept) {
				t.Errorf("kept %v, after %v the clear is %d, kept %v; want %d", kept, at.after, got.Clear, got.ClearKept.Sub(now), at.want)
			}
		}
	}
}
