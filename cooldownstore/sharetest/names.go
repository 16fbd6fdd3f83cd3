package sharetest

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// hostile are texts that a server, a pattern or JSON might take for something
// else: all valid UTF-8, none empty, none longer than a name.
var hostile = []string{
	"a", "A", "xn--bcher-kva.example", "bücher.example", "bu\u0308cher.example", "雪", "*", "[a]?b", "{tag}.example", "{}", "a b\n\x00c",
	"nul\x00", "\x00", "\r\n", " a", "a ", "'", "\"", "`", "\\", "\\u0000", "%", "%00", "?a=b#c", "/", "..", "'; DROP TABLE x; --",
	"2001:db8::1", "resolver:x", "host:x", "host:resolver:x", "breaker:cooldown:x", "breaker:cooldown:events", "events", "null", "0", "true",
	"\u202egro.elpmaxe", "\u200fa", "a\u200b", "\ufeffa", "\ufffd", "\u2028", "<&>", "\U0001F600", "\x7f", "\x1b[31mred",
	strings.Repeat("l", 64) + ".example", strings.Repeat("x", breaker.MaxNameBytes), strings.Repeat("雪", breaker.MaxNameBytes/3),
}

// names puts a word of its own under every hostile name: no two may meet.
func names(t *testing.T, b bench) {
	want := map[breaker.Key]cooldownstore.SharedWord{}
	for i, name := range hostile {
		for j, key := range []breaker.Key{breaker.HostKey(name), breaker.ResolverKey(name)} {
			want[key] = b.word(key, b.set(2*i+j, time.Hour))
			if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{want[key]}); err != nil {
				t.Errorf("Put of %q: %v", key, err)
			}
		}
	}
	if len(want) != 2*len(hostile) {
		t.Fatalf("%d names make %d keys: the list has one twice", len(hostile), len(want))
	}
	for key := range want {
		if d := diff(want[key], load(t, b.b, key)); d != "" {
			t.Errorf("%q (-want +got):\n%s", key, d)
		}
	}
	for _, name := range []string{"", "bad\xff", "resolver:", "host:a.example", strings.Repeat("l", 255), strings.Repeat("x", 1<<16)} {
		b.Set(t, name, b.plain(time.Hour, "names no breaker"), 0)
	}
	if d := diff(want, all(t, b.b)); d != "" {
		t.Errorf("beside hostile names (-want +got):\n%s", d)
	}
}

// texts puts hostile texts into every field that has one. What is not UTF-8
// may come back mended, but stamps and deadlines come back.
func texts(t *testing.T, b bench) {
	for i, text := range append([]string{"\xff", "cut\xe9\x9b"}, hostile...) {
		text = breaker.Cut("n" + text) // as it is at every edge
		c := b.cooldown(i, time.Hour+time.Duration(i)*time.Second)
		c.Setter, c.Author, c.Detail, c.Reason = text, text, text, breaker.Reason(text)
		want := b.word(key, breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
		if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{want}); err != nil {
			t.Fatalf("Put of %q: %v", text, err)
		}
		got := load(t, b.b, key)
		if len(got.Wall) != 1 || got.Snapshot.Cooldowns[0].Stamp != c.Stamp || !got.Wall[0].Equal(want.Wall[0]) {
			t.Errorf("%q: %+v, want its stamp and deadline", text, got)
		}
		want.UpdatedAt = got.UpdatedAt // of the first of these words, or of this
		if utf8.ValidString(text) && diff(want, got) != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff(want, got))
		}
	}
}
