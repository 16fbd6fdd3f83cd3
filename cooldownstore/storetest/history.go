package storetest

import (
	"fmt"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// version is an operator's overlay.
func version(i int) breaker.Snapshot {
	return breaker.Snapshot{Overlays: []breaker.Overlay{{
		Register: breaker.RegisterOperator, Stamp: breaker.Stamp(i), Base: breaker.Stamp(i - 1), Fields: fmt.Sprint("fail_max:", i),
	}}}
}

func past(t tester, s cooldownstore.Store, key breaker.Key) []cooldownstore.OverlayRecord {
	t.Helper()
	list, err := s.Overlays(t.Context(), key)
	if err != nil {
		t.Fatalf("Overlays: %v", err)
	}
	return list
}

// history: what a save replaces stays in the history, also when the key is
// deleted, and the record has what is in force.
func history(t *testing.T, s cooldownstore.Store) {
	if list := past(t, s, key); len(list) != 0 {
		t.Errorf("Overlays of a key never seen: %+v, want none", list)
	}
	both := record(key, breaker.Snapshot{Overlays: overlays()})
	save(t, s, both, record("host:other", version(7)))
	save(t, s, both) // hearing it again adds nothing
	operator := breaker.Snapshot{Overlays: overlays()[1:]}
	save(t, s, record(key, operator))
	if got, _ := load(t, s, key); diff(record(key, operator), got) != "" {
		t.Errorf("after one register went (-want +got):\n%s", diff(record(key, operator), got))
	}
	save(t, s, record(key, breaker.Snapshot{}))
	if r, ok := load(t, s, key); ok {
		t.Errorf("after both went it is %+v, want none", r)
	}
	want := []cooldownstore.OverlayRecord{both.OverlayRecords()[1], both.OverlayRecords()[0]}
	if d := diff(want, past(t, s, key)); d != "" {
		t.Errorf("the history, the latest first (-want +got):\n%s", d)
	}
	if got := all(t, s); len(got) != 1 || diff(record("host:other", version(7)), got["host:other"]) != "" {
		t.Errorf("the other key is %+v, want alone and as it was", got)
	}
}

// boundedHistory: the oldest go, and never what is in force.
func boundedHistory(t *testing.T, s cooldownstore.Store) {
	const most = cooldownstore.MaxPastOverlays
	for i := range most + 20 {
		save(t, s, record(key, version(i+1)))
	}
	list := past(t, s, key)
	if len(list) < most-1 || len(list) > most || list[0].Stamp != most+20 {
		t.Errorf("%d are remembered, want %d up to the latest", len(list), most)
	}
	if got, _ := load(t, s, key); diff(record(key, version(most+20)), got) != "" {
		t.Errorf("in force (-want +got):\n%s", diff(record(key, version(most+20)), got))
	}
}
