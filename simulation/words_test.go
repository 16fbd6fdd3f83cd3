package simulation

import (
	"errors"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

const spokenOf = breaker.Key("host:a.example.org")

// listening is a world without calls and faults, with its nodes in the order in which
// they own a key.
func listening(t *testing.T) (w *World, nodes []*node) {
	t.Helper()
	w = New(Plan{
		Name: "words", Seed: 1, Nodes: 3, Length: time.Hour, Policies: mustPolicies(nil), Network: Network{Least: time.Millisecond, Most: 2 * time.Millisecond},
		Hosts: []Host{{Name: spokenOf.Name(), Latency: 50 * time.Millisecond, Weight: 1}},
	})
	for _, n := range w.nodes {
		n.start()
	}
	w.runUntil(5 * time.Second)
	owner := w.nodes[w.indexOf(w.nodes[0].spread.Owner(spokenOf))]
	nodes = append(nodes, owner)
	for _, id := range owner.spread.Heirs(spokenOf) {
		nodes = append(nodes, w.nodes[w.indexOf(id)])
	}
	return w, nodes
}

// knows puts an overlay into what one node believes, and nobody else.
func (n *node) knows(stamp breaker.Stamp) {
	n.do(func(s *spread.Node, now breaker.Instant) spread.Effects {
		return s.Recall(now, []spread.Entry{{Key: spokenOf, Snapshot: breaker.Snapshot{Overlays: []breaker.Overlay{
			{Register: breaker.RegisterOperator, Stamp: stamp, Fields: "fail_max:9"},
		}}}})
	})
}

var lowered = spread.Lay{ID: 77, Register: breaker.RegisterOperator, Set: "fail_max:3", Author: "operator"}

// An owner dies when the change is on the next one's disk: that finds it, and makes no
// second one.
func TestChangeIsNotMadeTwice(t *testing.T) {
	w, nodes := listening(t)
	owner, heir, asker := nodes[0], nodes[1], nodes[2]
	var got any
	asker.say(spokenOf, lowered, func(body any) { got = body })
	for len(heir.disk.past[spokenOf]) == 0 {
		w.runUntil(w.now + 100*time.Microsecond)
	}
	owner.kill(false)
	w.runUntil(w.now + 10*time.Second)
	held := heir.disk.past[spokenOf][0]
	if r, ok := got.(spread.LayResult); !ok || r.Overlay.Stamp != held.Stamp || r.Overlay.Change != lowered.ID || r.Copies != 2 {
		t.Errorf("it is answered %+v, want the change %d that is held", got, held.Stamp)
	}
	if past := heir.disk.past[spokenOf]; len(past) != 1 {
		t.Errorf("it was made more than once: %+v", past)
	}
}

// The owner's answer is lost: who stands in for it finds what was done, and does not
// take that for somebody else's change.
func TestStandInFindsTheChange(t *testing.T) {
	w, nodes := listening(t)
	owner, asker := nodes[0], nodes[1]
	change, expected := lowered, breaker.Stamp(0)
	change.Match = &expected
	var got any
	asker.say(spokenOf, change, func(body any) { got = body })
	for len(asker.disk.past[spokenOf]) == 0 {
		w.runUntil(w.now + 100*time.Microsecond)
	}
	w.cut([2]int{owner.index, asker.index})
	w.runUntil(w.now + 20*time.Second)
	held := asker.disk.past[spokenOf][0]
	if r, ok := got.(spread.LayResult); !ok || r.Conflict || r.Overlay.Stamp != held.Stamp {
		t.Errorf("it is answered %+v, want the change %d that is held", got, held.Stamp)
	}
}

// A member that knows of a later change than the owner holds a word together with it.
func TestWordIsHeldWithALaterChange(t *testing.T) {
	w, nodes := listening(t)
	owner, heir := nodes[0], nodes[1]
	stamp := owner.clock.Stamp()
	owner.knows(stamp)
	heir.knows(stamp + 1)
	var got any
	owner.say(spokenOf, spread.Word{Author: "operator"}, func(body any) { got = body })
	w.runUntil(w.now + time.Second)
	if r, ok := got.(spread.OperatorResult); !ok || r.Copies != 2 || r.Err != nil {
		t.Errorf("it is answered %+v, want two copies", got)
	}
	if s := heir.disk.written[spokenOf].Snapshot; s.Clear == 0 || s.Overlay(breaker.RegisterOperator).Stamp != stamp+1 {
		t.Errorf("the member holds %+v", s)
	}
}

// One member was stopped when it was asked to hold a change, the next knows of a later
// one.
func TestChangeOfUnknownOutcome(t *testing.T) {
	w, nodes := listening(t)
	owner := nodes[0]
	nodes[1].pause()
	nodes[2].knows(owner.clock.Stamp())
	var got any
	owner.say(spokenOf, lowered, func(body any) { got = body })
	w.runUntil(w.now + 10*time.Second)
	if err, failed := got.(error); !failed || !errors.Is(err, words.ErrUnknown) {
		t.Errorf("it is answered %+v, want %v", got, words.ErrUnknown)
	}
}

// A member that decides about the key all the time is not waited for without end.
func TestChangeWhileAnotherNodeDecides(t *testing.T) {
	w, nodes := listening(t)
	owner := nodes[0]
	nodes[1].deciding.take(spokenOf, func() {})
	var got any
	began := w.now
	owner.say(spokenOf, lowered, func(body any) {
		got = body
		if took := w.now - began; took < words.CommitLimit || took > words.CommitLimit+100*time.Millisecond {
			t.Errorf("it took %v, want %v", took, words.CommitLimit)
		}
	})
	w.runUntil(w.now + 10*time.Second)
	if err, failed := got.(error); !failed || !errors.Is(err, words.ErrBusy) {
		t.Errorf("it is answered %+v, want %v", got, words.ErrBusy)
	}
	if _, held := owner.deciding[spokenOf]; held {
		t.Error("the owner still decides")
	}
}
