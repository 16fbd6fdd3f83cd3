package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

func roundTrip(t *testing.T, s cooldownstore.Store) {
	for name, snapshot := range parts() {
		for _, d := range []cooldownstore.Durability{cooldownstore.SurvivesKill, cooldownstore.SurvivesPowerLoss} {
			want := record(key, snapshot)
			if err := s.Save(t.Context(), []cooldownstore.Record{want}, d); err != nil {
				t.Fatalf("%s: Save: %v", name, err)
			}
			got, ok := load(t, s, key)
			if d := diff(want, got); !ok || d != "" {
				t.Errorf("%s: record, found %v (-want +got):\n%s", name, ok, d)
			}
			if d := diff(fromDisk(snapshot), got.ToSnapshot(now, wall)); d != "" {
				t.Errorf("%s: snapshot (-want +got):\n%s", name, d)
			}
		}
	}
	if r, ok := load(t, s, breaker.ResolverKey(key.Name())); ok {
		t.Errorf("the resolver of that name has the record %+v, want none", r)
	}
}

func replace(t *testing.T, s cooldownstore.Store) {
	save(t, s, record(key, full()))
	for name, snapshot := range parts() {
		want := record(key, snapshot)
		save(t, s, want)
		if got, _ := load(t, s, key); diff(want, got) != "" {
			t.Errorf("%s over the one before (-want +got):\n%s", name, diff(want, got))
		}
	}
	last := record(key, breaker.Snapshot{Circuit: circuit()})
	save(t, s, record(key, full()), last)
	if got, _ := load(t, s, key); diff(last, got) != "" {
		t.Errorf("twice in one save, the last counts (-want +got):\n%s", diff(last, got))
	}
}

func deleteByEmpty(t *testing.T, s cooldownstore.Store) {
	other := breaker.ResolverKey(key.Name())
	save(t, s, record(key, full()), record(other, full()))
	save(t, s, record(key, breaker.Snapshot{}), record("host:never.seen", breaker.Snapshot{}))
	if r, ok := load(t, s, key); ok {
		t.Errorf("after an empty snapshot: %+v, want none", r)
	}
	if got := all(t, s); len(got) != 1 || diff(record(other, full()), got[other]) != "" {
		t.Errorf("the other key after the delete: %+v, want it alone and as it was", got)
	}
}

func atomic(t *testing.T, s cooldownstore.Store) {
	ctx, cancel := cancelledContext(t)
	defer cancel()
	if err := s.Save(ctx, []cooldownstore.Record{record("host:a", full()), record("host:b", full())}, cooldownstore.SurvivesKill); err == nil {
		t.Error("Save with a cancelled context succeeded")
	}
	if got := all(t, s); len(got) != 0 {
		t.Errorf("after a save that failed: %v, want nothing", got)
	}
	save(t, s) // nothing at all is fine too
}

func each(t *testing.T, s cooldownstore.Store) {
	if got := all(t, s); len(got) != 0 {
		t.Errorf("a new store has %v, want nothing", got)
	}
	want := map[breaker.Key]cooldownstore.Record{}
	for name, snapshot := range parts() {
		r := record(breaker.HostKey(strings.ReplaceAll(name, " ", "-")+".example"), snapshot)
		want[r.Key] = r
		save(t, s, r)
	}
	if d := diff(want, all(t, s)); d != "" {
		t.Errorf("Each (-want +got):\n%s", d)
	}
	n := 0
	err := s.Each(t.Context(), func(cooldownstore.Record) bool { n++; return n < 3 })
	if n != 3 || err != nil {
		t.Errorf("Each that is to stop at 3 yields %d, %v", n, err)
	}
}

func eachCalls(t *testing.T, s cooldownstore.Store) {
	save(t, s, record("host:a", full()), record("host:b", full()))
	err := s.Each(t.Context(), func(r cooldownstore.Record) bool {
		if _, ok := load(t, s, r.Key); !ok {
			t.Errorf("Load of %s inside Each finds nothing", r.Key)
		}
		save(t, s, record(r.Key, breaker.Snapshot{}))
		return true
	})
	if got := all(t, s); err != nil || len(got) != 0 {
		t.Errorf("after deleting inside Each: %v, %v, want nothing", got, err)
	}
}

func sharesNothing(t *testing.T, s cooldownstore.Store) {
	mine := record(key, full())
	save(t, s, mine)
	spoil := func(r cooldownstore.Record) {
		r.Snapshot.Cooldowns[0].Detail = "spoiled"
		r.Wall[0] = time.Time{}
	}
	spoil(mine)
	first, _ := load(t, s, key)
	spoil(first)
	spoil(all(t, s)[key])
	if got, _ := load(t, s, key); diff(record(key, full()), got) != "" {
		t.Errorf("after changing the caller's copies (-want +got):\n%s", diff(record(key, full()), got))
	}
}

func meta(t *testing.T, s cooldownstore.Store) {
	want := func(name, value string) {
		t.Helper()
		if got, err := s.Meta(t.Context(), name); got != value || err != nil {
			t.Errorf("Meta(%q) = %.40q, %v, want %.40q", name, got, err, value)
		}
	}
	want("node_id", "")
	for _, value := range []string{"n1", "n2", "", "雪\x00\n'", strings.Repeat("x", 1<<20)} {
		if err := s.SetMeta(t.Context(), "node_id", value); err != nil {
			t.Fatalf("SetMeta: %v", err)
		}
		want("node_id", value)
		want("seeds", "")
	}
}

func closed(t *testing.T, s cooldownstore.Store) {
	save(t, s, record(key, full()))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for name, err := range callAll(t.Context(), s) {
		if !errors.Is(err, cooldownstore.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	if s.Kind() == "" {
		t.Error("Kind after Close is empty")
	}
}
