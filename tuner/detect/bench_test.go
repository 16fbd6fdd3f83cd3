package detect

import (
	"syscall"
	"testing"
	"time"
)

func BenchmarkUpdate(b *testing.B) {
	values := noise(1, 1<<14, func(i int) float64 { return float64(i / 1000 % 2 * 5) })
	for name, d := range settled() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i, start := 0, cpu()
			for b.Loop() {
				d.Update(values[i%len(values)])
				i++
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
		})
	}
	b.Run("Bernoulli", func(b *testing.B) {
		d := NewBernoulli(ForFailures().Change)
		i, start := 0, cpu()
		for b.Loop() {
			d.Update(i%50/49, 10, 0.01)
			i++
		}
		b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
	})
	b.Run("EWMA", func(b *testing.B) {
		e := EWMA{Weight: 0.01}
		i, start := 0, cpu()
		for b.Loop() {
			e.Update(values[i%len(values)])
			i++
		}
		b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
	})
}

// signals is what is kept of one host.
type signals struct {
	failures, refusals ShareBaseline
	latency            LatencyBaseline
}

// cpu is the time the process was given: the wall clock counts what others do.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano())
}

// One pass is ten minutes of 100,000 hosts: 60 buckets of three signals each.
func BenchmarkFleet(b *testing.B) {
	const hosts, buckets = 100_000, 60
	values := noise(2, 1<<12, func(int) float64 { return -15 })
	fleet := make([]signals, hosts)
	for i := range fleet {
		fleet[i] = signals{NewShareBaseline(ForFailures()), NewShareBaseline(ForFailures()), NewLatencyBaseline(ForLatency())}
	}
	var spent time.Duration
	for b.Loop() {
		start := cpu()
		for i := range fleet {
			h := &fleet[i]
			for bucket := range buckets {
				h.failures.Update((i+bucket)%50/49, 10)
				h.refusals.Update(0, 10)
				h.latency.Update(10*values[(i+bucket)%len(values)], 10)
			}
		}
		spent += cpu() - start
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/(hosts*buckets*3), "cpu-ns/update")
	b.ReportMetric(spent.Seconds()/float64(b.N), "cpu-s/fleet")
}
