package planner_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fleetfuse/tuner"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/planner"
)

// A cohort so large that a record has no room for all of it is held against those that
// it has room for, by the next tuner too.
func TestLargeCohortIsHeldAgainstWhatIsRecorded(t *testing.T) {
	const hosts = 110
	r := newRig(t, hosts)
	for i := range hosts {
		r.lost[host(i)] = 4 // what one costs does not tell it from the others
	}
	r.pass(time.Hour)
	list := cases(hosts)
	for i := range list {
		s := &list[i].Advice.Suggestions[0]
		s.Why = strings.Repeat("why ", 100)
		for range 5 {
			s.Numbers = append(s.Numbers, tuner.Number{Name: "usual share of failures, at most", Value: 0.012345678, Unit: "calls"})
		}
		list[i].Before = "trial_calls:2,success_threshold:2"
	}
	records := r.enforce(list)
	next := &rig{Planner: planner.New(settings()), t: t, bucket: r.bucket, lost: r.lost, opens: r.opens}
	next.Recall(next.now(), records)
	for _, x := range []*rig{r, next} {
		trial := x.Trials()[0]
		if len(trial.Waiting) < 20 || len(trial.Waiting) >= hosts-len(trial.Tried) {
			t.Errorf("%d wait for %d", len(trial.Waiting), len(trial.Tried))
		}
	}
	for _, record := range records {
		text, err := json.Marshal(record)
		if err != nil || len(text) > planner.MaxRecordBytes || record.Trial.Against != canary.Others {
			t.Errorf("a record of %d bytes, held against %s: %v", len(text), record.Trial.Against, err)
		}
	}
	for i := range hosts {
		r.lost[host(i)] = 8 // an incident of all: no matter of the change
	}
	for range 120 {
		r.pass(time.Minute)
		if orders, _ := r.Judge(r.now(), false); len(orders) > 0 {
			t.Fatalf("taken back: %s", orders[0].Cause.Why)
		}
	}
}

// A trial that is to be held against others, of which none are known, is not judged.
func TestTrialAgainstNobody(t *testing.T) {
	r := newRig(t, 20)
	records := r.enforce(cases(20))
	for i := range records {
		records[i].Waiting = nil
	}
	next := &rig{Planner: planner.New(settings()), t: t, bucket: r.bucket, lost: r.lost, opens: r.opens}
	next.pass(time.Hour)
	next.Recall(next.now(), records)
	orders, _ := next.Judge(next.now(), true)
	if len(orders) != len(records) || !strings.Contains(orders[0].Cause.Why, "was lost") {
		t.Errorf("orders %+v", orders)
	}
}
