package cooldownstore_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// drawWords draws words of one key about the same few cooldowns, in which an
// identity has one deadline, and clears among them.
func drawWords(t *rapid.T, n int) []cooldownstore.SharedWord {
	var all []breaker.Cooldown
	for i := range rapid.IntRange(0, 8).Draw(t, "cooldowns") {
		left := time.Duration(rapid.IntRange(-60, 600).Draw(t, "left")) * time.Minute
		all = append(all, breaker.Cooldown{
			Setter: rapid.SampledFrom([]string{"n1", "n2", cooldownstore.ForeignSetter}).Draw(t, "setter"),
			Stamp:  breaker.Stamp(2*i + 2), Length: 600 * time.Minute,
			Until: now.Add(left + time.Duration(i)*time.Second), // no two foreign ones are the same
		})
	}
	words := make([]cooldownstore.SharedWord, n)
	for i := range words {
		var s breaker.Snapshot
		for _, c := range all {
			if rapid.Bool().Draw(t, "there") {
				s.Merge(breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
			}
		}
		if clear := rapid.IntRange(0, 9).Draw(t, "clear"); clear > 0 {
			s.Merge(breaker.Snapshot{Clear: breaker.Stamp(2*clear - 1), ClearKept: now.Add(time.Duration(clear) * time.Hour)})
		}
		words[i] = cooldownstore.ShareSnapshot("host:a", s, now, wall)
	}
	return words
}

func TestMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWords(t, 3)
		a, b, c := w[0], w[1], w[2]
		same := func(law string, x, y cooldownstore.SharedWord) {
			// What is covered depends on who met it first.
			if d := cmp.Diff(x, y, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(cooldownstore.SharedWord{}, "Covered")); d != "" {
				t.Errorf("%s:\n%s", law, d)
			}
		}
		same("commutative", a.Merge(b), b.Merge(a))
		same("associative", a.Merge(b).Merge(c), a.Merge(b.Merge(c)))
		same("idempotent", a.Merge(b), a.Merge(b).Merge(b))
	})
}

// Of two copies of one cooldown the one that is there stays, and with it when
// it was made.
func TestMergeKeepsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		there := drawWords(t, 1)[0]
		step := time.Duration(rapid.Int64Range(-int64(24*time.Hour), int64(24*time.Hour)).Draw(t, "step"))
		again := there
		again.Record = there.Clone()
		for i, c := range again.Snapshot.Cooldowns {
			if c.Setter != cooldownstore.ForeignSetter { // their deadlines are their identity
				again.Wall[i] = again.Wall[i].Add(step)
			}
		}
		again.UpdatedAt = wall.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "made later")))
		if d := cmp.Diff(there.Merge(there), there.Merge(again), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("put again after a step of %v:\n%s", step, d)
		}
	})
}

// A cluster adopts a cooldown, its clock steps and it puts the cooldown again:
// another cluster reads what it would have read before.
func TestStepMovesNothingForOthers(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		newSite := func() *site { return &site{machine: new(machine), values: new(cooldownstore.SharedValues)} }
		setter, adopter, other := newSite(), newSite(), newSite()
		place := cooldownstore.SharedPlace{}
		put := func(s *site) {
			value, ttl, err := s.values.Write(cooldownstore.ShareSnapshot("host:a", s.live, s.now(), s.wall()), place, s.wall())
			if err != nil {
				t.Fatal(err)
			}
			if value != "" {
				place = cooldownstore.SharedPlace{Value: value, Left: ttl}
			}
		}
		read := func(s *site) breaker.Snapshot {
			w, err := s.values.Read("host:a", place.Value, s.wall())
			if err != nil {
				t.Fatal(err)
			}
			return w.ToSnapshot(s.now(), s.wall())
		}
		setter.live = breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
			Setter: "n", Stamp: breaker.StampAt(setter.wall()), Until: setter.now().Add(2 * time.Hour), Length: 2 * time.Hour,
		}}}
		put(setter)
		adopter.passed = 30 * time.Minute
		adopter.live = read(adopter)
		adopter.ahead = step
		put(adopter)
		other.passed = 90 * time.Minute
		got := read(other)
		if left := got.LastDeadline().Sub(other.now()); left != 30*time.Minute {
			t.Errorf("after a step by %v another cluster reads %v, want 30m", step, left)
		}
	}
}

