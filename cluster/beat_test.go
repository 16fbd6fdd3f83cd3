package cluster

import (
	"log/slog"
	"slices"
	"testing"
	"time"
)

// TestPauseDropsActors holds a process that was stopped to forgetting what its
// actors counted, before it knows whether others had given it up: nobody would
// answer a witness round of theirs, and silence is no veto.
func TestPauseDropsActors(t *testing.T) {
	var evicted []uint64
	m, err := newMembership(Options{NodeID: "a", Epoch: 7, Logger: slog.New(slog.DiscardHandler)}, "127.0.0.1:1", new(counts), hooks{
		changed: func([]Member, []string) {}, evicted: func(epoch uint64) { evicted = append(evicted, epoch) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.cancel()
	now := time.Now()
	m.lastTurn, m.rejoinAt = now, now.Add(time.Hour)
	m.notePause(now.Add(beatEvery))
	if len(evicted) != 0 {
		t.Errorf("a turn in time dropped the actors")
	}
	m.notePause(now.Add(pauseLimit + beatEvery))
	if !slices.Equal(evicted, []uint64{7}) {
		t.Errorf("after a pause the actors were dropped for the epochs %v; want 7, as it was", evicted)
	}
}
