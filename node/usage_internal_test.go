package node

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry/rollup"
)

// deaf is an owner that hears nothing.
type deaf struct{ gate.Owner }

func (deaf) Report(breaker.Key, []breaker.Outcome) {}

// TestUsedDoesNotWaitForADrain: here a drain does not get past a host of the gate,
// which is locked while its ring is told of.
func TestUsedDoesNotWaitForADrain(t *testing.T) {
	c := clock.New()
	defer c.Stop()
	policy := breaker.DefaultPolicy()
	locked, release := make(chan struct{}), make(chan struct{})
	g := gate.New(gate.Options{
		Node: "n1", Owner: deaf{}, Policy: func(breaker.Key) *breaker.Policy { return &policy }, Clock: c, Usage: true, Driven: true,
		Ring: func(breaker.Key, breaker.State, breaker.Status) {
			close(locked)
			<-release
		},
	})
	defer g.Stop()
	n := &Node{usage: &usage{gate: g, clock: c, table: rollup.NewTable(rollup.Limits{}), logs: rollup.NewLogs(0)}}
	done := make(chan struct{}, 3)
	begin := func(do func()) {
		go func() {
			do()
			done <- struct{}{}
		}()
	}
	begin(func() {
		for range policy.FailMax {
			d := g.Allow(t.Context(), gate.Call{Host: "a.example"})
			d.Report(gate.Result{Evidence: breaker.Evidence{Status: 500}})
		}
	})
	<-locked
	begin(func() { n.usage.collect(0) })
	for n.usage.draining.TryLock() { // until the drain is under way
		n.usage.draining.Unlock()
		time.Sleep(time.Millisecond)
	}
	begin(func() { n.Used(rollup.Series{Key: "host:b.example"}, &rollup.Counts{Successes: 1}) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("what a worker reports waits for a drain of the gate")
	}
	close(release)
	for range 2 {
		<-done
	}
}
