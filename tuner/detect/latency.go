package detect

// LatencySettings says how a LatencyBaseline learns.
type LatencySettings struct {
	Change BOCPDSettings
	Group  int // how many buckets make one value (1 to 1000)
}

// ForLatency is meant for the latency of one host in buckets of 10 s: values
// are means of a minute. What moves the latency by less
// than 5 % is noise; a change is expected once a day.
func ForLatency() LatencySettings {
	return LatencySettings{
		Change: BOCPDSettings{Scale: 1, Floor: 0.05 * 0.05, Hazard: 1.0 / 1440, MinRun: 3, Odds: 4, Runs: 8},
		Group:  6,
	}
}

// LatencyBaseline follows the logarithm of a latency: a BOCPD tells when its mean
// over some buckets has changed.
type LatencyBaseline struct {
	settings LatencySettings
	sum      float64 // of the logarithms in the group
	calls    float64
	buckets  int
	detector BOCPD
}

// NewLatencyBaseline makes a baseline that has seen nothing.
func NewLatencyBaseline(s LatencySettings) LatencyBaseline {
	s.Group = max(1, min(s.Group, 1000))
	return LatencyBaseline{settings: s, detector: NewBOCPD(s.Change)}
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
	return b.detector.Update(sum / all)
}
