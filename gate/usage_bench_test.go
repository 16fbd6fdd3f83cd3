package gate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// BenchmarkUsage measures calls on a gate with usage and on one without, turn by
// turn in one run, and reports what usage adds: the median of pairs, for the
// machine is shared. The bar is 2 ns and no allocation.
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

// slice is how many calls are timed at once: few, so that most slices of a pair
// run beside the same neighbours.
const slice = 2000

func compareLoops(b *testing.B, loops [2]func(n int)) {
	var without, with, more []float64
	b.ReportAllocs()
	b.ResetTimer()
	for pair := 0; pair*2*slice < max(b.N, 200*slice); pair++ {
		var took [2]float64
		for k := range loops {
			i := (k + pair) % 2 // none is always the first
			began := time.Now()
			loops[i](slice)
			took[i] = float64(time.Since(began)) / slice
		}
		without, with, more = append(without, took[0]), append(with, took[1]), append(more, took[1]-took[0])
	}
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(median(without), "ns-without/op")
	b.ReportMetric(median(with), "ns-with/op")
	b.ReportMetric(median(more), "ns-more/op")
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
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
