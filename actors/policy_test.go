package actors_test

import (
	"errors"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

func (r *rig) lay(t *testing.T, change spread.Lay) spread.LayResult {
	t.Helper()
	change.Register = breaker.RegisterOperator
	result, err := r.Lay(t.Context(), key, change)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestLay: a change is committed, announced and answered; its version grows and
// is compared; what is refused changes nothing.
func TestLay(t *testing.T) {
	r := newRig(t, nil)
	none := breaker.Stamp(0)
	first := r.lay(t, spread.Lay{Set: "fail_max:3", Match: &none})
	if first.Was.Stamp != 0 || first.Overlay.Fields != "fail_max:3" || first.Overlay.Stamp == 0 || !first.Durable || first.Copies != 1 {
		t.Errorf("the first is %+v", first)
	}
	if s := r.of(key); s.Overlay(breaker.RegisterOperator) != first.Overlay {
		t.Errorf("the view has %+v, want %+v", s.Overlays, first.Overlay)
	}
	if n := len(r.keeper.commits()); n != 1 {
		t.Errorf("%d commits, want 1", n)
	}
	if again := r.lay(t, spread.Lay{Set: "fail_max:4", Match: &none}); !again.Conflict || again.Overlay != first.Overlay {
		t.Errorf("with the version of before it is %+v, want a conflict", again)
	}
	if bad := r.lay(t, spread.Lay{Set: "bad"}); len(bad.Refused) != 1 || bad.Overlay != first.Overlay {
		t.Errorf("what is refused is %+v", bad)
	}
	second := r.lay(t, spread.Lay{Set: "fail_max:4", Match: &first.Overlay.Stamp})
	if second.Conflict || second.Was != first.Overlay || second.Overlay.Stamp <= first.Overlay.Stamp {
		t.Errorf("the second is %+v after %+v", second, first)
	}
	if n := len(r.keeper.commits()); n != 2 {
		t.Errorf("%d commits, want 2: what is refused commits nothing", n)
	}
}

// TestLayKeepsWhatIsKnown: an operator's close and a passivated actor leave the
// overlay, and a disk that fails is told.
func TestLayKeepsWhatIsKnown(t *testing.T) {
	r := newRig(t, nil)
	r.keeper.answer = spread.OperatorResult{Copies: 1, Err: errors.New("disk full")}
	laid := r.lay(t, spread.Lay{Set: "fail_max:3"})
	if laid.Durable || laid.Err == nil {
		t.Errorf("with a full disk it is %+v", laid)
	}
	if _, err := r.Close(t.Context(), key, "me", ""); err != nil {
		t.Fatal(err)
	}
	if s := r.of(key); s.Overlay(breaker.RegisterOperator) != laid.Overlay {
		t.Errorf("after a close the view has %+v", s.Overlays)
	}
}

// TestLayStandIn: where no owner answers, the node asked changes the policy, and
// the owner hears of it like of any other word.
func TestLayStandIn(t *testing.T) {
	r := newRig(t, nil)
	stood, err := r.LayStandIn(t.Context(), key, spread.Lay{Register: breaker.RegisterOperator, Set: "fail_max:3"})
	if err != nil || stood.Overlay.Fields != "fail_max:3" || stood.Copies != 1 {
		t.Errorf("it answers %+v", stood)
	}
	r.Adopt(key, r.of(key), true)
	if next := r.lay(t, spread.Lay{Set: "fail_max:4"}); next.Was != stood.Overlay {
		t.Errorf("the owner's next is made from %+v, want %+v", next.Was, stood.Overlay)
	}
}

// TestLayHearsOfALaterChange: the member that is to hold a change knows of one
// that its maker does not. The change is made from that, or is a conflict.
func TestLayHearsOfALaterChange(t *testing.T) {
	r := newRig(t, nil)
	first := r.lay(t, spread.Lay{Set: "fail_max:3"})
	later := breaker.Overlay{Register: breaker.RegisterOperator, Stamp: first.Overlay.Stamp + 1, Base: first.Overlay.Stamp, Fields: "fail_max:7"}
	r.keeper.mu.Lock()
	r.keeper.later = later
	r.keeper.mu.Unlock()
	if c := r.lay(t, spread.Lay{Set: "fail_max:4", Match: &first.Overlay.Stamp}); !c.Conflict || c.Overlay.Stamp != later.Stamp {
		t.Errorf("from the version before it is %+v, want a conflict", c)
	}
	r.keeper.mu.Lock()
	r.keeper.later = breaker.Overlay{Register: breaker.RegisterOperator, Stamp: later.Stamp + 1, Base: later.Stamp, Fields: "fail_max:8"}
	r.keeper.mu.Unlock()
	if c := r.lay(t, spread.Lay{Set: "fail_max:4"}); c.Was.Stamp != later.Stamp+1 || c.Overlay.Base != later.Stamp+1 || c.Overlay.Fields != "fail_max:4" {
		t.Errorf("without a version to match it is %+v, want it made from what the member knew", c)
	}
}

// TestLayTwice: a change that is asked for again, because its first owner was
// gone before it answered, is not made twice.
func TestLayTwice(t *testing.T) {
	r := newRig(t, nil)
	none := breaker.Stamp(0)
	change := spread.Lay{ID: 77, Set: "fail_max:3", Match: &none}
	first := r.lay(t, change)
	r.lay(t, spread.Lay{ID: 78, Set: "fail_max:9"}) // somebody else was faster than the repeat
	change.Again = true
	again := r.lay(t, change)
	if again.Conflict || again.Overlay != first.Overlay || again.Was.Stamp != 0 || !again.Durable {
		t.Errorf("again it is %+v, want %+v", again, first)
	}
}

// TestLayKnowsWhatIsHeldHere: what this node holds for another one is in the view
// before it is out of the mailbox. A change is not made from the version before.
func TestLayKnowsWhatIsHeldHere(t *testing.T) {
	r := newRig(t, nil)
	first := r.lay(t, spread.Lay{Set: "fail_max:3"})
	held := breaker.Overlay{Register: breaker.RegisterOperator, Stamp: first.Overlay.Stamp + 1, Base: first.Overlay.Stamp, Fields: "fail_max:7"}
	r.merge(key, breaker.Snapshot{Overlays: []breaker.Overlay{held}})
	if c := r.lay(t, spread.Lay{Set: "fail_max:4"}); c.Was != held || c.Overlay.Base != held.Stamp {
		t.Errorf("it is made from %+v, want %+v", c.Was, held)
	}
}
