package rollup

import (
	"math"
	"time"
)

// LatencyBounds are the upper ends of the histogram's buckets, each included
// in its bucket; the last bucket has none. They are the Renard numbers R5
// (ISO 3), five to a decade, from 1 ms to 60 s: round, so that a bar of a graph
// can be named, and never more than 1.6 apart.
var LatencyBounds = [...]time.Duration{
	ms, 16 * ms / 10, 25 * ms / 10, 4 * ms, 63 * ms / 10,
	10 * ms, 16 * ms, 25 * ms, 40 * ms, 63 * ms,
	100 * ms, 160 * ms, 250 * ms, 400 * ms, 630 * ms,
	1000 * ms, 1600 * ms, 2500 * ms, 4000 * ms, 6300 * ms,
	10_000 * ms, 16_000 * ms, 25_000 * ms, 40_000 * ms, 60_000 * ms,
}

const ms = time.Millisecond

// LatencyBuckets is how many buckets a Histogram has.
const LatencyBuckets = len(LatencyBounds) + 1

// QuantileError is how far a quantile from a Histogram may be from that of the
// calls themselves, as a factor either way, between 1 ms and 60 s: the square
// root of the widest bucket's ratio, since the estimate is its geometric middle.
var QuantileError = math.Sqrt(1.6)

// A Histogram counts calls by latency. The zero Histogram is empty.
type Histogram [LatencyBuckets]uint64

// LatencyBucket is the bucket of a latency.
func LatencyBucket(d time.Duration) int {
	i, end := 0, len(LatencyBounds)
	for i < end { // sort.Search by hand: a gate comes here with calls
		if mid := (i + end) / 2; d <= LatencyBounds[mid] {
			end = mid
		} else {
			i = mid + 1
		}
	}
	return i
}

// Observe counts n calls that took d.
func (h *Histogram) Observe(d time.Duration, n uint64) { h[LatencyBucket(d)] += n }

// Add counts what another histogram has.
func (h *Histogram) Add(o *Histogram) {
	for i, n := range o {
		h[i] += n
	}
}

// Count is how many calls the histogram stands for.
func (h *Histogram) Count() (n uint64) {
	for _, b := range h {
		n += b
	}
	return n
}

// Quantile estimates the latency that a share q of the calls did not exceed: the
// smallest latency with at least q of the calls at or below it (nearest rank).
// It is within QuantileError of the truth; below 1 ms it says 1 ms and above
// 60 s it says 60 s. False means nothing was counted.
func (h *Histogram) Quantile(q float64) (time.Duration, bool) {
	total := h.Count()
	if total == 0 {
		return 0, false
	}
	rank := max(1, uint64(math.Ceil(min(max(q, 0), 1)*float64(total))))
	var below uint64
	for i, n := range h {
		if below += n; below >= rank {
			return middle(i), true
		}
	}
	return middle(len(h) - 1), true
}

// middle is the latency that stands for a bucket.
func middle(i int) time.Duration {
	switch {
	case i == 0:
		return LatencyBounds[0]
	case i == len(LatencyBounds):
		return LatencyBounds[i-1]
	}
	return time.Duration(math.Sqrt(float64(LatencyBounds[i-1]) * float64(LatencyBounds[i])))
}

// latencyLogs are the natural logarithms of the seconds that stand for a bucket.
var latencyLogs = func() (logs [LatencyBuckets]float64) {
	for i := range logs {
		logs[i] = math.Log(middle(i).Seconds())
	}
	return logs
}()

// logs is the sum of the natural logarithms of the calls' seconds, each that of the
// middle of its bucket.
func (h *Histogram) logs() (sum float64) {
	for i, n := range h {
		sum += float64(n) * latencyLogs[i]
	}
	return sum
}
