package sharetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/storetest"
)

// mostLooks is far beyond how often a put of two words looks at its context.
const mostLooks = 500

// unknown cuts a put off at every point. Its caller does not know which words
// were written; each was in whole or not at all, and putting the same words or
// later ones again puts everything right.
func unknown(t *testing.T, b bench) {
	var err error
	for looks := 0; looks == 0 || err != nil; looks++ {
		keys := []breaker.Key{breaker.HostKey(fmt.Sprint("a", looks)), breaker.HostKey(fmt.Sprint("b", looks))}
		words := func(i int) (w []cooldownstore.SharedWord) {
			for _, key := range keys {
				w = append(w, b.word(key, b.set(i, time.Duration(i)*time.Hour)))
			}
			return w
		}
		put := func(w []cooldownstore.SharedWord) {
			if err := b.a.Put(t.Context(), w); err != nil {
				t.Fatalf("Put: %v", err)
			}
		}
		put(words(1))
		f := storetest.NewFuse(t, looks)
		err = b.a.Put(f, words(2))
		f.Blow()
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			t.Fatalf("Put cut off after %d looks: %v, want context.Canceled", looks, err)
		case err == nil && looks == 0 || looks == mostLooks:
			t.Fatalf("Put cut off after %d looks: %v", looks, err)
		}
		is := func(when string, least, most int) {
			t.Helper()
			for i, key := range keys {
				got := load(t, b.b, key)
				if diff(words(least)[i], got) != "" && diff(words(most)[i], got) != "" {
					t.Errorf("%s, after %d looks (%v): %+v, want word %d or %d in whole", when, looks, err, got, least, most)
				}
			}
		}
		is("cut off", 1, 2)
		if err == nil {
			is("acknowledged", 2, 2)
		}
		next := 2 + looks%2
		put(words(next))
		put(words(next))
		is("put again", next, next)
		put(words(2)) // what was under way arrives after all
		is("late", next, next)
	}
}

// writerDied puts a word whose writer is gone before it was told; the next
// handle, which knows only what is there, puts it again, or a later one.
func writerDied(t *testing.T, b bench) {
	for i, next := range []breaker.Snapshot{b.set(1, time.Hour), b.set(2, 2*time.Hour), b.clear(3)} {
		key := breaker.HostKey(fmt.Sprint("h", i))
		first := b.Open(t)
		if err := first.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, b.set(1, time.Hour))}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		_, ttl, _ := b.Value(t, key.Name())
		second := handle(t, b.Place)
		want := b.word(key, next)
		if err := second.Put(t.Context(), []cooldownstore.SharedWord{want}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		if d := diff(want, load(t, b.a, key)); d != "" {
			t.Errorf("word %d after the one that nobody acknowledged (-want +got):\n%s", i, d)
		}
		if _, again, _ := b.Value(t, key.Name()); i == 0 && again > ttl {
			t.Errorf("the same word again lives %v, want no more than the %v it had", again, ttl)
		}
	}
}

// absent lets a value run out: an absent key says nothing, not that its
// breaker is closed, and can be filled again.
func absent(t *testing.T, b bench) {
	if b.NoTTL == "" {
		b.Set(t, name, b.plain(time.Hour, "theirs"), 5*time.Millisecond)
		b.Set(t, "later", b.plain(time.Hour, "theirs"), 6*time.Millisecond) // to be looked at instead
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, _, ok := b.Value(t, "later"); !ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a value of 6 ms does not run out")
		}
	}
	if got := all(t, b.b); len(got) != 0 {
		t.Errorf("the listing has %v, want nothing", got)
	}
	if w, ok, err := b.a.Load(t.Context(), key); ok || err != nil || !w.Snapshot.Empty() {
		t.Errorf("Load of a value that ran out: %+v, %v, %v; want nothing", w, ok, err)
	}
	want := b.word(key, b.set(1, time.Hour))
	b.put(t, b.a, b.set(1, time.Hour))
	if d := diff(want, load(t, b.b, key)); d != "" {
		t.Errorf("filled again (-want +got):\n%s", d)
	}
}
