package changepoint

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"fleetfuse/tuner/detect"
)

// latencyWorld is one host: calls per bucket, the deviation of the logarithm
// of one latency, how far the level moves over a day, and how slow noise is.
type latencyWorld struct {
	calls     int
	deviation float64
	day       float64 // amplitude of the daily wave, in logarithms
	drift     float64 // deviation of noise that is shared by neighbouring buckets (e-folding in 30)
}

// host makes hosts whose latency is multiplied by factor.
func (w latencyWorld) host(factor float64) func(r *rand.Rand) func(changed bool) bool {
	return func(r *rand.Rand) func(changed bool) bool {
		baseline := detect.NewLatencyBaseline(detect.ForLatency())
		shared, bucket := 0.0, 0
		const keep = 1 - 1.0/30
		return func(changed bool) bool {
			shared = keep*shared + math.Sqrt(1-keep*keep)*w.drift*r.NormFloat64()
			level := shared + w.day*math.Sin(2*math.Pi*float64(bucket*bucketSeconds)/(24*3600))
			if changed {
				level += math.Log(factor)
			}
			bucket++
			n := float64(w.calls)
			_, told := baseline.Update(n*level+math.Sqrt(n)*w.deviation*r.NormFloat64(), w.calls)
			return told
		}
	}
}

func latencyTable() string {
	var b strings.Builder
	b.WriteString("| calls in 10 s | one call's deviation | daily wave | slow noise | changes told in a host's day | × 4 | × 2 | × 1.5 |\n|---|---|---|---|---|---|---|---|\n")
	for _, w := range []latencyWorld{{1, .5, 0, 0}, {10, .5, 0, 0}, {100, .5, 0, 0}, {10, 1, 0, 0}, {10, .5, .3, 0}, {10, .5, 0, .1}, {10, .5, .3, .1}} {
		next, told := w.host(1)(rand.New(rand.NewPCG(3, 4))), 0
		for range quiet {
			if next(false) {
				told++
			}
		}
		fmt.Fprintf(&b, "| %d | %g | ± %g | %g | %.2f |", w.calls, w.deviation, w.day, w.drift, float64(told)/30)
		for _, factor := range []float64{4, 2, 1.5} {
			fmt.Fprintf(&b, " %v |", measure(w.host(factor)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
