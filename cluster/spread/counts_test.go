package spread_test

import (
	"testing"
	"time"

	"fleetfuse/cluster/spread"
)

func TestCountsSayWhatBecameOfBatches(t *testing.T) {
	w := newWorld(t, 1, 3)
	owner := w.owner(w.nodes[0])
	other := w.nodes[0]
	if other == owner {
		other = w.nodes[1]
	}
	other.call(false)
	w.run(time.Second)
	c := other.n.Counts()
	if c.BatchesSent != 1 || c.BatchesAcked != 1 || c.BatchesLost != 0 || c.Outcomes != 0 {
		t.Errorf("after a failure %+v; want a batch sent and acknowledged", c)
	}
	w.lost = func(string, string, spread.Message) bool { return true }
	other.call(false)
	other.call(false)
	if c := other.n.Counts(); c.BatchesSent != 2 || c.Outcomes != 1 {
		t.Errorf("two failures at once: %+v; want one on its way and one that waits", c)
	}
	w.run(time.Second)
	if c := other.n.Counts(); c.BatchesLost != 2 || c.Dropped != 2 || c.Outcomes != 0 {
		t.Errorf("nobody answers: %+v; want two batches lost, with an outcome each", c)
	}
	other.cool(time.Minute)
	if c := other.n.Counts(); c.Pushes != 2 {
		t.Errorf("a cooldown nobody acknowledged: %+v; want a push for each of 2 members", c)
	}
}

func TestCountsSayWhoTookOver(t *testing.T) {
	w := newWorld(t, 1, 3)
	w.nodes[0].cool(time.Minute)
	w.run(time.Second)
	old := w.owner(w.nodes[0])
	if c := old.n.Counts(); c.Claimed != 0 {
		t.Errorf("%+v; want nothing taken over by who owned it when it opened", c)
	}
	old.up = false
	w.connect()
	w.run(time.Second)
	claimed := uint64(0)
	for _, n := range w.nodes {
		if n.up {
			claimed += n.n.Counts().Claimed
		}
	}
	if claimed != 1 {
		t.Errorf("%d breakers changed their owner, want 1", claimed)
	}
}
