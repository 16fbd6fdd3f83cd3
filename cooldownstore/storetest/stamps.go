package storetest

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// setAgainstClear saves a set and a clear with stamps on both sides, as an
// owner does that joins them, in either order, and each alone after the other.
func setAgainstClear(t *testing.T, s cooldownstore.Store) {
	const mark = breaker.Stamp(1 << 57)
	for name, test := range map[string]struct {
		clear breaker.Stamp
		there bool // what was set
	}{"an older clear": {mark - 1, true}, "an equal clear": {mark, false}, "a newer clear": {mark + 1, false}} {
		set := breaker.Snapshot{
			Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: mark, Until: now.Add(time.Hour), Length: time.Hour}},
			Circuit:   breaker.Circuit{State: breaker.Open, Stamp: mark, Until: now.Add(time.Minute)},
		}
		clear := breaker.Snapshot{Clear: test.clear, ClearKept: now.Add(breaker.KeepClear)}
		check := func(order string, there, cleared bool) {
			t.Helper()
			r, ok := load(t, s, key)
			got := r.ToSnapshot(now, wall)
			if !ok || len(got.Cooldowns) == 1 != there || (got.Circuit.Stamp == mark) != there || (got.Clear == test.clear) != cleared {
				t.Errorf("%s, %s: %+v, want the set there: %v, the clear: %v", name, order, got, there, cleared)
			}
		}
		for order, words := range map[string][2]breaker.Snapshot{"set, clear": {set, clear}, "clear, set": {clear, set}} {
			save(t, s, record(key, words[0]))
			first, _ := load(t, s, key)
			joined := first.ToSnapshot(now, wall) // as a node does that was restarted between the two
			joined.Merge(words[1])
			save(t, s, record(key, joined))
			check(order, test.there, true)
			save(t, s, record(key, joined), record(key, joined))
			check(order+", again", test.there, true)
		}
		// Nobody joined these: the record itself holds both, and reading joins.
		both := set.Clone()
		both.Clear, both.ClearKept = clear.Clear, clear.ClearKept
		save(t, s, record(key, both))
		check("in one record", test.there, true)
		save(t, s, record(key, clear))
		save(t, s, record(key, set)) // a save replaces: the store joins nothing
		check("set over clear", true, false)
		save(t, s, record(key, clear))
		check("clear over set", false, true)
	}
	clearAmong(t, s)
}

// clearAmong ends the older of two cooldowns and a circuit between them.
func clearAmong(t *testing.T, s cooldownstore.Store) {
	save(t, s, record(key, breaker.Snapshot{
		Cooldowns: []breaker.Cooldown{
			{Setter: "n", Stamp: 5, Until: now.Add(2 * time.Hour), Length: 2 * time.Hour},
			{Setter: "n", Stamp: 9, Until: now.Add(time.Hour), Length: time.Hour},
		},
		Circuit: breaker.Circuit{State: breaker.Open, Stamp: 7, Until: now.Add(3 * time.Hour)},
		Clear:   7, ClearKept: now.Add(breaker.KeepClear),
	}))
	r, _ := load(t, s, key)
	got := r.ToSnapshot(now, wall)
	if len(got.Cooldowns) != 1 || got.Cooldowns[0].Stamp != 9 || got.Circuit != (breaker.Circuit{}) || got.At(now).Until.Sub(now) != time.Hour {
		t.Errorf("a clear of 7 among 5, 7 and 9 leaves %+v, want 9 alone", got)
	}
}
