package config_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// manyHosts writes hosts that have two or three fields each, every fifth one
// roles too, and no two of which say the same.
func manyHosts(n int) string {
	var file strings.Builder
	file.WriteString("hosts:\n")
	for i := range n {
		fmt.Fprintf(&file, "  h%d.example.org:\n    fail_max: %d\n    reset_timeout: %.3f\n", i, 1+i%10_000, 1+float64(i)/1000)
		switch i % 5 {
		case 0:
			fmt.Fprintf(&file, "    roles: {metadata: {fail_max: %d}}\n", 1+i%100)
		case 1, 2:
			fmt.Fprintf(&file, "    retry_after_cap_s: %d\n", 60+i%1000)
		}
	}
	return file.String()
}

// The bars: 1.5 s, and 200 MB of heap when it is done.
func BenchmarkLoad100kHosts(b *testing.B) {
	const hosts = 100_000
	path := write(b, manyHosts(hosts))
	b.ReportAllocs()
	var heap, kept uint64
	for b.Loop() {
		b.StopTimer()
		runtime.GC() // what the last round left
		b.StartTimer()
		c, err := load(b, "", nil, "--config", path)
		b.StopTimer()
		if err != nil || len(c.Breakers.Hosts) != hosts {
			b.Fatalf("%d hosts: %v", len(c.Breakers.Hosts), err)
		}
		heap = max(heap, heapBytes())
		runtime.GC()
		kept = max(kept, heapBytes())
		runtime.KeepAlive(&c)
		b.StartTimer()
	}
	b.ReportMetric(float64(heap)/1e6, "MB-heap")
	b.ReportMetric(float64(kept)/1e6, "MB-kept")
}

func heapBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
