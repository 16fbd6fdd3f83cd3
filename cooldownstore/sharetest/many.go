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

// many are words on n keys, every cooldown with a stamp of its own.
func (b bench) many(n int) []cooldownstore.SharedWord {
	words := make([]cooldownstore.SharedWord, n)
	for i := range words {
		words[i] = b.word(breaker.HostKey(fmt.Sprintf("h%d.example", i)), b.set(i, time.Hour))
	}
	return words
}

// cancelledUnderWay cancels a listing in the middle: it ends, and says so if
// it did not show everything.
func cancelledUnderWay(t *testing.T, b bench) {
	const n = 50
	if err := b.a.Put(t.Context(), b.many(n)); err != nil {
		t.Fatalf("Put: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shown := 0
	err := b.b.Each(ctx, func(cooldownstore.SharedWord) bool {
		cancel()
		shown++
		return true
	})
	if !errors.Is(err, context.Canceled) && (err != nil || shown != n) {
		t.Errorf("Each cancelled under way: %d of %d words, %v; want context.Canceled or all", shown, n, err)
	}
	if got := all(t, b.b); len(got) != n {
		t.Errorf("after a cancelled listing there are %d words, want %d", len(got), n)
	}
}

// closedBesideWriters closes a handle that others are using. Each of their puts
// was done or says that the handle is closed.
func closedBesideWriters(t *testing.T, b bench) {
	s := b.Open(t)
	word := func(w, i int) cooldownstore.SharedWord {
		return b.word(breaker.HostKey(fmt.Sprint("h", w)), b.set(i, time.Hour+time.Duration(i)*time.Second))
	}
	acknowledged := storetest.CloseBesideWriters(t, func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}, func(w, i int) error { return s.Put(t.Context(), []cooldownstore.SharedWord{word(w, i)}) })
	for w, i := range acknowledged {
		got := stampOf(load(t, b.a, word(w, i).Key))
		if got != b.stamp(i) && got != b.stamp(i+1) { // the outcome of the last one is unknown
			t.Errorf("writer %d: stamp %d is there, want that of the last word that was acknowledged, %d, or of the next", w, got, b.stamp(i))
		}
	}
}

func hundredThousand(t *testing.T, b bench) {
	if testing.Short() {
		t.Skip("writes 100,000 words")
	}
	const n = 100_000
	words := b.many(n)
	if err := b.a.Put(t.Context(), words); err != nil {
		t.Fatalf("Put: %v", err)
	}
	if err := b.a.Put(t.Context(), words[:n/10]); err != nil { // again
		t.Fatalf("Put: %v", err)
	}
	got := all(t, b.b)
	if len(got) != n {
		t.Fatalf("Each yields %d words, want %d", len(got), n)
	}
	for i, w := range words {
		found := got[w.Key]
		if stampOf(found) != stampOf(w) || len(found.Wall) != 1 || !found.Wall[0].Equal(w.Wall[0]) {
			t.Fatalf("%s reads %+v, want %+v", w.Key, found, w)
		}
		if i%1000 == 0 && diff(w, found) != "" {
			t.Fatalf("%s (-want +got):\n%s", w.Key, diff(w, found))
		}
	}
}
