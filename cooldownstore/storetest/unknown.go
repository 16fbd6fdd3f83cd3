package storetest

import (
	"context"
	"errors"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// mostLooks is far beyond how often a save of two records looks at its context.
const mostLooks = 500

// unknown cuts a save off at every point. Its caller does not know what became
// of it: nothing or all of it, and saving the same word or a later one again
// puts everything right.
func unknown(t *testing.T, s cooldownstore.Store) {
	const other = breaker.Key("host:other")
	for _, d := range []cooldownstore.Durability{cooldownstore.SurvivesKill, cooldownstore.SurvivesPowerLoss} {
		var err error
		for looks := 0; looks == 0 || err != nil; looks++ {
			save(t, s, generation(key, 1), generation(other, 1))
			f := NewFuse(t, looks)
			err = s.Save(f, []cooldownstore.Record{generation(key, 2), generation(other, 2)}, d)
			f.Blow()
			switch {
			case err != nil && !errors.Is(err, context.Canceled):
				t.Fatalf("Save cut off after %d looks: %v, want context.Canceled", looks, err)
			case err == nil && looks == 0 || looks == mostLooks:
				t.Fatalf("Save cut off after %d looks: %v", looks, err)
			}
			a, _ := load(t, s, key)
			b, _ := load(t, s, other)
			there := generationOf(a)
			if there != 2 && (there != 1 || err == nil) || diff(generation(key, there), a)+diff(generation(other, there), b) != "" {
				t.Errorf("cut off after %d looks (%v): words %d and %d are there, want both the old or both the new", looks, err, there, generationOf(b))
			}
			next := 2 + looks%2 // the same word, or a later one
			save(t, s, generation(key, next), generation(other, next))
			want := map[breaker.Key]cooldownstore.Record{key: generation(key, next), other: generation(other, next)}
			if d := diff(want, all(t, s)); d != "" {
				t.Errorf("word %d after the unknown one (-want +got):\n%s", next, d)
			}
		}
	}
}

// cancelledUnderWay cancels a listing in the middle: it ends, and says so if
// it did not show everything.
func cancelledUnderWay(t *testing.T, s cooldownstore.Store) {
	const n = 50
	for i := range n {
		save(t, s, generation(breaker.HostKey(string(rune('a'+i))), 1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shown := 0
	err := s.Each(ctx, func(cooldownstore.Record) bool {
		cancel()
		shown++
		return true
	})
	if !errors.Is(err, context.Canceled) && (err != nil || shown != n) {
		t.Errorf("Each cancelled under way: %d of %d records, %v; want context.Canceled or all", shown, n, err)
	}
	if got := all(t, s); len(got) != n {
		t.Errorf("after a cancelled listing there are %d records, want %d", len(got), n)
	}
}
