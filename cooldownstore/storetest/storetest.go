// Package storetest is the contract every cooldown store passes.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

var wall = time.Unix(1_700_000_000, 0)

const now = breaker.Instant(time.Hour)

// full is a snapshot that uses every field.
func full() breaker.Snapshot {
	return breaker.Snapshot{
		Cooldowns: []breaker.Cooldown{
			{Setter: "n1", Stamp: 50, Until: now.Add(time.Minute), Length: 2 * time.Minute, Reason: breaker.ReasonCLIOpen, Author: "älice", Detail: "💥\"'; --"},
			{Setter: "n2", Stamp: 60, Until: now.Add(time.Second), Length: time.Second, Reason: breaker.ReasonRetryAfter},
		},
		Circuit: breaker.Circuit{
			State: breaker.Open, Stamp: 70, Until: now.Add(3 * time.Second), FirstTrip: now.Add(-time.Minute), Opens: 3,
			Reason: breaker.ReasonConsecutive, Role: "artifact", ByRole: true, Detail: "d",
		},
		Clear: 40, ClearKept: now.Add(time.Hour), Renewed: now.Add(-time.Second),
	}
}

// Run runs the contract against stores that open makes.
func Run(t *testing.T, open func(t *testing.T) cooldownstore.Store) {
	for name, test := range map[string]func(*testing.T, cooldownstore.Store){
		"RoundTrip": roundTrip, "Replace": replace, "HostileNames": hostileNames, "Meta": meta,
		"Cancelled": cancelled, "Closed": closed, "Concurrent": concurrent,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			test(t, s)
		})
	}
}

func mustSave(t *testing.T, s cooldownstore.Store, key breaker.Key, snap breaker.Snapshot) {
	t.Helper()
	r := cooldownstore.FromSnapshot(key, snap, now, wall)
	if err := s.Save(t.Context(), []cooldownstore.Record{r}, cooldownstore.SurvivesPowerLoss); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, s cooldownstore.Store, key breaker.Key) (breaker.Snapshot, bool) {
	t.Helper()
	r, ok, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return breaker.Snapshot{}, false
	}
	return r.ToSnapshot(now, wall), true
}

func roundTrip(t *testing.T, s cooldownstore.Store) {
	key := breaker.HostKey("a.example")
	mustSave(t, s, key, full())
	want := full()
	for i := range want.Cooldowns {
		want.Cooldowns[i].Disk = true
	}
	got, ok := mustLoad(t, s, key)
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	if _, ok := mustLoad(t, s, breaker.ResolverKey("a.example")); ok {
		t.Error("a resolver has the record of the host of the same name")
	}
}

func replace(t *testing.T, s cooldownstore.Store) {
	key := breaker.ResolverKey("crossref")
	mustSave(t, s, key, full())
	second := breaker.Snapshot{Clear: 90, ClearKept: now.Add(time.Hour)}
	mustSave(t, s, key, second)
	if got, _ := mustLoad(t, s, key); cmp.Diff(second, got) != "" {
		t.Errorf("after replacing: %+v, want %+v", got, second)
	}
	mustSave(t, s, key, breaker.Snapshot{})
	if got, ok := mustLoad(t, s, key); ok {
		t.Errorf("after an empty snapshot: %+v, want nothing", got)
	}
}

func hostileNames(t *testing.T, s cooldownstore.Store) {
	names := []string{"x'; DROP TABLE meta; --", "ü", "resolver:", "a:b", "%", "\"", "host:host"}
	for _, n := range names {
		mustSave(t, s, breaker.HostKey(n), full())
	}
	seen := map[breaker.Key]bool{}
	if err := s.Each(t.Context(), func(r cooldownstore.Record) bool { seen[r.Key] = true; return true }); err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if !seen[breaker.HostKey(n)] {
			t.Errorf("host %q is missing from the list %v", n, seen)
		}
	}
}

func meta(t *testing.T, s cooldownstore.Store) {
	if got, err := s.Meta(t.Context(), "node_id"); got != "" || err != nil {
		t.Errorf("Meta before SetMeta = %q, %v; want nothing", got, err)
	}
	for _, want := range []string{"one", "two"} {
		if err := s.SetMeta(t.Context(), "node_id", want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Meta(t.Context(), "node_id"); got != want || err != nil {
			t.Errorf("Meta = %q, %v; want %q", got, err, want)
		}
	}
}

func cancelled(t *testing.T, s cooldownstore.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := cooldownstore.FromSnapshot("host:a", full(), now, wall)
	if err := s.Save(ctx, []cooldownstore.Record{r}, cooldownstore.SurvivesKill); !errors.Is(err, context.Canceled) {
		t.Errorf("Save with a cancelled context = %v", err)
	}
	if _, _, err := s.Load(ctx, "host:a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Load with a cancelled context = %v", err)
	}
}

func closed(t *testing.T, s cooldownstore.Store) {
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	if _, _, err := s.Load(t.Context(), "host:a"); !errors.Is(err, cooldownstore.ErrClosed) {
		t.Errorf("Load after Close = %v, want ErrClosed", err)
	}
	if err := s.Save(t.Context(), nil, cooldownstore.SurvivesKill); !errors.Is(err, cooldownstore.ErrClosed) {
		t.Errorf("Save after Close = %v, want ErrClosed", err)
	}
}

func concurrent(t *testing.T, s cooldownstore.Store) {
	const writers, keys = 8, 100
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range keys {
				r := cooldownstore.FromSnapshot(breaker.HostKey(fmt.Sprintf("h%d", i)), full(), now, wall)
				if err := s.Save(t.Context(), []cooldownstore.Record{r}, cooldownstore.Durability(w%2)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	n := 0
	if err := s.Each(t.Context(), func(cooldownstore.Record) bool { n++; return true }); err != nil || n != keys {
		t.Errorf("Each saw %d records, %v; want %d", n, err, keys)
	}
}
