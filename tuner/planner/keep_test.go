package planner_test

import (
	"testing"
	"time"

	"fleetfuse/tuner/planner"
)

// A plan is kept for ten minutes, however many others are made: those that change
// nothing are not, and of the others only what enforcing needs.
func TestPlansAreKeptAsPromised(t *testing.T) {
	r := newRig(t, 30)
	plan := r.Draw(r.now(), 10*time.Minute, cases(30))
	for range 9 {
		r.pass(time.Minute)
		for range 10 {
			r.Draw(r.now(), 10*time.Minute, []planner.Case{failMax(host(99), 8)})
		}
		for i := range 3 {
			r.Draw(r.now().Add(time.Duration(i)), 10*time.Minute, cases(1))
		}
	}
	orders, err := r.Enforce(r.now(), plan.ID, "ann")
	if err != nil || len(orders) != 3 || len(r.Waiting(plan.ID)) != 27 || len(orders[0].Waiting) != 27 {
		t.Fatalf("%d orders, %v", len(orders), err)
	}
	if records := r.done(orders); len(records[0].Inputs) == 0 || len(records[0].Proof) == 0 {
		t.Errorf("what it was decided from is not recorded: %+v", records[0])
	}
	if n := r.Plans(); n != 28 {
		t.Errorf("%d plans are kept, want 28", n)
	}
	for i := range 200 {
		r.Draw(r.now().Add(time.Duration(i)), 10*time.Minute, []planner.Case{failMax(host(20+i%10), 8)})
	}
	if n := r.Plans(); n > 100 {
		t.Errorf("%d plans are kept, want at most 100", n)
	}
	r.pass(11 * time.Minute)
	if r.Draw(r.now(), 10*time.Minute, []planner.Case{failMax(host(99), 8)}); r.Plans() != 0 {
		t.Errorf("%d plans are kept for more than ten minutes", r.Plans())
	}
}
