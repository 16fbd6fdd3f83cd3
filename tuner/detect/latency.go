package detect

import "math"

// LatencySettings says how a LatencyBaseline learns.
type LatencySettings struct {
	Change BOCPDSettings
	Weight float64 // of the newest value in what is usual (0 to 1)
	Group  int     // how many buckets make one value (1 to 1000)
}

// ForLatency is meant for the latency of one host in buckets of 10 s: values
// are means of a minute and are forgotten in an hour. What moves the latency by less
// than 5 % is noise; a change is expected once a day.
func ForLatency() LatencySettings {
	return LatencySettings{
		Change: BOCPDSettings{Scale: 1, Floor: 0.05 * 0.05, Hazard: 1.0 / 1440, MinRun: 3, Odds: 4, Runs: 8},
		Weight: 1.0 / 60, Group: 6,
	}
}

// LatencyBaseline is what is usual for the logarithm of a latency since it last
// changed: mean and variance with exponential forgetting, which start anew at each
// change a BOCPD tells.
type LatencyBaseline struct {
	settings LatencySettings
	usual    EWMA
	before   float64
	sum      float64 // of the logarithms in the group
	calls    float64
	buckets  int
	detector BOCPD
}

// NewLatencyBaseline makes a baseline that has seen nothing.
func NewLatencyBaseline(s LatencySettings) LatencyBaseline {
	s.Group = max(1, min(s.Group, 1000))
	s.Weight = within(s.Weight, 0, 1)
	return LatencyBaseline{settings: s, usual: EWMA{Weight: s.Weight}, detector: NewBOCPD(s.Change)}
}

// Update takes one bucket: the sum of the natural logarithms of the latencies
// (in any one unit) of so many calls. A group whose buckets have no call says
// nothing. changed says that the latency changed, with the value that came ago
// values (groups with calls) before the one that is now complete.
func (b *LatencyBaseline) Update(sumOfLogs float64, calls int) (ago int, changed bool) {
	if x, ok := usable(sumOfLogs); ok && calls > 0 {
		b.sum += x
		b.calls += float64(calls)
	}
	b.buckets++
	if b.buckets < b.settings.Group {
		return 0, false
	}
	sum, all := b.sum, b.calls
	b.sum, b.calls, b.buckets = 0, 0, 0
	if all == 0 {
		return 0, false
	}
	before := b.usual.Mean
	b.usual.Update(sum / all)
	if ago, changed = b.detector.Update(sum / all); changed {
		b.before = before
		b.usual.Restart(b.detector.Present())
	}
	return ago, changed
}

// Usual has the mean and the variance of the logarithm of the latency, and of how
// many values they are made.
func (b *LatencyBaseline) Usual() EWMA { return b.usual }

// Typical is the latency to be expected, in the unit of those given: the
// geometric mean. It is 0 before the first value.
func (b *LatencyBaseline) Typical() float64 {
	if b.usual.N == 0 {
		return 0
	}
	return math.Exp(min(b.usual.Mean, 700))
}

// Before is the mean of the logarithm before the last change; 0 if there was none.
func (b *LatencyBaseline) Before() float64 { return b.before }
