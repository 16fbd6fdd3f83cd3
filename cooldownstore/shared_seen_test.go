package cooldownstore

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
)

func noteCovered(s *sightings, key breaker.Key, until time.Time) {
	s.note(SharedWord{Record: Record{Key: key, Snapshot: breaker.Snapshot{Clear: 1}}, Covered: []float64{EpochSeconds(until)}})
}

// What ended is forgotten when no clock shows it as running.
func TestSightingsAge(t *testing.T) {
	start := time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		after time.Duration
		want  int // remembered of a seen and a covered one that end after an hour
	}{
		{time.Hour, 2},
		{time.Hour + breaker.MaxStampLead + KeepEnded, 2},
		{time.Hour + breaker.MaxStampLead + KeepEnded + time.Second, 0},
	} {
		now := start.Add(test.after)
		var s sightings
		noteCovered(&s, "host:a", start.Add(time.Hour))
		s.first("host:a", EpochSeconds(start.Add(time.Hour))+0.5, start)
		s.first("host:a", EpochSeconds(now.Add(time.Hour)), now)
		if got := len(s.keys["host:a"].deadlines) - 1; got != test.want {
			t.Errorf("%v after they were seen %d are remembered, want %d", test.after, got, test.want)
		}
	}
}

// At the limit some keys are forgotten, those of which it does the least harm.
func TestSightingsEvict(t *testing.T) {
	now := time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC)
	evicted := maxSightings / 16
	for _, test := range []struct {
		name                     string
		ended, seen, covered     int
		wantEnded, wantSeen, all int // left of ended and seen ones, and of all
	}{
		{"ended first", evicted, maxSightings/2 - evicted, maxSightings / 2, 0, maxSightings/2 - evicted, maxSightings - evicted},
		{"then seen", 10, evicted, maxSightings - evicted - 10, 0, 10, maxSightings - evicted},
		{"then covered", 0, 0, maxSightings, 0, 0, maxSightings - evicted},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s sightings
			for i := range test.ended {
				s.first(breaker.HostKey(fmt.Sprint("ended", i)), EpochSeconds(now.Add(-breaker.MaxStampLead)), now)
			}
			for i := range test.covered {
				noteCovered(&s, breaker.HostKey(fmt.Sprint("covered", i)), now.Add(3*time.Hour))
			}
			now := now.Add(2 * time.Hour)
			for i := range test.seen {
				s.first(breaker.HostKey(fmt.Sprint("seen", i)), EpochSeconds(now.Add(time.Hour)), now)
			}
			s.first("host:one more", EpochSeconds(now.Add(time.Hour)), now)
			delete(s.keys, "host:one more")
			count := func(of string, n int) (left int) {
				for i := range n {
					if s.keys[breaker.HostKey(fmt.Sprint(of, i))] != nil {
						left++
					}
				}
				return left
			}
			ended, seen := count("ended", test.ended), count("seen", test.seen)
			if ended != test.wantEnded || seen != test.wantSeen || len(s.keys) != test.all {
				t.Errorf("left are %d ended and %d seen keys of %d, want %d, %d of %d", ended, seen, len(s.keys), test.wantEnded, test.wantSeen, test.all)
			}
		})
	}
}

// A deadline that a clear ended is known to members who never read it, at about its
// wall time: read for the first time, or again, it is covered, and no other one is.
func TestCoveredAsHeard(t *testing.T) {
	now := time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC)
	ends := now.Add(time.Minute)
	var v SharedValues
	v.seen.first("host:a", EpochSeconds(ends), now)
	for _, key := range []breaker.Key{"host:a", "host:b"} {
		v.Cover(key, ends.Add(300*time.Millisecond))
	}
	for _, tt := range []struct {
		key   breaker.Key
		until time.Time
		want  bool
	}{
		{"host:a", ends, true},
		{"host:b", ends, true},
		{"host:b", ends.Add(2 * time.Second), false},
		{"host:c", ends, false},
	} {
		if got := v.seen.first(tt.key, EpochSeconds(tt.until), now).covered; got != tt.want {
			t.Errorf("%s until %v: covered %v, want %v", tt.key, tt.until.Sub(now), got, tt.want)
		}
	}
	var again SharedValues // in the next process
	again.Recall(v.Sightings(now, func(breaker.Key) bool { return true }))
	if !again.seen.first("host:b", EpochSeconds(ends), now).covered {
		t.Error("a process that starts again takes what a clear ended for news")
	}
	for range 2 * maxSightingsPerKey {
		v.Cover("host:b", ends)
	}
	if n := len(v.seen.keys["host:b"].about); n > maxSightingsPerKey {
		t.Errorf("%d deadlines are remembered of one key", n)
	}
	v.seen.keys["host:b"].forget(ends.Add(breaker.MaxStampLead + KeepEnded + time.Minute))
	if n := len(v.seen.keys["host:b"].about); n != 0 {
		t.Errorf("%d are remembered although they ended long ago", n)
	}
}
