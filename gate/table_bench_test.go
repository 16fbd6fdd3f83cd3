package gate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// BenchmarkFullTable adds hosts to a table of a million that is full. An addition
// that evicts holds a lock for which Apply, with the board locked, may wait; so does
// one that makes room for more. On a machine that does other work the longest of
// them are those that were interrupted.
func BenchmarkFullTable(b *testing.B) {
	const limit, more = 1_000_000, 40_000
	t := newTable(breaker.ScopeHost, limit)
	evicts := false
	t.evicted = func([]*entry) { evicts = true }
	added := 0
	add := func() time.Duration {
		name := fmt.Sprintf("h%d.example", added)
		added++
		began := time.Now()
		t.findOrAdd(name, fresh)
		return time.Since(began)
	}
	var growing time.Duration
	for range limit {
		growing = max(growing, add())
	}
	var evicting []time.Duration
	for b.Loop() {
		for range more {
			evicts = false
			if took := add(); evicts {
				evicting = append(evicting, took)
			}
		}
	}
	slices.Sort(evicting)
	show := func(d time.Duration, what string) { b.ReportMetric(float64(d.Microseconds())/1000, what) }
	show(growing, "longest-growing-ms")
	show(evicting[len(evicting)/2], "median-evicting-ms")
	show(evicting[len(evicting)-1], "longest-evicting-ms")
}
