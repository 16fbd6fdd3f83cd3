package node

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/travel"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry/decisions"
	"fleetfuse/tuner"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// A tuner that comes new to a member hears all that bears on what may be done: also
// rollbacks of a month ago, and however large the records are.
func TestLedgerIsToldInFull(t *testing.T) {
	n := &Node{clock: clock.New()}
	t.Cleanup(n.clock.Stop)
	tn := &tuning{node: n, decisions: decisions.Open(t.Context(), "", decisions.Options{})}
	t.Cleanup(func() { tn.decisions.Close() })
	n.tuning = tn
	const records = 1200
	_, wall := n.clock.Both()
	inputs := json.RawMessage(`"` + strings.Repeat("x", 20_000) + `"`)
	for i := range records {
		at := wall.Add(-time.Duration(i) * 40 * time.Minute) // the oldest is 33 days old
		key := breaker.HostKey(fmt.Sprintf("h%d.example", i))
		c := planner.Change{Suggestion: tuner.Suggestion{Field: tuner.FieldFailMax, Why: strings.Repeat("y", 500), Current: 5, Proposed: 7}}
		tn.write([]planner.Record{{
			Record: guard.Record{
				ID: fmt.Sprint(i), Kind: guard.RolledBack, At: at.UnixMilli(), Key: key,
				Changes: []guard.Change{{Key: key, Field: tuner.FieldFailMax, From: 5, To: 7}},
			},
			Done: []planner.Change{c}, Inputs: inputs,
		}})
	}
	b := &board{tuning: tn}
	o, err := b.observe(t.Context(), spread.Observe{What: observeRecords, Query: []byte(`{"ask":true}`)})
	if err != nil {
		t.Fatal(err)
	}
	var told []planner.Record
	if err := json.Unmarshal(o.Body, &told); err != nil {
		t.Fatal(err)
	}
	if len(told) != records || len(o.Body) > maxObserved {
		t.Errorf("%d of %d records in %d bytes", len(told), records, len(o.Body))
	}
	for _, r := range told {
		young := wall.Sub(time.UnixMilli(r.At)) < trialsSince
		if r.Inputs != nil || young != (len(r.Done) == 1) || r.Kind != guard.RolledBack || len(r.Changes) != 1 {
			t.Fatalf("told %+v", r)
		}
	}
	o, err = b.observe(t.Context(), spread.Observe{What: observeRecords, Query: []byte(`{"ask":true,"key":"host:h0.example"}`)})
	if err != nil || !strings.Contains(string(o.Body), "xxx") {
		t.Errorf("what one was decided from is not told: %v", err)
	}
}

// What is told to members arrives, however many large records a plan makes.
func TestRecordsAreToldInParts(t *testing.T) {
	var records []planner.Record
	for i, size := range []int{10, 100, 60_000, 10, 30_000, 30_000, 30_000, 10} {
		records = append(records, planner.Record{
			Record: guard.Record{ID: fmt.Sprint(i), Kind: guard.Enforced, At: 1, Key: "host:a.example"},
			Inputs: json.RawMessage(`"` + strings.Repeat("x", size) + `"`),
		})
	}
	told := 0
	for _, part := range inParts(records) {
		text, err := json.Marshal(recordsQuery{Told: part})
		if err != nil {
			t.Fatal(err)
		}
		f, err := travel.Depart(spread.Request{ID: 1, Body: spread.Observe{What: observeRecords, Query: text}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		m, err := travel.Arrive(f, 1)
		if err != nil {
			t.Fatal(err)
		}
		var q recordsQuery
		if err := json.Unmarshal(m.(spread.Request).Body.(spread.Observe).Query, &q); err != nil {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
		for _, r := range q.Told {
			if r.ID != fmt.Sprint(told) {
				t.Errorf("record %d is %s", told, r.ID)
			}
			told++
		}
	}
	if told != len(records) {
		t.Errorf("%d of %d told", told, len(records))
	}
	if parts := inParts(nil); len(parts) != 0 {
		t.Errorf("nothing is told in %d parts", len(parts))
	}
}
