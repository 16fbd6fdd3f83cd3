package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

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
		if name == "Load" && !strings.Contains(fmt.Sprint(err), string(key)) {
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
// must come from one write.
func concurrent(t *testing.T, s cooldownstore.Store) {
	const writers, rounds = 8, 25
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			own := breaker.HostKey(fmt.Sprintf("h%d.example", w))
			for i := range rounds {
				snapshot := full()
				mark := breaker.Stamp(1<<57 + 100 + w*rounds + i)
				snapshot.Cooldowns[0].Stamp, snapshot.Circuit.Stamp = mark, mark
				batch := []cooldownstore.Record{record(own, snapshot), record(key, snapshot)}
				if err := s.Save(t.Context(), batch, cooldownstore.Durability(i%2)); err != nil {
					t.Errorf("Save: %v", err)
				}
				if r, ok, err := s.Load(t.Context(), key); err != nil || !ok || r.Snapshot.Cooldowns[0].Stamp != r.Snapshot.Circuit.Stamp {
					t.Errorf("Load beside writers: %+v, %v, %v, want the parts of one write", r, ok, err)
				}
			}
		})
	}
	group.Wait()
	got := all(t, s)
	if len(got) != writers+1 {
		t.Errorf("after the writers there are %d records, want %d", len(got), writers+1)
	}
	for w := range writers {
		own := breaker.HostKey(fmt.Sprintf("h%d.example", w))
		if got, want := got[own].Snapshot.Circuit.Stamp, breaker.Stamp(1<<57+100+w*rounds+rounds-1); got != want {
			t.Errorf("%s has stamp %d, want the last one written, %d", own, got, want)
		}
	}
}

// tenThousand also shows that a node finds the highest stamp with Each.
func tenThousand(t *testing.T, s cooldownstore.Store) {
	const n, batch = 10_000, 1_000
	var records []cooldownstore.Record
	for i := range n {
		snapshot := full()
		snapshot.Circuit.Stamp += breaker.Stamp(i)
		records = append(records, record(breaker.HostKey(fmt.Sprintf("h%d.example", i)), snapshot))
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
	if want := circuit().Stamp + n - 1; err != nil || count != n || highest != want {
		t.Errorf("Each: %d records, highest stamp %d, %v; want %d and %d", count, highest, err, n, want)
	}
}
