package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const key = breaker.Key("host:api.example.org")

// One moment on the two clocks.
const now = breaker.Instant(1_000 * time.Hour)

var wall = time.Date(2026, 10, 7, 12, 0, 0, 123_456_789, time.UTC)

// full is a snapshot that uses every field.
func full() breaker.Snapshot {
	return breaker.Snapshot{
		Cooldowns: []breaker.Cooldown{
			{
				Setter: "node-a", Stamp: 1 << 57, Until: now.Add(20 * time.Minute), Length: 30 * time.Minute,
				Reason: breaker.ReasonCLIOpen, Author: "Zoë", Detail: "quoted \" ' \\ \n 雪 <&>",
			},
			{
				Setter: "node-b", Stamp: 1<<57 + 1, Until: now.Add(10*time.Minute + 1), Length: 15 * time.Minute,
				Reason: breaker.ReasonRetryAfter,
			},
			{
				Setter: "node-c", Stamp: 1<<57 + 2, Until: now.Add(-5 * time.Minute), Length: time.Minute,
				Reason: breaker.ReasonRetryAfter, Detail: "ran out",
			},
		},
		Circuit:   circuit(),
		Clear:     1 << 56,
		ClearKept: now.Add(breaker.KeepClear - time.Hour),
		Renewed:   now.Add(-time.Minute),
		Overlays:  overlays(),
	}
}

// overlays are one of each register, with every field of an overlay in use.
func overlays() []breaker.Overlay {
	return []breaker.Overlay{
		{
			Register: breaker.RegisterTuner, Stamp: 1<<57 + 4, Temporary: "mode:off", Until: now.Add(time.Minute), Length: 5 * time.Minute,
			Kept: now.Add(time.Minute + breaker.KeepReset), Author: "tuner",
		},
		{
			Register: breaker.RegisterOperator, Stamp: 1<<57 + 5, Base: 1<<57 + 1, Change: 1<<63 + 7, Fields: "fail_max:3,roles.metadata.trial_calls:2",
			Author: "Zoë", Reason: "quoted \" ' \\ \n 雪 <&>",
		},
	}
}

func circuit() breaker.Circuit {
	return breaker.Circuit{
		State: breaker.Open, Stamp: 1<<57 + 3, Until: now.Add(time.Minute), FirstTrip: now.Add(-72 * time.Hour),
		Opens: 7, Reason: breaker.ReasonProbeFailed, Role: "artifact", ByRole: true, Detail: "3 nodes",
	}
}

// parts are the parts of full, each alone, and all of them.
func parts() map[string]breaker.Snapshot {
	f := full()
	return map[string]breaker.Snapshot{
		"everything":        f,
		"one cooldown":      {Cooldowns: f.Cooldowns[:1]},
		"several cooldowns": {Cooldowns: f.Cooldowns},
		"past cooldown":     {Cooldowns: f.Cooldowns[2:]},
		"open circuit":      {Circuit: f.Circuit},
		"past circuit":      {Circuit: breaker.Circuit{State: breaker.Open, Stamp: 9, Until: now.Add(-9 * time.Minute)}},
		"half-open circuit": {Circuit: breaker.Circuit{State: breaker.HalfOpen, Stamp: 9, Until: now.Add(-time.Minute)}},
		"closed circuit":    {Circuit: breaker.Circuit{Stamp: 9, Keep: now.Add(11 * time.Minute), Recovered: now.Add(-time.Minute)}},
		"clear":             {Clear: f.Clear, ClearKept: f.ClearKept},
		"overlays":          {Overlays: f.Overlays},
		"one overlay":       {Overlays: f.Overlays[1:]},
		"reset":             {Overlays: []breaker.Overlay{{Stamp: 9, Kept: now.Add(time.Hour)}}},
		"renewed":           {Cooldowns: f.Cooldowns[2:], Renewed: f.Renewed},
	}
}

// fromDisk is what comes back of a snapshot.
func fromDisk(s breaker.Snapshot) breaker.Snapshot {
	s = s.Clone()
	for i := range s.Cooldowns {
		s.Cooldowns[i].Disk = true
	}
	s.Circuit.Disk = s.Circuit != breaker.Circuit{}
	s.Overlays = slices.Clone(s.Overlays)
	for i := range s.Overlays {
		s.Overlays[i].Disk = true
	}
	return s
}

// A tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func record(key breaker.Key, s breaker.Snapshot) cooldownstore.Record {
	return cooldownstore.FromSnapshot(key, s, now, wall)
}

func save(t tester, s cooldownstore.Store, records ...cooldownstore.Record) {
	t.Helper()
	if err := s.Save(t.Context(), records, cooldownstore.SurvivesKill); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

func load(t tester, s cooldownstore.Store, key breaker.Key) (cooldownstore.Record, bool) {
	t.Helper()
	r, ok, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return r, ok
}

func all(t tester, s cooldownstore.Store) map[breaker.Key]cooldownstore.Record {
	t.Helper()
	got := map[breaker.Key]cooldownstore.Record{}
	err := s.Each(t.Context(), func(r cooldownstore.Record) bool {
		if _, twice := got[r.Key]; twice {
			t.Errorf("Each yields %s twice", r.Key)
		}
		got[r.Key] = r
		return true
	})
	if err != nil {
		t.Fatalf("Each: %v", err)
	}
	return got
}

func diff(want, got any) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }
