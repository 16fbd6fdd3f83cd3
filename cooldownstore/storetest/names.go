package storetest

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// hostile are texts that something on the way to a disk might take for
// something else: all valid UTF-8, none empty, none longer than a name.
var hostile = []string{
	"a", "A", "2001:db8::1", "127.0.0.1", "xn--bcher-kva.example", "bücher.example", "bu\u0308cher.example", "雪.jp", "_dmarc.example",
	"x'; DROP TABLE breaker_cooldowns; --", "\"", "'", "`", "\\", "%", "%00", "?", "?1", ":name", "@v", "$1", "*", "[a]", "{}",
	"a b", " a", "a ", "\t", "new\nline", "cr\r\n", "nul\x00nul", "\x00", "a\x00", "nul", "NULL", "1", "1.0", "1e3", "0x10", "true",
	"?mode=ro#x", "..", "/", "../state.db", "host:a", "host:host:a", "resolver:a", "host:resolver:a", "resolver:", "host:", "resolver:host:x",
	"\u202egro.elpmaxe", "\u200fa", "a\u200b", "\ufeffa", "\ufffd", "\U0001F600.example", "\u2028", "\x7f", "\x1b[31mred",
	strings.Repeat("l", 63) + ".example", strings.Repeat("l", 64) + ".example", strings.Repeat("n", breaker.MaxNameBytes),
	strings.Repeat("雪", breaker.MaxNameBytes/3), strings.Repeat("a.", breaker.MaxNameBytes/2),
}

// names saves a record of its own under every hostile name: no two of them may
// meet, whatever a store takes for the same.
func names(t *testing.T, s cooldownstore.Store) {
	want := map[breaker.Key]cooldownstore.Record{}
	for i, name := range hostile {
		for _, k := range []breaker.Key{breaker.HostKey(name), breaker.ResolverKey(name)} {
			snapshot := breaker.Snapshot{
				Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: breaker.Stamp(1<<57 + 2*i), Until: now.Add(time.Hour), Length: time.Hour}},
				Circuit:   breaker.Circuit{State: breaker.Open, Stamp: breaker.Stamp(1<<57 + 2*i + 1), Until: now.Add(time.Minute)},
				Clear:     breaker.Stamp(2*i + 1 + len(want)%2), ClearKept: now.Add(time.Hour),
			}
			want[k] = record(k, snapshot)
			save(t, s, want[k])
		}
	}
	if len(want) != 2*len(hostile) {
		t.Fatalf("%d names make %d keys: the list has one twice", len(hostile), len(want))
	}
	if d := diff(want, all(t, s)); d != "" {
		t.Errorf("Each (-want +got):\n%s", d)
	}
	for k, r := range want {
		if got, ok := load(t, s, k); !ok || diff(r, got) != "" {
			t.Errorf("Load(%q), found %v (-want +got):\n%s", k, ok, diff(r, got))
		}
	}
	gone := breaker.HostKey(hostile[0])
	delete(want, gone)
	save(t, s, record(gone, breaker.Snapshot{}))
	if d := diff(want, all(t, s)); d != "" {
		t.Errorf("with %s deleted (-want +got):\n%s", gone, d)
	}
}

// badNames saves what names no breaker. A store may refuse it or keep it; what
// else it holds stays as it was.
func badNames(t *testing.T, s cooldownstore.Store) {
	good := record(key, full())
	save(t, s, good)
	bad := []breaker.Key{
		"host:\xff", "host:a\xc3", "resolver:\xed\xa0\x80", breaker.HostKey(strings.Repeat("n", breaker.MaxNameBytes+1)),
		breaker.HostKey(strings.Repeat("l", 255) + ".example"), breaker.HostKey(strings.Repeat("x", 1<<20)),
	}
	for _, k := range bad {
		want := record(k, full())
		if s.Save(t.Context(), []cooldownstore.Record{want}, cooldownstore.SurvivesKill) == nil {
			if got, ok := load(t, s, k); ok && diff(want, got) != "" {
				t.Errorf("Load(%.40q) (-want +got):\n%s", k, diff(want, got))
			}
		}
		if _, _, err := s.Load(t.Context(), k); err != nil {
			t.Errorf("Load(%.40q): %v", k, err)
		}
	}
	got := all(t, s)
	for _, k := range bad {
		delete(got, k)
	}
	if d := diff(map[breaker.Key]cooldownstore.Record{key: good}, got); d != "" {
		t.Errorf("beside bad names (-want +got):\n%s", d)
	}
}

// texts puts hostile texts into every field that has one. What is not UTF-8
// may come back mended, but stamps and deadlines come back.
func texts(t *testing.T, s cooldownstore.Store) {
	for _, text := range append([]string{"\xff", "cut\xe9\x9b", strings.Repeat("ü", 1<<16)}, hostile...) {
		snapshot := full()
		c := &snapshot.Cooldowns[0]
		c.Setter, c.Author, c.Detail, c.Reason = text, text, text, breaker.Reason(text)
		k := &snapshot.Circuit
		k.Role, k.Detail, k.Reason = text, text, breaker.Reason(text)
		want := record(key, snapshot)
		save(t, s, want)
		got, _ := load(t, s, key)
		if utf8.ValidString(text) {
			if d := diff(want, got); d != "" {
				t.Errorf("%.40q (-want +got):\n%s", text, d)
			}
			continue
		}
		if diff(want.Wall, got.Wall) != "" || got.Snapshot.Cooldowns[0].Stamp != c.Stamp || diff(want.Circuit, got.Circuit) != "" {
			t.Errorf("%q: %+v, want its stamps and deadlines", text, got)
		}
	}
}
