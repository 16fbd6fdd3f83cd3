// Package sharetest is the contract that every place to share cooldowns passes.
package sharetest

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A Place is one place to share, empty at first.
type Place struct {
	// Open returns a handle on the place; Run closes it.
	Open func(t *testing.T) cooldownstore.Shared
	// Set writes a value as another program would, knowing nothing of ours. A
	// ttl of 0 is for ever; every ttl is if NoTTL says why.
	Set func(t *testing.T, name, value string, ttl time.Duration)
	// Value reads a value as another program would, and its time to live,
	// negative if it has none; false if there is no value.
	Value func(t *testing.T, name string) (value string, ttl time.Duration, ok bool)
	NoTTL string // why what other programs write does not run out
}

const key = breaker.Key("host:api.example.org")

// now is the monotonic side of the moment at which a test starts.
const now = breaker.Instant(1_000 * time.Hour)

// A bench is a place with handles of two clusters on it.
type bench struct {
	Place
	a, b cooldownstore.Shared
	wall time.Time
}

// Run runs the contract against places that open makes, one for each test.
// Open cleans up after itself.
func Run(t *testing.T, open func(t *testing.T) Place) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, bench)
	}{
		{"every field comes back", roundTrip},
		{"other programs read ours", othersRead},
		{"listing", listing},
		{"names", names},
		{"hostile texts", texts},
		{"set against set", setAgainstSet},
		{"set against clear", setAgainstClear},
		{"a clear among sets", clearAmong},
		{"two clusters write one key", concurrent},
		{"an outcome that is unknown", unknown},
		{"the writer died before it was told", writerDied},
		{"a deadline ends at its instant", boundary},
		{"a clear ends at its instant", clearBoundary},
		{"an absent key says nothing", absent},
		{"time to live", timeToLive},
		{"what ended is taken away", takenAway},
		{"foreign word", foreignWord},
		{"foreign stamp is first seen", foreignStamp},
		{"foreign over ours and ours over foreign", foreignDeadlines},
		{"foreign change of our value", foreignChange},
		{"foreign and cleared", foreignCleared},
		{"foreign against a clear", foreignAgainstClear},
		{"garbage", garbage},
		{"hostile values of ours", hostileOwn},
		{"hints", hints},
		{"hints end", hintsEnd},
		{"cancelled", cancelled},
		{"cancelled under way", cancelledUnderWay},
		{"closed", closed},
		{"closed beside writers", closedBesideWriters},
		{"bad words", badWords},
		{"a hundred thousand", hundredThousand},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := open(t)
			test.run(t, bench{Place: p, a: handle(t, p), b: handle(t, p), wall: time.Now().Round(0)})
		})
	}
}

func handle(t *testing.T, p Place) cooldownstore.Shared {
	s := p.Open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// stamp is one that a clock of this time issues, i milliseconds later.
func (b bench) stamp(i int) breaker.Stamp {
	return breaker.StampAt(b.wall.Add(time.Duration(i) * time.Millisecond))
}

// epoch is a deadline as other programs write it.
func (b bench) epoch(left time.Duration) float64 { return cooldownstore.EpochSeconds(b.wall.Add(left)) }

// plain is a value with the documented fields only.
func (b bench) plain(left time.Duration, reason string) string {
	return fmt.Sprintf(`{"until_wall": %.6f, "reason": %q}`, b.epoch(left), reason)
}

func (b bench) word(key breaker.Key, s breaker.Snapshot) cooldownstore.SharedWord {
	return cooldownstore.ShareSnapshot(key, s, now, b.wall)
}

func (b bench) cooldown(i int, left time.Duration) breaker.Cooldown {
	return breaker.Cooldown{
		Setter: "node-a", Stamp: b.stamp(i), Until: now.Add(left), Length: left, Reason: breaker.ReasonCLIOpen, Author: "Zoë",
	}
}

// set is a snapshot of one cooldown.
func (b bench) set(i int, left time.Duration) breaker.Snapshot {
	return breaker.Snapshot{Cooldowns: []breaker.Cooldown{b.cooldown(i, left)}}
}

func (b bench) clear(i int) breaker.Snapshot {
	return breaker.Snapshot{Clear: b.stamp(i), ClearKept: now.Add(breaker.KeepClear)}
}

func (b bench) put(t *testing.T, s cooldownstore.Shared, snapshots ...breaker.Snapshot) {
	t.Helper()
	for _, snapshot := range snapshots {
		if err := s.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, snapshot)}); err != nil {
			t.Fatalf("Put: %v", err)
		}
	}
}

func load(t *testing.T, s cooldownstore.Shared, key breaker.Key) cooldownstore.SharedWord {
	t.Helper()
	w, ok, err := s.Load(t.Context(), key)
	if err != nil || ok == w.Silent() {
		t.Fatalf("Load: %+v, %v, %v", w, ok, err)
	}
	return w
}

// stampOf is the highest stamp in a word.
func stampOf(w cooldownstore.SharedWord) breaker.Stamp { return w.Snapshot.MaxStamp() }

// snapshot is what a handle says of the key.
func (b bench) snapshot(t *testing.T, s cooldownstore.Shared) breaker.Snapshot {
	t.Helper()
	return load(t, s, key).ToSnapshot(now, b.wall)
}

// left is how long the key rejects, to the minute, 0 if it does not, as a
// handle says: foreign deadlines count from when they were first seen.
func (b bench) left(t *testing.T, s cooldownstore.Shared) time.Duration {
	t.Helper()
	snapshot := b.snapshot(t, s)
	if at := snapshot.At(now); at.State == breaker.Open {
		return at.Until.Sub(now).Round(time.Minute)
	}
	return 0
}

func all(t *testing.T, s cooldownstore.Shared) map[breaker.Key]cooldownstore.SharedWord {
	t.Helper()
	got := map[breaker.Key]cooldownstore.SharedWord{}
	err := s.Each(t.Context(), func(w cooldownstore.SharedWord) bool {
		if _, twice := got[w.Key]; twice {
			t.Errorf("Each yields %s twice", w.Key)
		}
		got[w.Key] = w
		return true
	})
	if err != nil {
		t.Fatalf("Each: %v", err)
	}
	return got
}
