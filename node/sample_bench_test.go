package node

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
)

// BenchmarkScrape is what a scrape costs with 100,000 open breakers, a third of
// them this node's, and how long it holds the board's lock at a time.
func BenchmarkScrape(b *testing.B) {
	const exceptions = 100_000
	c := clock.New()
	defer c.Stop()
	m := telemetry.New("test", telemetry.DefaultMaxKeys)
	d := &board{
		id: "n1", clock: c, metrics: m,
		spread: spread.New(spread.Options{Self: "n1", Limit: view.MaxExceptions, Policy: func(breaker.Key) *breaker.Policy { return nil }}),
	}
	d.spread.SetMembers(c.Now(), []spread.Member{{ID: "n1"}, {ID: "n2"}, {ID: "n3"}}, nil)
	d.spread.ClaimAll(c.Now())
	entries := make([]spread.Entry, exceptions)
	for i := range entries {
		entries[i].Key = breaker.HostKey(fmt.Sprintf("h%d.example.org", i))
		entries[i].Snapshot.Circuit = breaker.Circuit{
			State: breaker.Open, Stamp: c.Stamp(), Until: c.Now().Add(time.Hour), Reason: breaker.ReasonConsecutive,
		}
		m.Keys.Entered(entries[i].Key)
	}
	d.spread.Recall(c.Now(), entries)
	m.Read(d.sampleBreakers)
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			if _, err := m.Gatherer().Gather(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hold", func(b *testing.B) { // what a decision may have to wait for
		for bucket := 0; b.Loop(); bucket++ {
			d.mu.Lock()
			d.spread.View().Statuses(bucket%view.Buckets, c.Now(), func(breaker.Key, breaker.Status) {})
			d.mu.Unlock()
		}
	})
}
