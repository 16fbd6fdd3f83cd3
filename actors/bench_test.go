package actors_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// BenchmarkMemory reports what an active breaker costs: one with a failure in
// its run, which is why most are active.
func BenchmarkMemory(b *testing.B) {
	const active = 100_000
	keys := make([]breaker.Key, active)
	for i := range keys {
		keys[i] = breaker.HostKey(fmt.Sprintf("host-%06d.example.org", i))
	}
	for b.Loop() {
		r := newRig(b, func(r *rig) { r.opt.MaxWaiting = 2 * active })
		before := heap()
		began := time.Now()
		for _, k := range keys {
			r.fail(k, 1)
		}
		for _, k := range keys[active-100:] {
			r.inspect(b, k)
		}
		b.ReportMetric(float64(active)/time.Since(began).Seconds(), "activations/s")
		b.ReportMetric(float64(heap()-before)/active, "B/actor")
		b.StopTimer()
		began = time.Now()
		r.cluster.Stop()
		b.ReportMetric(time.Since(began).Seconds(), "s/stop")
		b.StartTimer()
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkOwner is one owner under alternating outcomes: 4 reporters, 64 runs
// a batch.
func BenchmarkOwner(b *testing.B) {
	const reporters, batch = 4, 64
	r := newRig(b, func(r *rig) { r.opt.MaxWaiting = 1 << 40 })
	outcomes := make([]breaker.Outcome, batch)
	at := r.clock.Now()
	for i := range outcomes {
		outcomes[i] = breaker.Outcome{Node: "n1", Kind: breaker.Kind(i % 2), Began: at, Ended: at}
	}
	b.ReportAllocs()
	b.ResetTimer()
	var work sync.WaitGroup
	for range reporters {
		work.Go(func() {
			for range b.N / reporters {
				r.Report(key, "n1", false, outcomes)
			}
		})
	}
	work.Wait()
	for {
		if _, err := r.Inspect(b.Context(), key); err == nil {
			break
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "outcomes/s")
}
