package sharetest

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

var name = cooldownstore.SharedName(key)

func foreignWord(t *testing.T, b bench) {
	b.Set(t, name, b.plain(time.Hour, "too many requests"), time.Hour)
	b.Set(t, "resolver:crossref", b.plain(time.Minute, strings.Repeat("ü", 500)), 0)
	for which, s := range map[string]cooldownstore.Shared{"Load": b.a, "Each": b.b} {
		got := all(t, s)
		w := got[key]
		if which == "Load" {
			w = load(t, s, key)
		}
		snapshot := w.ToSnapshot(now, b.wall)
		at := snapshot.At(now)
		if left := at.Until.Sub(now).Round(time.Minute); at.State != breaker.Open || left != time.Hour ||
			at.Reason != breaker.ReasonStore || at.Detail != "too many requests" || snapshot.Cooldowns[0].Setter != cooldownstore.ForeignSetter {
			t.Errorf("%s: a word of another program reads %+v, %v left", which, at, left)
		}
		resolver := got["resolver:crossref"].Snapshot.Cooldowns
		if len(resolver) != 1 || len(resolver[0].Detail) > breaker.MaxDetailBytes || !utf8.ValidString(resolver[0].Detail) {
			t.Errorf("a resolver's reads %+v, want its reason cut at a rune", resolver)
		}
	}
}

// foreignStamp reads one deadline again and again, and by two handles after
// one of them adopted it.
func foreignStamp(t *testing.T, b bench) {
	b.Set(t, name, b.plain(time.Hour, ""), 0)
	first := load(t, b.a, key)
	for breaker.StampAt(time.Now()) <= first.Snapshot.MaxStamp() { // a stamp of now would be another one
		runtime.Gosched()
	}
	if again := load(t, b.a, key); again.Snapshot.MaxStamp() != first.Snapshot.MaxStamp() {
		t.Errorf("read again it has stamp %d, want %d", again.Snapshot.MaxStamp(), first.Snapshot.MaxStamp())
	}
	b.Set(t, name, b.plain(2*time.Hour, "another"), 0)
	second := load(t, b.a, key)
	if second.Snapshot.MaxStamp() <= first.Snapshot.MaxStamp() {
		t.Errorf("another deadline has stamp %d, want one after %d", second.Snapshot.MaxStamp(), first.Snapshot.MaxStamp())
	}
	if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{second}); err != nil {
		t.Fatalf("Put: %v", err)
	}
	if d := diff(second.Snapshot, load(t, b.b, key).Snapshot); d != "" {
		t.Errorf("adopted by one handle the other reads (-want +got):\n%s", d)
	}
	b.Set(t, name, b.plain(2*time.Hour, "another"), 0) // the program repeats itself
	if repeated := load(t, b.b, key); repeated.Snapshot.MaxStamp() != second.Snapshot.MaxStamp() {
		t.Errorf("repeated it has stamp %d, want %d", repeated.Snapshot.MaxStamp(), second.Snapshot.MaxStamp())
	}
}

func foreignDeadlines(t *testing.T, b bench) {
	for name, test := range map[string]struct {
		foreign, ours time.Duration
		shown         time.Duration
	}{
		"longer survives":        {time.Hour, 10 * time.Minute, time.Hour},
		"shorter is overwritten": {10 * time.Minute, time.Hour, time.Hour},
	} {
		key := breaker.HostKey(strings.ReplaceAll(name, " ", "-"))
		b.Set(t, key.Name(), b.plain(test.foreign, "theirs"), 0)
		if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, b.set(1, test.ours))}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		if got := b.shown(t, key.Name()); got != test.shown {
			t.Errorf("%s: other programs read %v, want %v", name, got, test.shown)
		}
		_, ttl, _ := b.Value(t, key.Name())
		if ttl < test.shown || ttl > test.shown+cooldownstore.KeepEnded {
			t.Errorf("%s: lives %v, want until %v after %v", name, ttl, cooldownstore.KeepEnded, test.shown)
		}
	}
}

// shown is the deadline that other programs read.
func (b bench) shown(t *testing.T, name string) time.Duration {
	t.Helper()
	text, _, _ := b.Value(t, name)
	var v struct {
		UntilWall float64 `json:"until_wall"`
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("value %q: %v", text, err)
	}
	if v.UntilWall == 0 {
		return 0
	}
	return cooldownstore.FromEpochSeconds(v.UntilWall).Sub(b.wall).Round(time.Millisecond)
}

