package storetest

import (
	"fmt"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// twoHandles reads with one what the other did.
func twoHandles(t *testing.T, p Place) {
	a, b := p.handle(t), p.handle(t)
	for name, snapshot := range parts() {
		want := record(key, snapshot)
		save(t, a, want)
		if got, ok := load(t, b, key); !ok || diff(want, got) != "" {
			t.Errorf("%s by the other handle, found %v (-want +got):\n%s", name, ok, diff(want, got))
		}
		a, b = b, a // and the other way round
	}
	save(t, b, record("host:b", full()))
	if d := diff(all(t, b), all(t, a)); d != "" || len(all(t, a)) != 2 {
		t.Errorf("the listings of the two (-b +a):\n%s", d)
	}
	save(t, b, record(key, breaker.Snapshot{}))
	if r, ok := load(t, a, key); ok {
		t.Errorf("deleted by the other handle it is %+v", r)
	}
	if err := a.SetMeta(t.Context(), "node_id", "n1"); err != nil {
		t.Errorf("SetMeta: %v", err)
	}
	shut(t, a)
	if got, err := b.Meta(t.Context(), "node_id"); got != "n1" || err != nil {
		t.Errorf("Meta by the other handle, its writer closed: %q, %v", got, err)
	}
	save(t, b, record(key, full()))
	if got := all(t, b); len(got) != 2 {
		t.Errorf("with the other handle closed there are %d records, want 2", len(got))
	}
}

func twoWriters(t *testing.T, p Place) { concurrent(t, p.handle(t), p.handle(t)) }

// reopened closes the last handle and reads with a new one.
func reopened(t *testing.T, p Place) {
	s := p.Open(t)
	want := map[breaker.Key]cooldownstore.Record{}
	for name, snapshot := range parts() {
		r := record(breaker.HostKey(name), snapshot)
		want[r.Key] = r
		save(t, s, r, record("host:gone", full()))
	}
	save(t, s, record("host:gone", breaker.Snapshot{}))
	if err := s.SetMeta(t.Context(), "node_id", "n1"); err != nil {
		t.Errorf("SetMeta: %v", err)
	}
	shut(t, s)
	s = p.handle(t)
	if d := diff(want, all(t, s)); d != "" {
		t.Errorf("opened again (-want +got):\n%s", d)
	}
	if got, err := s.Meta(t.Context(), "node_id"); got != "n1" || err != nil {
		t.Errorf("opened again the node id is %q, %v", got, err)
	}
}

// writerDied saves a word that the next handle's owner does not know to be
// saved, and saves it again, or a later one. An adapter on disk kills real
// processes too.
func writerDied(t *testing.T, p Place) {
	for name, next := range map[string]cooldownstore.Record{
		"the same word": generation(key, 1), "a later word": generation(key, 2), "the end of it": record(key, breaker.Snapshot{}),
	} {
		s := p.Open(t)
		save(t, s, generation(key, 1), generation("host:beside", 1))
		shut(t, s)
		s = p.Open(t)
		save(t, s, next)
		want := map[breaker.Key]cooldownstore.Record{"host:beside": generation("host:beside", 1)}
		if !next.Snapshot.Empty() {
			want[key] = next
		}
		if d := diff(want, all(t, s)); d != "" {
			t.Errorf("%s after the one that nobody acknowledged (-want +got):\n%s", name, d)
		}
		shut(t, s)
	}
}

// generation is the i-th word on a key: full, with stamps that tell it from
// others.
func generation(key breaker.Key, i int) cooldownstore.Record {
	s := full()
	mark := breaker.Stamp(1<<57 + 100 + i)
	s.Cooldowns[0].Stamp, s.Circuit.Stamp = mark, mark
	return record(key, s)
}

func generationOf(r cooldownstore.Record) int {
	return int(r.Snapshot.Circuit.Stamp - (1<<57 + 100))
}

// closedBesideWriters closes a handle that others are using. Each of their
// saves was done or says that the store is closed.
func closedBesideWriters(t *testing.T, p Place) {
	s := p.Open(t)
	acknowledged := CloseBesideWriters(t, func() { shut(t, s) }, func(w, i int) error {
		return s.Save(t.Context(), []cooldownstore.Record{generation(breaker.HostKey(fmt.Sprint("h", w)), i)}, cooldownstore.SurvivesKill)
	})
	if p.Forgets != "" {
		return
	}
	s = p.handle(t)
	for w, i := range acknowledged {
		r, _ := load(t, s, breaker.HostKey(fmt.Sprint("h", w)))
		if got := generationOf(r); got != i && got != i+1 { // the outcome of the last one is unknown
			t.Errorf("writer %d: word %d is there, want the last that was acknowledged, %d, or the next", w, got, i)
		}
	}
}
