package cooldownstore

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fleetfuse/breaker"
)

func drawMore(t *rapid.T) sharedMore {
	text := func(name string) string {
		return rapid.OneOf(rapid.StringMatching(`[a-z <&0-9-]{0,9}`), rapid.String(), rapid.Just(`"\`+"\n"), rapid.Just("Zoë 雪\u2028\xff")).Draw(t, name)
	}
	at := func(name string) time.Time {
		ns := rapid.OneOf(rapid.Just[int64](0), rapid.Int64Range(1, 1<<62)).Draw(t, name)
		if ns == 0 {
			return time.Time{}
		}
		return time.Unix(0, ns).UTC()
	}
	stamp := func(name string) stampText { return stampText(rapid.Uint64().Draw(t, name)) }
	m := sharedMore{
		Shown: rapid.Float64().Draw(t, "shown"), Clear: stamp("clear"), ClearKept: at("kept"),
		Covered: rapid.SliceOfN(rapid.Float64(), 0, 3).Draw(t, "covered"), UpdatedAt: at("updated"), Renewed: at("renewed"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "cooldowns") {
		m.Cooldowns = append(m.Cooldowns, sharedCooldown{
			Setter: text("setter"), Stamp: stamp("stamp"), Until: at("until"), LengthNS: time.Duration(rapid.Int64().Draw(t, "length")),
			Reason: text("reason"), Author: text("author"), Detail: text("detail"),
		})
	}
	return m
}

func diffMore(a, b any) string { return cmp.Diff(a, b, cmpopts.EquateEmpty()) }

// What is written is what encoding/json writes, and the scan and encoding/json
// read the same from it.
func TestScanIsJSON(t *testing.T) {
	scanned, appended := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := drawMore(t)
		var a appender
		if a.more(&m); !a.failed {
			appended++
		}
		text, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		marshalled, err := json.Marshal(&m)
		if err != nil || string(marshalled) != text {
			t.Errorf("%s is written, encoding/json writes %s, %v", text, marshalled, err)
		}
		var want sharedMore
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		var got sharedMore
		if s := (scan{rest: text}); s.more(&got) {
			scanned++
			if d := diffMore(want, got); d != "" || s.rest != "" {
				t.Errorf("%s: %q is left (-json +scan):\n%s", text, s.rest, d)
			}
		}
		if got, ok := decodeMore(text, nil); !ok || diffMore(want, got) != "" {
			t.Errorf("%s: %v\n%s", text, ok, diffMore(want, got))
		}
		cut := rapid.IntRange(0, len(text)-1).Draw(t, "cut")
		if _, ok := decodeMore(text[:cut], nil); ok {
			t.Errorf("the first %d bytes of %s are read", cut, text)
		}
		value, err := json.Marshal(sharedValue{UntilWall: m.Shown, Reason: "cli-open", Detail: "d", More: &m})
		if err != nil {
			t.Fatal(err)
		}
		var v sharedValue
		if s := (scan{rest: string(value)}); s.value(&v) && (s.rest != "" || diffMore(want, *v.More) != "" || v.UntilWall != m.Shown || v.Detail != "d") {
			t.Errorf("%s reads %+v", value, v)
		}
	})
	if scanned == 0 || appended == 0 {
		t.Errorf("%d were appended and %d scanned, want some", appended, scanned)
	}
}

// A state.db of the first schema has stamps as numbers.
func TestMoreWithNumbers(t *testing.T) {
	const text = `{"shown":5,"cooldowns":[{"setter":"n","stamp":144115188075855873,"until":"2026-10-07T12:00:00Z","length_ns":1,"reason":"x"}],"clear":7,"renewed":"2026-10-07T12:00:00Z"}`
	w, shown, ok := DecodeMore("host:a", text)
	if !ok || shown != 5 || w.Snapshot.Cooldowns[0].Stamp != 144115188075855873 || w.Snapshot.Clear != 7 || w.Renewed.IsZero() {
		t.Errorf("%+v, %v, %v", w, shown, ok)
	}
}

func BenchmarkDecodeMore(b *testing.B) {
	c := breaker.Cooldown{Setter: "node-a", Stamp: 1 << 57, Length: time.Hour, Reason: breaker.ReasonRetryAfter, Detail: "429"}
	at := time.Date(2026, 10, 7, 12, 0, 0, 123_456_789, time.UTC)
	text, err := EncodeMore(SharedWord{Record: Record{Snapshot: breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}, Wall: []time.Time{at}, UpdatedAt: at}})
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"scan": text, "json": " " + text} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := DecodeMore("host:a", text); !ok {
					b.Fatal(text)
				}
			}
		})
	}
	b.Run("encode", func(b *testing.B) {
		w, _, _ := DecodeMore("host:a", text)
		b.ReportAllocs()
		for b.Loop() {
			EncodeMore(w)
		}
	})
}
