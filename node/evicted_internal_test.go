package node

import (
	"log/slog"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/internal/clock"
)

// Who had lost its epoch is told of another one while it starts: it owns nothing
// before it has heard what it missed.
func TestEvictedDuringTheStart(t *testing.T) {
	c := clock.New()
	defer c.Stop()
	b := &board{
		id: "n1", epoch: 1, clock: c, logger: slog.New(slog.DiscardHandler), cluster: &cluster.Cluster{},
		spread: spread.New(spread.Options{Self: "n1", Policy: func(breaker.Key) *breaker.Policy { return nil }}),
	}
	b.spread.SetMembers(c.Now(), []spread.Member{{ID: "n1"}}, nil)
	b.Evicted(1)
	if b.spread.Started() {
		t.Error("the node owns keys before its start was over")
	}
}
