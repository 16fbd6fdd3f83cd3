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
	tn := keeper(t)
	n := tn.node
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
	var told recordsTold
	if err := json.Unmarshal(o.Body, &told); err != nil {
		t.Fatal(err)
	}
	if len(told.Records) != records || told.Cut || len(o.Body) > maxObserved {
		t.Errorf("%d of %d records in %d bytes, cut: %v", len(told.Records), records, len(o.Body), told.Cut)
	}
	for _, r := range told.Records {
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

// keeper is a node that keeps records, and no more.
func keeper(t *testing.T) *tuning {
	t.Helper()
	n := &Node{clock: clock.New()}
	t.Cleanup(n.clock.Stop)
	n.tuning = &tuning{node: n, decisions: decisions.Open(t.Context(), "", decisions.Options{})}
	t.Cleanup(func() { n.tuning.decisions.Close() })
	return n.tuning
}

// tried are the records of a plan that was tried with some breakers, for which others
// wait: as they were begun and made.
func tried(n int, at time.Time, plan string) (records []planner.Record) {
	change := planner.Change{Suggestion: tuner.Suggestion{Field: tuner.FieldFailMax, Rule: tuner.RuleFalseTrips, Why: strings.Repeat("y", 300), Current: 5, Proposed: 7}}
	var waiting []planner.Waiting
	for i := range 60 {
		waiting = append(waiting, planner.Waiting{Key: breaker.HostKey(fmt.Sprintf("w%d.example", i)), Changes: []planner.Change{change}})
	}
	for i := range n {
		key := breaker.HostKey(fmt.Sprintf("%s-%d.example", plan, i))
		for _, kind := range []guard.Event{planner.Begun, guard.Enforced} {
			r := planner.Record{
				Record: guard.Record{ID: fmt.Sprint(plan, kind, i), Kind: kind, At: at.UnixMilli(), Key: key, Plan: plan, Why: strings.Repeat("w", 200), Changes: []guard.Change{{Key: key, Field: tuner.FieldFailMax, From: 5, To: 7}}},
				Done:   []planner.Change{change},
			}
			if kind == guard.Enforced {
				r.At, r.Waiting = r.At+1, waiting
			}
			records = append(records, r)
		}
	}
	return records
}

// Who waits for a trial is told once, by a record that is not over; what was begun and
// made need not be told twice.
func TestWhoWaitsIsToldOnce(t *testing.T) {
	tn := keeper(t)
	_, wall := tn.node.clock.Both()
	var all []planner.Record
	for p := range 10 { // 30 KB of who waits in each of 400 records do not fit
		all = append(all, tried(40, wall.Add(-time.Hour), fmt.Sprint("p", p))...)
	}
	reset := planner.ResetOf(wall, all[1].Key, "ann")
	tn.write(append(all, reset))
	told, err := tn.ledger(t.Context())
	if err != nil || told.Cut || len(told.Records) != 401 {
		t.Fatalf("%d records, cut: %v, %v", len(told.Records), told.Cut, err)
	}
	waiting := map[string]int{}
	for _, r := range told.Records {
		if len(r.Waiting) > 0 {
			waiting[r.Plan]++
		}
		if len(r.Waiting) > 0 && r.Key == reset.Key || r.Kind == planner.Begun {
			t.Errorf("told %s of %s", r.Kind, r.Key)
		}
	}
	if len(waiting) != 10 || waiting["p0"] != 1 || waiting["p9"] != 1 {
		t.Errorf("who waits is told %v times", waiting)
	}
	p := planner.New(planner.Settings{})
	p.Recall(wall, told.Records)
	for _, trial := range p.Trials() {
		if len(trial.Waiting) != 60 {
			t.Errorf("%d wait for %s", len(trial.Waiting), trial.Plan)
		}
	}
	// Another member has not heard of the reset, and tells who waits with that record.
	other := keeper(t)
	other.write(all)
	theirs, err := other.ledger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p = planner.New(planner.Settings{})
	p.Recall(wall, merged(append(told.Records, theirs.Records...)))
	if n := len(p.Trials()); n != 10 {
		t.Errorf("%d trials, want 10", n)
	}
	for _, trial := range p.Trials() {
		if len(trial.Waiting) != 60 {
			t.Errorf("of two members: %d wait for %s", len(trial.Waiting), trial.Plan)
		}
	}
}

// What does not fit into an answer is not left out in silence.
func TestLedgerThatIsCutSaysSo(t *testing.T) {
	tn := keeper(t)
	_, wall := tn.node.clock.Both()
	for p := range 200 {
		tn.write(tried(1, wall.Add(-time.Hour), fmt.Sprint("p", p)))
	}
	b := &board{tuning: tn}
	o, err := b.observe(t.Context(), spread.Observe{What: observeRecords, Query: []byte(`{"ask":true}`)})
	if err != nil {
		t.Fatal(err)
	}
	var told recordsTold
	if err := json.Unmarshal(o.Body, &told); err != nil || !told.Cut || len(told.Records) < 20 || len(o.Body) > maxObserved {
		t.Errorf("%d records in %d bytes, cut: %v, %v", len(told.Records), len(o.Body), told.Cut, err)
	}
}

// A record fits where it is told, where it is kept, and where all are told.
func TestSizesOfRecordsAgree(t *testing.T) {
	if !(planner.MaxRecordBytes < toldBytes && planner.MaxRecordBytes < decisions.MaxBody && maxRecords*planner.MaxRecordBytes < maxObserved) {
		t.Errorf("records of %d bytes do not fit into %d, %d or, %d of them, %d", planner.MaxRecordBytes, toldBytes, decisions.MaxBody, maxRecords, maxObserved)
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