// A program goes back to a deadline that it had replaced when an operator closed
// the breaker, and copies what it does not know: the clear that stands beside it
// ended it, and has to be told that it covers it, for those who read it only now.
func TestClearCoversWhatWasNotInThePlace(t *testing.T) {
	wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const key, now = breaker.Key("host:a"), breaker.Instant(time.Hour)
	theirs := func(more string, left time.Duration) string {
		return fmt.Sprintf(`{"until_wall": %f, "reason": "theirs"%s}`, cooldownstore.EpochSeconds(wall.Add(left)), more)
	}
	var owner, late cooldownstore.SharedValues
	read := func(v *cooldownstore.SharedValues, value string) cooldownstore.SharedWord {
		w, err := v.Read(key, value, wall)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	read(&owner, theirs("", time.Hour))
	wall = wall.Add(time.Second)
	replaced := theirs("", 2*time.Hour)
	read(&owner, replaced)
	wall = wall.Add(time.Second)
	clear := breaker.Snapshot{Clear: breaker.StampAt(wall), ClearKept: now.Add(breaker.KeepClear)}
	cleared, _, err := owner.Write(cooldownstore.ShareSnapshot(key, clear, now, wall), cooldownstore.SharedPlace{Value: replaced, Left: -1}, wall)
	if err != nil {
		t.Fatal(err)
	}
	again := theirs(`, "more": `+moreOf(t, cleared), time.Hour-2*time.Second)
	if w := read(&owner, again); len(w.Snapshot.Cooldowns) > 0 || !w.Outdated {
		t.Fatalf("the owner reads %+v, outdated %v; want that it ended and is to be told", w.Snapshot, w.Outdated)
	}
	told, _, err := owner.Write(cooldownstore.ShareSnapshot(key, clear, now, wall), cooldownstore.SharedPlace{Value: again, Left: -1}, wall)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"what the owner told": told, "said once more": theirs(`, "more": `+moreOf(t, told), time.Hour-2*time.Second)} {
		if w := read(&late, value); len(w.Snapshot.Cooldowns) > 0 {
			t.Errorf("%s: one who comes later reads %+v", name, w.Snapshot)
		}
	}
	if w := read(&owner, told); w.Outdated {
		t.Error("told, it is to be told once more")
	}
}

// A node that did not read a program's deadline itself takes it for another wall
// time each time it tells it, for its clocks drift. A clear in the place covers
// that once, or each would be news to everybody.
func TestClearCoversWhatIsToldAgainOnce(t *testing.T) {
	wall := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const key, now = breaker.Key("host:a"), breaker.Instant(time.Hour)
	var closer, teller cooldownstore.SharedValues
	clear := breaker.Snapshot{Clear: breaker.StampAt(wall), ClearKept: now.Add(breaker.KeepClear)}
	place, ttl, err := closer.Write(cooldownstore.ShareSnapshot(key, clear, now, wall), cooldownstore.SharedPlace{}, wall)
	if err != nil {
		t.Fatal(err)
	}
	believed := breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: cooldownstore.ForeignSetter, Stamp: clear.Clear - 1, Until: now.Add(time.Hour), Length: time.Hour, Reason: breaker.ReasonStore,
	}}}
	for i := range 3 {
		wall = wall.Add(time.Microsecond)
		value, left, err := teller.Write(cooldownstore.ShareSnapshot(key, believed, now, wall), cooldownstore.SharedPlace{Value: place, Left: ttl}, wall)
		switch {
		case err != nil:
			t.Fatal(err)
		case i == 0 && value != "":
			place, ttl = value, left
		case value != "":
			t.Errorf("told for the time no. %d the place says %s, before %s", i+1, value, place)
		}
	}
}

// TestNobodyReadsAgainWhatIsForgotten: the clock of who set a deadline is ahead of
// another writer's. Written again, as one that ended, the value gains no time: it is
// gone before the members that knew it forget that they did.
func TestNobodyReadsAgainWhatIsForgotten(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const key, length, ahead = breaker.Key("host:a"), time.Hour, 36 * time.Minute
	var setter, reader cooldownstore.SharedValues
	at := func(passed time.Duration) (breaker.Instant, time.Time) {
		return breaker.Instant(time.Hour + passed), start.Add(passed)
	}
	now, wall := at(0)
	set := breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: "n", Stamp: breaker.StampAt(wall), Until: now.Add(length), Length: length, Reason: breaker.ReasonRetryAfter,
	}}}
	value, ttl, err := setter.Write(cooldownstore.ShareSnapshot(key, set, now, wall.Add(ahead)), cooldownstore.SharedPlace{}, wall.Add(ahead))
	if err != nil {
		t.Fatal(err)
	}
	believed := set.Clone()
	for _, passed := range []time.Duration{time.Minute, length / 2, length + time.Second} {
		now, wall := at(passed)
		left := ttl - passed
		again, lives, err := reader.Write(cooldownstore.ShareSnapshot(key, believed, now, wall), cooldownstore.SharedPlace{Value: value, Left: left}, wall)
		if err != nil {
			t.Fatal(err)
		}
		if again != "" {
			value, ttl = again, passed+lives
		}
	}
	end, _ := at(ttl)
	if believed.Forget(end); len(believed.Cooldowns) != 1 {
		t.Errorf("the value lives %v, a member forgot a deadline of %v before that", ttl, length)
	}
}

