package sharetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

func diff(want, got any) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }

// full is a snapshot that uses every field, circuit and Renewed included.
func (b bench) full() breaker.Snapshot {
	longest := b.cooldown(3, 20*time.Minute+1)
	longest.Detail = "quoted \" ' \\ \n 雪 <&>"
	shorter := b.cooldown(4, 10*time.Minute)
	shorter.Setter, shorter.Reason, shorter.Author = "node-b", breaker.ReasonRetryAfter, ""
	return breaker.Snapshot{
		Cooldowns: []breaker.Cooldown{longest, shorter},
		Clear:     b.stamp(1), ClearKept: now.Add(breaker.KeepClear - time.Hour),
		Circuit: breaker.Circuit{State: breaker.Open, Stamp: b.stamp(9), Until: now.Add(time.Hour), Opens: 7},
		Renewed: now.Add(-time.Minute),
	}
}

func roundTrip(t *testing.T, b bench) {
	full := b.full()
	for name, snapshot := range map[string]breaker.Snapshot{
		"several cooldowns": {Cooldowns: full.Cooldowns}, "clear": {Clear: full.Clear, ClearKept: full.ClearKept}, "everything": full,
	} {
		key := breaker.HostKey(strings.ReplaceAll(name, " ", "-"))
		want := b.word(key, snapshot)
		if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{want}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		got := load(t, b.b, key)
		if d := diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if got.Snapshot.Circuit != (breaker.Circuit{}) || !got.Renewed.IsZero() {
			t.Errorf("%s: a circuit was shared: %+v", name, got)
		}
	}
}

// othersRead reads our values as a program that knows the documented fields
// only.
func othersRead(t *testing.T, b bench) {
	for _, test := range []struct {
		name     string
		snapshot breaker.Snapshot
		until    float64
		reason   string
	}{
		{"longest survivor", b.full(), b.epoch(20*time.Minute + 1), "cli-open"},
		{"clear", b.clear(9), 0, ""},
	} {
		b.put(t, b.a, test.snapshot)
		text, _, ok := b.Value(t, cooldownstore.SharedName(key))
		var got struct {
			UntilWall *float64 `json:"until_wall"`
			Reason    *string  `json:"reason"`
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || !ok || got.UntilWall == nil || got.Reason == nil {
			t.Fatalf("%s: value %q: %v", test.name, text, err)
		}
		if *got.UntilWall != test.until || *got.Reason != test.reason {
			t.Errorf("%s: other programs read %f %q, want %f %q", test.name, *got.UntilWall, *got.Reason, test.until, test.reason)
		}
	}
}

func listing(t *testing.T, b bench) {
	if got := all(t, b.a); len(got) != 0 {
		t.Errorf("a new place has %v, want nothing", got)
	}
	var words []cooldownstore.SharedWord
	want := map[breaker.Key]cooldownstore.SharedWord{}
	for _, key := range []breaker.Key{"host:a", "resolver:a", "host:b", "host:events"} {
		w := b.word(key, b.set(1, time.Hour))
		words, want[key] = append(words, w), w
	}
	if err := b.a.Put(t.Context(), words); err != nil {
		t.Fatalf("Put: %v", err)
	}
	if d := diff(want, all(t, b.b)); d != "" {
		t.Errorf("Each (-want +got):\n%s", d)
	}
	n := 0
	err := b.b.Each(t.Context(), func(w cooldownstore.SharedWord) bool {
		n++
		if err := b.b.Put(t.Context(), []cooldownstore.SharedWord{b.word(w.Key, b.set(2, time.Hour))}); err != nil {
			t.Errorf("Put inside Each: %v", err)
		}
		load(t, b.b, w.Key)
		return n < 3
	})
	if n != 3 || err != nil {
		t.Errorf("Each that is to stop at 3 yields %d, %v", n, err)
	}
}

func badWords(t *testing.T, b bench) {
	bad := b.word(key, b.set(1, time.Hour))
	bad.Wall = nil
	for name, w := range map[string]cooldownstore.SharedWord{
		"no deadline": bad,
		"long name":   b.word(breaker.HostKey(strings.Repeat("x", breaker.MaxNameBytes+1)), b.set(1, time.Hour)),
		"not UTF-8":   b.word("host:\xff", b.set(1, time.Hour)),
		"no scope":    b.word("nothing", b.set(1, time.Hour)),
	} {
		err := b.a.Put(t.Context(), []cooldownstore.SharedWord{w})
		if err == nil || !strings.Contains(err.Error(), string(w.Key)) && name != "not UTF-8" {
			t.Errorf("%s: Put: %v, want an error that names the key", name, err)
		}
	}
	if err := b.a.Put(t.Context(), nil); err != nil {
		t.Errorf("Put of nothing: %v", err)
	}
	if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, breaker.Snapshot{})}); err != nil {
		t.Errorf("Put of a word that says nothing: %v", err)
	}
	if got := all(t, b.a); len(got) != 0 {
		t.Errorf("after bad words: %v, want nothing", got)
	}
}
