package rollup_test

import (
	"testing"

	"fleetfuse/telemetry/rollup"
)

func TestPossible(t *testing.T) {
	for name, set := range map[string]func(c *rollup.Counts, n uint64){
		"successes":   func(c *rollup.Counts, n uint64) { c.Successes = n },
		"failures":    func(c *rollup.Counts, n uint64) { c.Failures[rollup.Status429] = n },
		"rejected":    func(c *rollup.Counts, n uint64) { c.Rejected[rollup.ByCircuit] = n },
		"latencies":   func(c *rollup.Counts, n uint64) { c.Latency[3] = n },
		"retry-after": func(c *rollup.Counts, n uint64) { c.RetryAfter[1].Count = n },
	} {
		for n, want := range map[uint64]bool{0: true, 1_000_000_000_000: true, 1 << 60: false, 1<<64 - 1: false} {
			var c rollup.Counts
			if set(&c, n); c.Possible() != want {
				t.Errorf("%d %s: %v, want %v", n, name, c.Possible(), want)
			}
		}
	}
}
