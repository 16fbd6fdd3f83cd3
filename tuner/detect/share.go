package detect

// ShareSettings says how a ShareBaseline learns.
type ShareSettings struct {
	Change BernoulliSettings
	Weight float64 // of the newest bucket in what is usual (1e-6 to 1)

	// Prior is the share believed in before anything was seen (0 to 1), and
	// Strength how many calls that belief is worth (0.01 to 1e6).
	Prior, Strength float64
}

// ForFailures is meant for the failures, or the 429s, of one host in buckets of
// 10 s: it forgets in an hour, and tells a change of the odds by 8. If
// nothing changes, Lorden's bound allows one false alarm in 139 days for each
// direction; the study says what outages and noise really give.
func ForFailures() ShareSettings {
	return ShareSettings{
		Change: BernoulliSettings{Shift: 8, Threshold: 14, Least: 0.005},
		Weight: 1.0 / 360, Prior: 0.01, Strength: 100,
	}
}

// A bucket counts for the dispersion with at most wildExcess, so that the first
// ones of an outage do not hide it. Before the first bucket it is as if
// knownExcess buckets had varied as independent calls do.
const wildExcess, knownExcess = 25, 30

// ShareBaseline is what is usual for a share of calls (failures, 429s) since it
// last changed: an average that forgets exponentially, weighted by calls, which
// starts anew at each change a Bernoulli tells.
//
// Failures of real hosts come in bursts, so buckets vary more than independent
// calls would make them. By how much is learned, and weakens the evidence.
// Source: Wedderburn, Quasi-likelihood functions, generalized linear models, and
// the Gauss-Newton method, 1974 (Pearson's statistic as the dispersion).
type ShareBaseline struct {
	settings        ShareSettings
	failures, calls float64 // forgetting
	excess          EWMA    // of the squared distances of buckets from what was usual, in binomial variances
	detector        Bernoulli
	before          float64
	since           int
}

// NewShareBaseline makes a baseline that has seen nothing.
func NewShareBaseline(s ShareSettings) ShareBaseline {
	s.Weight = within(s.Weight, 1e-6, 1)
	s.Prior = within(s.Prior, 0, 1)
	s.Strength = within(s.Strength, 0.01, 1e6)
	detector := NewBernoulli(s.Change)
	s.Change = detector.settings
	return ShareBaseline{
		settings: s, detector: detector, before: s.Prior,
		failures: s.Prior * s.Strength, calls: s.Strength,
		excess: EWMA{Weight: s.Weight, Mean: 1, N: knownExcess},
	}
}

// Update takes one bucket: how many of how many calls failed. changed says that
// the share changed, with the bucket that came ago buckets (with calls) before
// this one; Usual is then what was counted since.
func (b *ShareBaseline) Update(failures, calls int) (ago int, changed bool) {
	if calls <= 0 {
		return 0, false
	}
	failures = max(0, min(failures, calls))
	usual := b.Usual()
	if t := b.detector.take(failures, calls, usual, b.Dispersion()); t != nil {
		b.before, b.since = usual, t.buckets
		b.failures, b.calls = t.failures+0.5, t.calls+1 // Jeffreys' prior: it is not 0 or 1 for sure
		b.detector = b.detector.fresh()
		return b.since - 1, true
	}
	keep := 1 - b.settings.Weight
	b.failures = keep*b.failures + float64(failures)
	b.calls = keep*b.calls + float64(calls)
	b.excess.take(b.distance(failures, calls, usual))
	b.since++
	return 0, false
}

// Usual is the share to be expected: the mean of a Beta distribution with the
// prior and what was counted, of both of which each bucket leaves 1-Weight.
func (b *ShareBaseline) Usual() float64 { return b.failures / b.calls }

// Calls is on how many calls Usual rests: those forgotten count less, and the
// prior counts.
func (b *ShareBaseline) Calls() float64 { return b.calls }

// distance is Pearson's: the squared distance from what is usual, divided by the
// variance of independent calls.
func (b *ShareBaseline) distance(failures, calls int, usual float64) float64 {
	least := b.settings.Change.Least
	p, n := within(usual, least, 1-least), float64(calls)
	d := float64(failures) - n*p
	return min(d*d/(n*p*(1-p)), wildExcess)
}

// Dispersion is by how much the buckets vary more than independent calls would (1:
// not at all).
func (b *ShareBaseline) Dispersion() float64 { return max(1, b.excess.Mean) }

// Before is what was usual before the last change; the prior, if there was none.
func (b *ShareBaseline) Before() float64 { return b.before }

// Since is how many buckets with calls the baseline is made of.
func (b *ShareBaseline) Since() int { return b.since }
