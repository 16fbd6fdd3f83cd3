package actors_test

import (
	"errors"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// standing returns a rig that owns no key and knows of one that is open.
func standing(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, func(r *rig) {
		r.members.Store(3)
		r.keeper.answer = spread.OperatorResult{Durable: true, Copies: 2}
		r.keeper.onCommit = func() {
			if len(r.moved) != 0 {
				t.Error("it was announced before it was committed")
			}
		}
	})
	r.router.lost.Store(true)
	return r
}

func TestStandInOpens(t *testing.T) {
	r := standing(t)
	fresh := r.clock.Stamp()
	got := r.StandIn(t.Context(), key, time.Hour, "ann", "maintenance")
	if !got.Durable || got.Copies != 2 || got.Err != nil {
		t.Errorf("StandIn = %+v, want what the keeper said", got)
	}
	if got.Before.State != breaker.Closed || got.After.State != breaker.Open || got.After.Author != "ann" {
		t.Errorf("it went from %+v to %+v, want from closed to ann's open", got.Before, got.After)
	}
	if m := r.next(t); m.key != key || m.To != breaker.Open || m.Reason != breaker.ReasonCLIOpen || m.Author != "ann" {
		t.Errorf("announced %+v, want ann's open", m)
	}
	seen := r.of(key)
	if len(seen.Cooldowns) != 1 || seen.Cooldowns[0].Setter != "n1" || seen.Cooldowns[0].Stamp <= fresh {
		t.Errorf("the view has %+v, want an open of this node with a fresh stamp", seen.Cooldowns)
	}
	if kept := r.keeper.commits(); len(kept) != 1 || !sameCooldowns(kept[0], seen) {
		t.Errorf("committed %+v, want once what the view has", kept)
	}
	if r.keeper.unbounded {
		t.Error("the commit has no deadline")
	}
	if n := r.cluster.Active(); n != 0 || len(r.asked) != 0 {
		t.Errorf("%d actors and %d rounds, want none", n, len(r.asked))
	}
}

func TestStandInCloses(t *testing.T) {
	r := standing(t)
	broken := errors.New("disk full")
	r.keeper.answer = spread.OperatorResult{Copies: 1, Err: broken}
	open := r.elsewhere(time.Hour)
	r.merge(key, open)
	got := r.StandIn(t.Context(), key, 0, "bob", "works again")
	if got.Durable || got.Copies != 1 || !errors.Is(got.Err, broken) {
		t.Errorf("StandIn = %+v, want what the keeper said", got)
	}
	if got.Before.State != breaker.Open || got.After.State != breaker.Closed {
		t.Errorf("it went from %+v to %+v, want from open to closed", got.Before, got.After)
	}
	if m := r.next(t); m.From != breaker.Open || m.To != breaker.Closed || m.Author != "bob" { // announced in any case
		t.Errorf("announced %+v, want bob's close", m)
	}
	seen := r.of(key)
	if st := seen.At(r.clock.Now()); st.State != breaker.Closed || seen.Clear <= open.Circuit.Stamp {
		t.Errorf("the view has %+v, want a clear with a fresh stamp", seen)
	}
	if kept := r.keeper.commits(); len(kept) != 1 || kept[0].Clear != seen.Clear {
		t.Errorf("committed %+v, want the clear", kept)
	}
	r.StandIn(t.Context(), key, 0, "bob", "")
	if again := r.of(key); again.Clear <= seen.Clear || len(r.moved) != 1 { // it empties rings
		t.Errorf("a second close left %+v and announced %d times, want a later clear, announced", again, len(r.moved))
	}
}

func TestOwnerAdoptsTheStandIn(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 5)
	r.next(t)
	r.inspect(t, key)
	r.StandIn(t.Context(), key, 0, "bob", "") // the actor is here but hung
	if m := r.next(t); m.To != breaker.Closed {
		t.Fatalf("announced %+v, want closed", m)
	}
	if st := r.inspect(t, key).Status; st.State != breaker.Open {
		t.Fatalf("the owner is %v, want open: it has not heard", st.State)
	}
	r.Adopt(key, r.of(key), false)
	if m := r.next(t); m.From != breaker.Open || m.To != breaker.Closed {
		t.Errorf("the owner announced %+v, want closed", m)
	}
}
