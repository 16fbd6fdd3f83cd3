package actors_test

import (
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// counted returns a rig of three members whose breaker has counted enough
// failures of enough nodes, and the question that follows from it.
func counted(t *testing.T) (*rig, spread.WitnessQuestion) {
	t.Helper()
	r := newRig(t, func(r *rig) { r.members.Store(3) })
	r.failAt("n1", key, 5)
	r.quiet(t, key, "the failures of one node")
	time.Sleep(2 * time.Millisecond) // so that there is something between the first and the last
	r.failAt("n2", key, 1)
	q := r.question(t)
	if q.Key != key || q.Round == 0 || q.Heal || q.From >= q.To || q.To > r.clock.Now() {
		t.Fatalf("asked %+v, want about the run so far", q)
	}
	return r, q
}

// answer is what a member saw.
func answer(q spread.WitnessQuestion, node string, success breaker.Instant) breaker.WitnessAnswer {
	return breaker.WitnessAnswer{Round: q.Round, Node: node, Success: success}
}

func TestRoundTrips(t *testing.T) {
	r, q := counted(t)
	r.failAt("n2", key, 1) // reports are merged meanwhile, and start no other round
	for _, node := range []string{"n1", "n2", "n3"} {
		r.Witness(key, answer(q, node, 0))
	}
	r.Witness(key, answer(q, "n3", q.To.Add(1))) // a second answer, and outside the span
	if in := r.quiet(t, key, "the answers"); in.Status.State != breaker.Closed {
		t.Errorf("%v before the round is over, want closed", in.Status.State)
	}
	r.EndRound(key, q.Round)
	m := r.next(t)
	if m.key != key || m.To != breaker.Open || m.Reason != breaker.ReasonConsecutive || m.Failures != 5 {
		t.Errorf("announced %+v, want open for a run of 5 failures", m)
	}
	slices.Sort(m.Nodes)
	if !slices.Equal(m.Nodes, []string{"n1", "n2"}) {
		t.Errorf("the witnesses are %v, want n1 and n2", m.Nodes)
	}
	r.EndRound(key, q.Round)
	if in := r.quiet(t, key, "a second end"); in.Status.State != breaker.Open {
		t.Errorf("%v in the end, want open", in.Status.State)
	}
}

func TestSilenceIsNoVeto(t *testing.T) {
	r, q := counted(t)
	r.EndRound(key, q.Round)
	if m := r.next(t); m.To != breaker.Open {
		t.Errorf("announced %+v, want open", m)
	}
}

func TestVetoRefuses(t *testing.T) {
	r, q := counted(t)
	r.Witness(key, answer(q, "n3", q.To.Add(-1))) // between n1's failures and n2's
	r.EndRound(key, q.Round)
	in := r.quiet(t, key, "a veto")
	if in.Status.State != breaker.Closed || len(in.Runs) != 1 || in.Runs[0].Failures != 1 {
		t.Errorf("after a veto: %v, runs %+v; want closed, with the failure after the success", in.Status.State, in.Runs)
	}
	r.failAt("n1", key, 4)
	r.quiet(t, key, "a run that is complete within a second of a refusal")
	again := r.question(t) // the actor's own timer asks when the second is over
	if again.Round <= q.Round {
		t.Errorf("asked with round %d after %d, want a later one", again.Round, q.Round)
	}
	r.EndRound(key, again.Round)
	if m := r.next(t); m.To != breaker.Open || m.Failures != 5 {
		t.Errorf("announced %+v, want open for 5 failures", m)
	}
}

func TestAnotherRoundChangesNothing(t *testing.T) {
	r, q := counted(t)
	other := q
	other.Round--
	r.Witness(key, answer(other, "n3", q.To.Add(-1)))
	r.EndRound(key, other.Round)
	if in := r.quiet(t, key, "what belongs to another round"); in.Status.State != breaker.Closed || in.Runs[0].Failures != 5 {
		t.Errorf("after another round: %v, runs %+v; want closed, the whole run", in.Status.State, in.Runs)
	}
	r.EndRound(key, q.Round)
	if m := r.next(t); m.To != breaker.Open {
		t.Errorf("announced %+v, want open", m)
	}
}

func TestTransitionVoidsTheRound(t *testing.T) {
	r, q := counted(t)
	if _, err := r.Close(t.Context(), key, "ann", ""); err != nil {
		t.Fatal(err)
	}
	r.next(t)
	r.EndRound(key, q.Round)
	if in := r.quiet(t, key, "the end of a void round"); in.Status.State != breaker.Closed {
		t.Errorf("%v, want what ann said, closed", in.Status.State)
	}
}

func TestAnswersActivateNobody(t *testing.T) {
	r := newRig(t, nil)
	r.Witness(key, breaker.WitnessAnswer{Round: 1, Node: "n2"})
	r.EndRound(key, 1)
	if n := r.cluster.Active(); n != 0 {
		t.Errorf("%d actors, want none", n)
	}
}

// TestRoundEndsWithItsActor has answers arrive in the mailbox of an actor that
// goes: the next one has no such round.
func TestRoundEndsWithItsActor(t *testing.T) {
	r, q := counted(t)
	release := r.hold(key)
	r.Drop(key)
	r.Witness(key, answer(q, "n3", 0))
	r.EndRound(key, q.Round)
	release()
	waitFor(t, "the actor to go", func() bool { return r.Counts().Active == 0 && r.cluster.Active() == 0 })
	if in := r.quiet(t, key, "the end of a round of the actor before"); in.Status.State != breaker.Closed {
		t.Errorf("%v, want closed", in.Status.State)
	}
}