// foreignChange changes the documented fields of our value and leaves the rest.
func foreignChange(t *testing.T, b bench) {
	for _, test := range []struct {
		until float64
		want  time.Duration
	}{
		{b.epoch(time.Hour), time.Hour},
		{b.epoch(time.Minute), 10 * time.Minute},
		{0, 10 * time.Minute},
	} {
		b.put(t, b.a, b.clear(3), b.set(5, 10*time.Minute))
		text, _, _ := b.Value(t, name)
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		v["until_wall"], v["reason"] = test.until, "theirs"
		changed, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Set(t, name, string(changed), time.Hour)
		if got := b.left(t, b.b); got != test.want {
			t.Errorf("until_wall changed to %f: %v left, want %v", test.until, got, test.want)
		}
		shorter := test.until < b.epoch(10*time.Minute)
		if w := load(t, b.b, key); w.Outdated != shorter {
			t.Errorf("until_wall changed to %f: outdated is %v, want %v", test.until, w.Outdated, shorter)
		}
		if b.put(t, b.a, b.set(5, 10*time.Minute)); shorter && b.shown(t, name) != 10*time.Minute {
			t.Errorf("until_wall changed to %f: put again others read %v, want ours", test.until, b.shown(t, name))
		}
		if got := load(t, b.b, key).Snapshot; got.Clear != b.stamp(3) {
			t.Errorf("until_wall changed to %f: our own part reads %+v", test.until, got)
		}
		b.Set(t, name, text, time.Hour)
	}
}

// foreignCleared repeats a deadline that an operator ended.
func foreignCleared(t *testing.T, b bench) {
	theirs := b.plain(time.Hour, "theirs")
	b.Set(t, name, theirs, 0)
	if got := b.left(t, b.a); got != time.Hour {
		t.Fatalf("%v left, want their hour", got)
	}
	b.put(t, b.a, b.clear(60_000)) // by a clock a minute ahead of the place's
	if got := b.shown(t, name); got != 0 {
		t.Errorf("cleared, other programs read %v, want 0", got)
	}
	w := load(t, b.b, key)
	if len(w.Covered) != 1 || len(w.Snapshot.Cooldowns) != 0 {
		t.Errorf("the clear reads %+v, covering %v", w.Snapshot, w.Covered)
	}
	for i := range 3 {
		b.Set(t, name, theirs, 0)
		for which, s := range []cooldownstore.Shared{b.a, b.b} {
			w, ok, err := s.Load(t.Context(), key)
			if err != nil || !ok || !w.Snapshot.Empty() || !w.Outdated {
				t.Errorf("repeated, handle %d reads %+v, %v; want that it is void", which, w, err)
			}
		}
		if i > 0 {
			b.put(t, b.b, b.clear(60_000)) // the clear is put back
		}
	}
	fresh := handle(t, b.Place) // knows only what the value says
	b.put(t, b.a, b.clear(60_000))
	if w := load(t, fresh, key); len(w.Covered) != 1 {
		t.Errorf("put back, the clear covers %v", w.Covered)
	}
	b.Set(t, name, b.plain(2*time.Hour, "another"), 0)
	if got := b.left(t, b.a); got != 2*time.Hour {
		t.Errorf("another deadline: %v left, want two hours", got)
	}
}

// foreignAgainstClear ends a deadline of another program with stamps on both
// sides of the one that its first reader gave it.
func foreignAgainstClear(t *testing.T, b bench) {
	for i, test := range []struct {
		after int // the clear's stamp, from the deadline's
		there bool
	}{{-1, true}, {0, false}, {1, false}} {
		key := breaker.HostKey(fmt.Sprint("h", i))
		b.Set(t, key.Name(), b.plain(time.Hour, "theirs"), 0)
		stamp := stampOf(load(t, b.a, key))
		clear := breaker.Snapshot{Clear: breaker.Stamp(int64(stamp) + int64(test.after)), ClearKept: now.Add(breaker.KeepClear)}
		check := func(when string) {
			t.Helper()
			for name, s := range map[string]cooldownstore.Shared{"its reader": b.a, "another": b.b} {
				w, _, err := s.Load(t.Context(), key)
				if there := len(w.Snapshot.Cooldowns) == 1; err != nil || there != test.there {
					t.Errorf("a clear %d after it, %s, %s: %+v, %v; want the deadline: %v", test.after, when, name, w.Snapshot, err, test.there)
				}
			}
		}
		for range 2 {
			if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, clear)}); err != nil {
				t.Fatalf("Put: %v", err)
			}
			if w := load(t, b.b, key); w.Snapshot.Clear != clear.Clear {
				t.Errorf("a clear %d after it reads %+v", test.after, w.Snapshot)
			}
			if got := b.shown(t, key.Name()); got != map[bool]time.Duration{true: time.Hour}[test.there] {
				t.Errorf("a clear %d after it: other programs read %v", test.after, got)
			}
			check("put")
			b.Set(t, key.Name(), b.plain(time.Hour, "theirs"), 0)
			check("repeated")
		}
	}
}

