package cooldownstore_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A Retry-After of a clock that is an hour ahead stands beside an open of hours,
// which keeps its value alive. Who knows that it ended takes it away, or whoever
// forgot that would obey it anew.
func TestWriteTakesAwayWhatEnded(t *testing.T) {
	ahead := breaker.Cooldown{Setter: "ahead", Stamp: 3, Length: 10 * time.Minute, Until: now.Add(10 * time.Minute)}
	long := breaker.Cooldown{Setter: "n2", Stamp: 2, Length: 5 * time.Hour, Until: now.Add(5 * time.Hour)}
	word := func(wall time.Time, now breaker.Instant, cooldowns ...breaker.Cooldown) cooldownstore.SharedWord {
		return cooldownstore.ShareSnapshot("host:a", breaker.Snapshot{Cooldowns: cooldowns}, now, wall)
	}
	for _, tt := range []struct {
		what  string
		with  []breaker.Cooldown // beside the first one
		left  time.Duration      // of the value; the one that is written has as much
		after time.Duration      // since the first ended
		want  []breaker.Stamp
	}{
		{"beside another", []breaker.Cooldown{long}, 5 * time.Hour, cooldownstore.KeepEnded, []breaker.Stamp{2}},
		{"too soon", []breaker.Cooldown{long}, 5 * time.Hour, cooldownstore.KeepEnded - time.Second, []breaker.Stamp{2, 3}},
		{"alone", nil, time.Minute, cooldownstore.KeepEnded, nil},
		{"alone in a value that never expires", nil, -1, cooldownstore.KeepEnded, nil},
	} {
		var values cooldownstore.SharedValues
		there := cooldownstore.SharedPlace{}
		for _, w := range []cooldownstore.SharedWord{word(wall.Add(time.Hour), now, ahead), word(wall, now, tt.with...)} {
			if value, ttl, err := values.Write(w, there, wall); err != nil {
				t.Fatal(err)
			} else if value != "" {
				there = cooldownstore.SharedPlace{Value: value, Left: ttl}
			}
		}
		passed := 10*time.Minute + tt.after
		there.Left = tt.left
		value, ttl, err := values.Write(word(wall.Add(passed), now.Add(passed), append(tt.with, ahead)...), there, wall.Add(passed))
		if err != nil || value != "" && ttl < tt.left || tt.left < 0 && ttl <= 0 {
			t.Errorf("%s: written for %v, %v; want at least %v", tt.what, ttl, err, tt.left)
		}
		if value == "" {
			value = there.Value
		}
		got, err := values.Read("host:a", value, wall.Add(passed))
		if err != nil {
			t.Fatal(err)
		}
		stamps := map[breaker.Stamp]bool{}
		for _, c := range got.Snapshot.Cooldowns {
			stamps[c.Stamp] = true
		}
		ok := len(stamps) == len(tt.want)
		for _, s := range tt.want {
			ok = ok && stamps[s]
		}
		if !ok {
			t.Errorf("%s: %s holds the stamps %v, want %v", tt.what, value, stamps, tt.want)
		}
	}
}
