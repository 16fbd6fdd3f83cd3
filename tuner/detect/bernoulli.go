package detect

import "math"

// BernoulliSettings says what a Bernoulli takes for a change.
type BernoulliSettings struct {
	// Shift is the change worth telling, as a factor of the odds of a failure
	// (1.1 to 1e4): with 8, from 1 % to 7.5 %, or from 50 % to 11 %.
	Shift float64

	// Threshold is the log likelihood ratio at which a change is told (0.1 to
	// 1e6). If nothing changes and the usual share is right, a false one comes on
	// average after more than e^Threshold buckets, in each direction.
	Threshold float64

	// Least is the smallest share that matters (1e-6 to 0.4): those below it are
	// all alike, and so are those of 1-Least and more.
	Least float64
}

// Bernoulli finds changes of the share of failures, by two cumulative sums of
// log likelihood ratios, one for a rise and one for a fall of the odds by
// Shift. A bucket gives at most half of the threshold, since what fails in
// one bucket often fails for one reason.
//
// Sources: Page, Continuous inspection schemes, 1954; Lorden, Procedures for
// reacting to a change in distribution, 1971 (the bound on false alarms); Reynolds
// and Stoumbos, A CUSUM chart for monitoring a proportion when inspecting
// continuously, 1999 (Bernoulli outcomes).
type Bernoulli struct {
	settings BernoulliSettings
	factor   float64 // log of the shift
	rise     tally
	fall     tally
}

// tally is one cumulative sum, and what was counted since it was zero.
type tally struct {
	sum             float64
	buckets         int
	failures, calls float64
}

// NewBernoulli makes a detector that has seen nothing.
func NewBernoulli(s BernoulliSettings) Bernoulli {
	s.Shift = within(s.Shift, 1.1, 1e4)
	s.Threshold = within(s.Threshold, 0.1, 1e6)
	s.Least = within(s.Least, 1e-6, 0.4)
	return Bernoulli{settings: s, factor: math.Log(s.Shift)}
}

// fresh is the detector with nothing added up.
func (b *Bernoulli) fresh() Bernoulli { return Bernoulli{settings: b.settings, factor: b.factor} }

// Update takes one bucket: how many of how many calls failed, and the share (0
// to 1) that is usual. A bucket without calls says nothing. ago counts buckets
// that had calls.
func (b *Bernoulli) Update(failures, calls int, usual float64) (ago int, changed bool) {
	t := b.take(failures, calls, usual, 1)
	if t == nil {
		return 0, false
	}
	ago = t.buckets - 1
	*b = b.fresh()
	return ago, true
}

// take adds the bucket and answers the sum that crossed the threshold, or nil.
// dispersion (1 or more) is by how much the buckets vary more than independent
// calls would; the evidence is divided by it.
func (b *Bernoulli) take(failures, calls int, usual, dispersion float64) *tally {
	if calls <= 0 {
		return nil
	}
	failures = max(0, min(failures, calls))
	expected := usual * float64(calls)
	most := b.settings.Threshold * 0.501 // so that two full buckets cross it
	// More than expected is the least that is evidence at all (the logarithm is
	// concave). It spares a host in its usual state the logarithms.
	if b.rise.buckets > 0 || float64(failures) > expected {
		b.rise.add(failures, calls, b.evidence(failures, calls, usual)/dispersion, most)
	}
	if b.fall.buckets > 0 || float64(failures) < expected { // a fall is a rise of the successes
		b.fall.add(failures, calls, b.evidence(calls-failures, calls, 1-usual)/dispersion, most)
	}
	switch {
	case b.rise.sum > b.settings.Threshold:
		return &b.rise
	case b.fall.sum > b.settings.Threshold:
		return &b.fall
	}
	return nil
}

// evidence is the log likelihood ratio of the bucket for odds that are Shift
// times the usual ones, -Inf if no greater share matters.
func (b *Bernoulli) evidence(failures, calls int, usual float64) float64 {
	if usual > 1-b.settings.Least {
		return math.Inf(-1)
	}
	usual = within(usual, b.settings.Least, 1)
	rest := 1 - usual + b.settings.Shift*usual // how much less likely a success is with the shift
	return float64(failures)*b.factor - float64(calls)*math.Log(rest)
}

// add adds the evidence, but not more than most.
func (t *tally) add(failures, calls int, evidence, most float64) {
	evidence = min(evidence, most)
	if t.sum+evidence <= 0 {
		*t = tally{}
		return
	}
	t.sum += evidence
	t.buckets++
	t.failures += float64(failures)
	t.calls += float64(calls)
}
