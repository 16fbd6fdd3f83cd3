package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

func cancelledContext(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

// callAll calls every method that can fail and returns what each said.
func callAll(ctx context.Context, s cooldownstore.Store) map[string]error {
	_, _, loadErr := s.Load(ctx, key)
	_, metaErr := s.Meta(ctx, "node_id")
	return map[string]error{
		"Load":    loadErr,
		"Save":    s.Save(ctx, []cooldownstore.Record{record(key, full())}, cooldownstore.SurvivesKill),
		"commit":  s.Save(ctx, []cooldownstore.Record{record(key, full())}, cooldownstore.SurvivesPowerLoss),
		"Each":    s.Each(ctx, func(cooldownstore.Record) bool { return true }),
		"News":    s.News(ctx, func(cooldownstore.Record) bool { return true }),
		"Meta":    metaErr,
		"SetMeta": s.SetMeta(ctx, "node_id", "n1"),
	}
}

func cancelled(t *testing.T, s cooldownstore.Store) {
	ctx, cancel := cancelledContext(t)
	defer cancel()
	for name, err := range callAll(ctx, s) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
		if (name == "Load" || name == "Save" || name == "commit") && !strings.Contains(fmt.Sprint(err), string(key)) {
			t.Errorf("%s: %v, want the key in it", name, err)
		}
	}
	for name, err := range callAll(t.Context(), s) {
		if err != nil {
			t.Errorf("%s after a cancelled one: %v", name, err)
		}
	}
}

// concurrent writes one key of every writer's own and one of all, whose parts
// must come from one write. Both come from one save, so a listing shows that of
// the writer who was last.
func concurrent(t *testing.T, handles ...cooldownstore.Store) {
	const writers, rounds = 8, 25
	writer := func(w int) breaker.Key { return breaker.HostKey(fmt.Sprintf("h%d.example", w)) }
	var group sync.WaitGroup
	for w := range writers {
		s := handles[w%len(handles)]
		own := writer(w)
		group.Go(func() {
			for i := range rounds {
				mark := w*rounds + i
				batch := []cooldownstore.Record{generation(key, mark), generation(own, mark)}
				if err := s.Save(t.Context(), batch, cooldownstore.Durability(i%2)); err != nil {
					t.Errorf("Save: %v", err)
				}
				r, ok, err := s.Load(t.Context(), key)
				if err != nil || !ok || r.Snapshot.Cooldowns[0].Stamp != r.Snapshot.Circuit.Stamp {
					t.Errorf("Load beside writers: %+v, %v, %v, want the parts of one write", r, ok, err)
				}
				if r, _, err := s.Load(t.Context(), own); err != nil || generationOf(r) != mark {
					t.Errorf("Load of what was just saved: word %d, %v, want %d", generationOf(r), err, mark)
				}
				got := all(t, s)
				last := generationOf(got[key])
				if beside := got[writer(last/rounds)]; generationOf(beside) != last {
					t.Errorf("a listing shows word %d of all and word %d of its writer, want all of a save", last, generationOf(beside))
				}
			}
		})
	}
	group.Wait()
	for _, s := range handles {
		got := all(t, s)
		if len(got) != writers+1 || generationOf(got[key])%rounds != rounds-1 {
			t.Errorf("after the writers there are %d records, and word %d of all; want %d, and somebody's last", len(got), generationOf(got[key]), writers+1)
		}
		for w := range writers {
			own := writer(w)
			if d := diff(generation(own, w*rounds+rounds-1), got[own]); d != "" {
				t.Errorf("%s is not the last one written (-want +got):\n%s", own, d)
			}
		}
	}
}

// hundredThousand also shows that a node finds the highest stamp with Each.
func hundredThousand(t *testing.T, s cooldownstore.Store) {
	if testing.Short() {
		t.Skip("writes 100,000 records")
	}
	const n, batch = 100_000, 10_000
	name := func(i int) breaker.Key { return breaker.HostKey(fmt.Sprintf("h%d.example", i)) }
	word := func(i int) cooldownstore.Record {
		return record(name(i), breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
			Setter: "n", Stamp: breaker.Stamp(1<<57 + i), Until: now.Add(time.Hour), Length: time.Hour, Reason: breaker.ReasonRetryAfter,
		}}})
	}
	records := make([]cooldownstore.Record, 0, batch)
	for i := range n {
		records = append(records, word(i))
		if len(records) == batch {
			save(t, s, records...)
			records = records[:0]
		}
	}
	count, highest := 0, breaker.Stamp(0)
	err := s.Each(t.Context(), func(r cooldownstore.Record) bool {
		count++
		highest = max(highest, r.Snapshot.MaxStamp())
		return true
	})
	if want := breaker.Stamp(1<<57 + n - 1); err != nil || count != n || highest != want {
		t.Errorf("Each: %d records, highest stamp %d, %v; want %d and %d", count, highest, err, n, want)
	}
	for i := 0; i < n; i += n / 10 {
		if got, ok := load(t, s, name(i)); !ok || diff(word(i), got) != "" {
			t.Errorf("Load of the %d. (-want +got):\n%s", i, diff(word(i), got))
		}
	}
}
