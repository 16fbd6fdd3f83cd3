package gate

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// BenchmarkUsage measures calls on a gate with usage and on one without, turn by
// turn in one run, and reports what usage adds: by the best turn of each, for
// the machine is shared. It is the bar of DESIGN 10 on telemetry.
func BenchmarkUsage(b *testing.B) {
	for _, c := range []usageCase{
		{name: "success"}, {name: "success, role", role: breaker.RoleMetadata},
		{name: "report", report: true}, {name: "report, role", role: breaker.RoleMetadata, report: true},
		{name: "rejection", open: true},
	} {
		for _, keys := range []int{1, 10_000} {
			b.Run(fmt.Sprintf("%s/%d keys", c.name, keys), func(b *testing.B) {
				var loops [2]func(n int)
				for i, usage := range []bool{false, true} {
					loops[i] = usageLoop(b, usage, keys, c)
				}
				compareLoops(b, loops)
			})
		}
	}
}

type usageCase struct {
	name, role   string
	report, open bool
}

// usageLoop makes calls to keys one after the other, most of them of one role.
func usageLoop(b *testing.B, usage bool, keys int, c usageCase) func(n int) {
	w := newWorld(b, func(_ *breaker.Policy, o *Options) { o.Usage = usage })
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("api-%07d.svc.example.com.net", i)
		d := w.allow(names[i])
		d.Success() // of the nameless role: another one has a side
		if c.open {
			d.Report(Result{Evidence: breaker.Evidence{Status: 429, RetryAfter: "800"}})
		}
	}
	at, ok := 0, Result{Evidence: breaker.Evidence{Status: 200}, Latency: 30 * time.Millisecond}
	loop := func(n int) {
		for range n {
			d := w.g.Allow(w.context, Call{Host: names[at], Role: c.role})
			if at++; at == keys {
				at = 0
			}
			switch {
			case !d.Allowed():
			case c.report:
				d.Report(ok)
			default:
				d.Success()
			}
		}
	}
	loop(40 * keys) // what brings its latency each time is over
	return loop
}

// slice is how many calls are timed at once: few, so that many slices pass
// without the loss of the core.
const slice = 20_000

func compareLoops(b *testing.B, loops [2]func(n int)) {
	var best [2]time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for turn := 0; turn*2*slice < max(b.N, 40*slice); turn++ {
		for i, loop := range loops {
			began := time.Now()
			loop(slice)
			if took := time.Since(began); turn == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	without, with := float64(best[0])/slice, float64(best[1])/slice
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(without, "ns-without/op")
	b.ReportMetric(with, "ns-with/op")
	b.ReportMetric(with-without, "ns-more/op")
}

// BenchmarkDrain drains a gate of a million keys that all were called since.
func BenchmarkDrain(b *testing.B) {
	for name, used := range map[string]bool{"all used": true, "all idle": false} {
		b.Run(name, func(b *testing.B) {
			const keys = 1_000_000
			w := newWorld(b, func(_ *breaker.Policy, o *Options) { o.MaxHosts = 2 * keys })
			hosts := make([]Host, keys)
			for i := range hosts {
				hosts[i] = w.g.Host(fmt.Sprintf("api-%07d.svc.example.com.net", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				if used {
					b.StopTimer()
					for _, h := range hosts {
						d := h.Allow(w.context, "")
						d.Success()
					}
					b.StartTimer()
				}
				n := 0
				w.g.DrainUsage(func(rollup.Series, *rollup.Counts) { n++ })
				if used && n != keys {
					b.Fatalf("%d keys, want %d", n, keys)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/drain")
		})
	}
}