// moreOf is what of a value only we write.
func moreOf(t *testing.T, value string) string {
	t.Helper()
	var v struct {
		More json.RawMessage `json:"more"`
	}
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatal(err)
	}
	return string(v.More)
}

// As snapshots merge, so do their words.
func TestMergeIsSnapshotMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWords(t, 2)
		living := func(w cooldownstore.SharedWord) breaker.Snapshot {
			s := w.ToSnapshot(now, wall.Add(-time.Hour)) // before anything is forgotten
			for i := range s.Cooldowns {
				s.Cooldowns[i].Disk = false
			}
			return s
		}
		want := living(w[0])
		want.Merge(living(w[1]))
		if d := cmp.Diff(want, living(w[0].Merge(w[1])), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("-snapshots +words:\n%s", d)
		}
	})
}

func TestSharedNames(t *testing.T) {
	for key, want := range map[breaker.Key]string{
		"host:a.example": "a.example", "resolver:a": "resolver:a", "host:resolver:a": "host:resolver:a", "host:host:a": "host:host:a",
	} {
		name := cooldownstore.SharedName(key)
		if back, ok := cooldownstore.FromSharedName(name); name != want || back != key || !ok {
			t.Errorf("%s is written %q and read %q, %v; want %q", key, name, back, ok, want)
		}
	}
	for _, name := range []string{"", "\xff", "resolver:", "host:", "host:a", strings.Repeat("x", 254)} {
		if key, ok := cooldownstore.FromSharedName(name); ok {
			t.Errorf("%.20q reads as %q, want no key", name, key)
		}
	}
}

// FuzzSharedValues reads anything, joins a word of ours to it and reads that:
// ours is there, and nothing lasts longer than an open may.
func FuzzSharedValues(f *testing.F) {
	for _, s := range []string{
		"", "{}", "null", `{"until_wall": 1e300}`, `{"until_wall": -1, "more": {}}`, `{"until_wall": 1791374400, "reason": "x"}`,
		`{"until_wall": 1791374400.5, "more": {"shown": 1791374400.5, "cooldowns": [{"setter": "store", "stamp": "7", "until": "2026-10-07T13:00:00Z", "length_ns": 9e18}]}}`,
		`{"until_wall": 0, "more": {"clear": "3", "clear_kept": "9999-12-31T23:59:59Z", "covered": [1, 1e308, -5]}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var values cooldownstore.SharedValues
		found, _ := values.Read("host:a", text, wall)
		s := found.ToSnapshot(now, wall)
		if left := s.LastDeadline().Sub(now); left > breaker.MaxOpen {
			t.Errorf("%v left", left)
		}
		clear := found.Snapshot.Clear
		ours := breaker.Cooldown{Setter: "n1", Stamp: max(clear+1, breaker.StampAt(wall)), Until: now.Add(breaker.MaxOpen), Length: breaker.MaxOpen}
		word := cooldownstore.ShareSnapshot("host:a", breaker.Snapshot{Cooldowns: []breaker.Cooldown{ours}}, now, wall)
		value, ttl, err := values.Write(word, cooldownstore.SharedPlace{Value: text, Left: -1}, wall)
		if err != nil || value == "" || ttl < breaker.MaxOpen || len(value) > cooldownstore.MaxSharedBytes || !json.Valid([]byte(value)) {
			t.Fatalf("Write over %q: %q, %v, %v", text, value, ttl, err)
		}
		back, err := values.Read("host:a", value, wall)
		if s := back.ToSnapshot(now, wall); err != nil || s.At(now).State != breaker.Open {
			t.Errorf("%s reads %+v, %v", value, s, err)
		}
		if fmt.Sprint(back.Snapshot.Clear) != fmt.Sprint(clear) {
			t.Errorf("the clear was %d and is %d", clear, back.Snapshot.Clear)
		}
	})
}