func garbage(t *testing.T, b bench) {
	for i, value := range []string{
		"", "{", "null", "[]", "17", `"text"`, "tomorrow", "\x00\xff", `{}`, `{"until_wall": "1"}`, `{"until_wall": null}`, `{"until_wall": NaN}`,
		`{"until_wall": 1e999}`, `{"until_wall": []}`, b.plain(time.Hour, "half")[:20], b.plain(time.Hour, "then more") + "x",
		fmt.Sprintf(`{"until_wall": %f, "reason": "milliseconds"}`, 1000*b.epoch(time.Hour)), b.plain(3*8766*time.Hour, "years"),
		b.plain(time.Hour, strings.Repeat("x", 1<<20)), strings.Repeat("[", 100_000), `{"until_wall": -5}`, `{"until_wall": 0}`,
	} {
		b.Set(t, fmt.Sprint("g", i), value, time.Hour)
		if w, ok, err := b.a.Load(t.Context(), breaker.HostKey(fmt.Sprint("g", i))); ok || err != nil {
			t.Errorf("Load of %.40q: %+v, %v; want nothing", value, w, err)
		}
	}
	for i, value := range []string{
		fmt.Sprintf(`{"until_wall": %f}`, b.epoch(time.Hour)), fmt.Sprintf(`{"until_wall": %e, "reason": 5, "more": "x"}`, b.epoch(time.Hour)),
		fmt.Sprintf(`{"reason": null, "x": {}, "more": {"cooldowns": 7}, "until_wall": %f}`, b.epoch(time.Hour)),
	} {
		b.Set(t, fmt.Sprint("odd", i), value, time.Hour)
	}
	if got := all(t, b.b); len(got) != 3 {
		t.Errorf("beside garbage the listing has %v, want the 3 odd ones", got)
	}
	words := []cooldownstore.SharedWord{b.word("host:g2", b.set(1, time.Hour)), b.word("host:g17", b.set(1, time.Hour)), b.word("host:g18", b.set(1, time.Hour))}
	if err := b.a.Put(t.Context(), words); err != nil {
		t.Errorf("Put over garbage: %v", err)
	}
	if got := all(t, b.b); len(got) != 6 {
		t.Errorf("put over garbage, the listing has %d keys, want 6", len(got))
	}
}

// hostileOwn forges the part of a value that is ours.
func hostileOwn(t *testing.T, b bench) {
	far, until := b.stamp(int(48*time.Hour/time.Millisecond)), b.wall.Add(5*8766*time.Hour).UTC().Format(time.RFC3339Nano)
	for i, more := range []string{
		fmt.Sprintf(`{"clear": "%d", "clear_kept": %q}`, far, until),
		`{"clear": "18446744073709551615"}`,
		fmt.Sprintf(`{"cooldowns": [{"setter": "x", "stamp": "%d", "until": %q, "length_ns": 1}]}`, far, b.wall.Add(time.Hour).Format(time.RFC3339Nano)),
		fmt.Sprintf(`{"cooldowns": [{"setter": "x", "stamp": "5", "until": %q, "length_ns": 9223372036854775807}]}`, until),
		`{"cooldowns": [{"setter": "x", "stamp": "5"}, {}, {}, {}, {}, {}, {}, {}, {}, {}]}`,
	} {
		key := breaker.HostKey(fmt.Sprint("h", i))
		b.Set(t, key.Name(), fmt.Sprintf(`{"until_wall": 0, "reason": "", "more": %s}`, more), time.Hour)
		if w, ok, err := b.a.Load(t.Context(), key); ok || err != nil {
			t.Errorf("%s reads %+v, %v; want nothing", more, w, err)
		}
		if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, b.set(1, time.Hour))}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		if got := load(t, b.b, key).ToSnapshot(now, b.wall); got.At(now).Until.Sub(now) != time.Hour {
			t.Errorf("put over %s it reads %+v, want our hour", more, got)
		}
	}
}
