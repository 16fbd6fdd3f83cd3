package bench

import (
	"runtime"
	"sync"
	"testing"
)

func BenchmarkCall(b *testing.B) {
	for _, s := range Scenarios {
		for _, sub := range Subjects {
			b.Run(s.Name+"/"+sub.Name, func(b *testing.B) { benchmark(b, sub, s) })
		}
	}
}

func benchmark(b *testing.B, sub Subject, s Scenario) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.Cores))
	loop, stop := sub.Start(s, Names(s.Keys))
	b.ReportAllocs()
	b.ResetTimer()
	var workers sync.WaitGroup
	for w := range s.Cores {
		workers.Go(func() { loop(w, b.N/s.Cores+1) })
	}
	workers.Wait()
	b.StopTimer()
	stop()
}

func TestIdleHostFitsItsBar(t *testing.T) {
	if got := IdleHostBytes(100_000); got > 256 {
		t.Errorf("an idle host takes %.0f B, want at most 256", got)
	}
}
