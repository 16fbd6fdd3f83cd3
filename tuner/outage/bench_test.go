package outage_test

import (
	"testing"
	"time"
	"unsafe"

	"fleetfuse/tuner/outage"
)

func BenchmarkAdd(b *testing.B) {
	var e outage.Estimate
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		low := time.Duration(1+(n*n)%17) * time.Minute
		e.Add(outage.Sample{AtLeast: low, AtMost: low + 2*time.Minute})
	}
	b.ReportMetric(float64(unsafe.Sizeof(e)), "B/state")
}
