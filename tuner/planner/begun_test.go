package planner_test

import (
	"slices"
	"testing"
	"time"

	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// A tuner whose node was lost while it made a change leaves it to the next one, who
// cannot know whether it was made, and takes it back.
func TestWhatNobodyFinishedIsTakenBack(t *testing.T) {
	r := newRig(t, 1)
	plan := r.Draw(r.now(), 10*time.Minute, cases(1))
	orders, err := r.Enforce(r.now(), plan.ID, "ann")
	if err != nil {
		t.Fatal(err)
	}
	begun := r.Begin(r.now(), orders)
	if len(begun) != 1 || begun[0].Kind != planner.Begun || begun[0].Done[0].Proposed != 8 {
		t.Fatalf("told before: %+v", begun)
	}
	next := &rig{Planner: planner.New(settings()), t: t, bucket: r.bucket, lost: r.lost, opens: r.opens}
	next.Recall(next.now(), begun)
	next.Recalled()
	if orders, _ := next.Judge(next.now(), true); len(orders) != 0 {
		t.Errorf("it may be going on still: %+v", orders)
	}
	next.pass(3 * time.Minute)
	orders, _ = next.Judge(next.now(), false)
	if len(orders) != 1 || !orders[0].Undo || orders[0].Changes[0].Field != "fail_max" {
		t.Fatalf("orders %+v", orders)
	}
	records := next.done(orders)
	if len(records) != 1 || records[0].Kind != planner.NotMade || !begun[0].EndedBy(records[0]) {
		t.Errorf("records %+v", records)
	}
	if orders, _ := next.Judge(next.now(), true); len(orders) != 0 {
		t.Errorf("taken back twice: %+v", orders)
	}
}

// Whoever hears how it ended, before or after it heard of the beginning, leaves it.
func TestWhatWasFinishedIsLeft(t *testing.T) {
	for _, made := range []bool{true, false} {
		r := newRig(t, 1)
		plan := r.Draw(r.now(), 10*time.Minute, cases(1))
		orders, err := r.Enforce(r.now(), plan.ID, "ann")
		if err != nil {
			t.Fatal(err)
		}
		begun := r.Begin(r.now(), orders)
		result := planner.Result{Order: orders[0]}
		if !made {
			result.Err = planner.ErrNothing
		}
		ended := r.Enforced(r.now(), []planner.Result{result})
		for _, told := range [][]planner.Record{slices.Concat(begun, ended), slices.Concat(ended, begun)} {
			next := &rig{Planner: planner.New(settings()), t: t, bucket: r.bucket, lost: r.lost, opens: r.opens}
			for _, record := range told {
				next.Recall(next.now(), []planner.Record{record})
			}
			next.pass(3 * time.Minute)
			if orders, _ := next.Judge(next.now(), false); len(orders) != 0 {
				t.Errorf("made %v: orders %+v", made, orders)
			}
			if trials := next.Trials(); (len(trials) == 1) != made {
				t.Errorf("made %v: trials %+v", made, trials)
			}
			if !made && ended[0].Kind == guard.Enforced {
				t.Errorf("a failed order is told as %s", ended[0].Kind)
			}
		}
	}
}
