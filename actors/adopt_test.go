package actors_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

// elsewhere is the circuit another node tripped a second ago, open for as long.
func (r *rig) elsewhere(d time.Duration) breaker.Snapshot {
	now := r.clock.Now()
	return breaker.Snapshot{Circuit: breaker.Circuit{
		State: breaker.Open, Stamp: r.clock.Stamp(), Until: now.Add(d), FirstTrip: now.Add(-time.Second), Opens: 1,
		Reason: breaker.ReasonConsecutive,
	}}
}

func TestAdoptWakes(t *testing.T) {
	for _, c := range []struct {
		name string
		seen bool // the view has it already, so the actor recalls it
	}{{"not in the view", false}, {"in the view", true}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(r *rig) { r.members.Store(3) })
			other := r.elsewhere(time.Hour)
			if c.seen {
				r.merge(key, other)
			}
			r.Adopt(key, other, true)
			if m := r.next(t); m.To != breaker.Open || m.Reason != breaker.ReasonConsecutive {
				t.Errorf("announced %+v, want open", m)
			}
			if q := r.question(t); !q.Heal || q.From != other.Circuit.FirstTrip { // healing must not open the fleet
				t.Errorf("asked %+v, want the present members since the first trip", q)
			}
			if in := r.quiet(t, key, "an adoption"); in.Snapshot.Circuit != other.Circuit {
				t.Errorf("it holds %+v, want %+v", in.Snapshot.Circuit, other.Circuit)
			}
		})
	}
}

func TestAdoptWithoutWake(t *testing.T) {
	r := newRig(t, nil)
	other := r.elsewhere(time.Hour)
	r.Adopt(key, other, false)
	if n := r.cluster.Active(); n != 0 {
		t.Fatalf("%d actors, want none", n)
	}
	r.fail(key, 1)
	r.quiet(t, key, "a failure") // now it is there
	r.Adopt(key, other, false)
	if m := r.next(t); m.To != breaker.Open {
		t.Errorf("announced %+v, want open", m)
	}
	gone := breaker.Snapshot{Clear: r.clock.Stamp(), ClearKept: r.clock.Now().Add(breaker.KeepClear)}
	r.Adopt(key, gone, false)
	if m := r.next(t); m.From != breaker.Open || m.To != breaker.Closed {
		t.Errorf("announced %+v, want what an operator said elsewhere: closed", m)
	}
}

func TestTheStricterOfTwoOwnersSaysItAgain(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 5)
	r.next(t)
	own := r.of(key).Circuit
	r.Adopt(key, r.elsewhere(time.Second), true)
	in := r.quiet(t, key, "a milder circuit")
	if again := in.Snapshot.Circuit; again.Until != own.Until || again.Stamp <= own.Stamp || r.of(key).Circuit != again {
		t.Errorf("it holds %+v and the view %+v, want %+v with a later stamp", again, r.of(key).Circuit, own)
	}
}

func TestJoinedAsksAboutAnOpenCircuit(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 5)
	r.next(t)
	r.members.Store(3)
	r.Joined(key)
	q := r.question(t)
	if !q.Heal {
		t.Fatalf("asked %+v, want a healing round", q)
	}
	r.Witness(key, answer(q, "n2", 0))
	r.Witness(key, answer(q, "n3", r.clock.Now())) // it answers the newcomer
	if m := r.next(t); m.From != breaker.Open || m.To != breaker.Closed {
		t.Errorf("announced %+v, want closed: a success counts as a probe", m)
	}
	r.EndRound(key, q.Round)
	r.quiet(t, key, "the end of the round")
	r.Joined(key)
	r.quiet(t, key, "joining a closed breaker")
}

func TestJoinedKeepsWhatNobodyRefutes(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 5)
	r.next(t)
	r.members.Store(2)
	r.Joined(key)
	q := r.question(t)
	r.Witness(key, answer(q, "n2", q.From)) // not newer than the first trip
	r.EndRound(key, q.Round)
	if in := r.quiet(t, key, "a round that refutes nothing"); in.Status.State != breaker.Open {
		t.Errorf("%v, want open", in.Status.State)
	}
}
