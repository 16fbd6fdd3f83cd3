package changepoint

import (
	_ "embed"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"fleetfuse/tuner/detect"
)

// bucketSeconds is how long a bucket of the baselines lasts.
const bucketSeconds = 10

// Each line of the tables is worked out from so many buckets without a change
// (30 days), and so many hosts with one.
const (
	quiet    = 30 * 24 * 3600 / bucketSeconds
	changing = 200
	settle   = 360 // buckets before the change: an hour
	patience = 360 // buckets in which it must be told
)

// baselineWords is the text around the tables.
//
//go:embed baselines.md
var baselineWords string

// Baselines makes the note on false alarms and delays of the baselines. It needs
// no recordings: the hosts are made up, from fixed seeds.
func Baselines() string {
	return strings.NewReplacer("{SHARE}", shareTable(), "{LATENCY}", latencyTable()).Replace(baselineWords)
}

// shareWorld is one host: calls per bucket, and how bursty failures are.
type shareWorld struct {
	calls int
	usual float64
	burst float64 // 0: calls fail independently; else the Beta distribution's 1/(a+b)
}

// bucket draws the failures of one bucket whose share is p on average.
func (w shareWorld) bucket(r *rand.Rand, p float64) (failures int) {
	if w.burst > 0 {
		a, b := gamma(r, p/w.burst), gamma(r, (1-p)/w.burst)
		p = a / (a + b)
	}
	for range w.calls {
		if r.Float64() < p {
			failures++
		}
	}
	return failures
}

// gamma draws from a Gamma distribution with the given shape.
// Source: Marsaglia and Tsang, A simple method for generating gamma variables, 2000.
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := r.NormFloat64()
		v := math.Pow(1+x/math.Sqrt(9*d), 3)
		if v > 0 && math.Log(r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// delays lists how many buckets it took to tell each change, and how many were
// not told in time.
type delays struct {
	buckets []int
	missed  int
}

// String is the median and the 90th percentile in seconds.
func (d delays) String() string {
	if len(d.buckets) == 0 {
		return "not told"
	}
	slices.Sort(d.buckets)
	at := func(q float64) int { return d.buckets[int(q*float64(len(d.buckets)-1))] * bucketSeconds }
	text := fmt.Sprintf("%d / %d s", at(0.5), at(0.9))
	if d.missed > 0 {
		text += fmt.Sprintf(", %d %% not told", (100*d.missed+changing/2)/changing)
	}
	return text
}

// measure gives changing hosts a change after settle buckets. next must answer
// whether a change was told with the bucket, changed or not.
func measure(host func(r *rand.Rand) (next func(changed bool) bool)) delays {
	var d delays
	for seed := range uint64(changing) {
		next := host(rand.New(rand.NewPCG(seed, 1)))
		for range settle {
			next(false)
		}
		took := 1
		for took <= patience && !next(true) {
			took++
		}
		if took > patience {
			d.missed++
		} else {
			d.buckets = append(d.buckets, took)
		}
	}
	return d
}

func shareTable() string {
	var b strings.Builder
	b.WriteString("| calls in 10 s | usual share | bursts | false alarms in a host's day | to 100 % | to 50 % | to 20 % |\n|---|---|---|---|---|---|---|\n")
	for _, w := range []shareWorld{{1, .01, 0}, {10, .002, 0}, {10, .01, 0}, {10, .05, 0}, {100, .01, 0}, {10, .01, .05}, {10, .05, .1}, {100, .01, .05}} {
		r := rand.New(rand.NewPCG(1, 2))
		baseline, alarms := detect.NewShareBaseline(detect.ForFailures()), 0
		for range quiet {
			if _, changed := baseline.Update(w.bucket(r, w.usual), w.calls); changed {
				alarms++
			}
		}
		bursts := "none"
		if w.burst > 0 {
			bursts = fmt.Sprintf("1/(a+b) = %g", w.burst)
		}
		fmt.Fprintf(&b, "| %d | %g %% | %s | %.2f |", w.calls, 100*w.usual, bursts, float64(alarms)/30)
		for _, to := range []float64{1, .5, .2} {
			fmt.Fprintf(&b, " %v |", measure(w.host(to)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// host makes hosts whose share of failures changes.
func (w shareWorld) host(to float64) func(r *rand.Rand) func(changed bool) bool {
	return func(r *rand.Rand) func(changed bool) bool {
		baseline := detect.NewShareBaseline(detect.ForFailures())
		return func(changed bool) bool {
			p := w.usual
			if changed {
				p = to
			}
			_, told := baseline.Update(w.bucket(r, p), w.calls)
			return told
		}
	}
}
