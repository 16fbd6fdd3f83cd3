package detect

import (
	"math"
	"math/rand/v2"
	"testing"
)

// outage gives buckets of ten calls: share fails before, during and after.
func outage(r *rand.Rand, bucket, from, to int, usual, during float64) (failures, calls int) {
	p := usual
	if bucket >= from && bucket < to {
		p = during
	}
	for range 10 {
		if r.Float64() < p {
			failures++
		}
	}
	return failures, 10
}

func TestShareBaselineRestartsAtOutages(t *testing.T) {
	for seed := range uint64(20) {
		b := NewShareBaseline(ForFailures())
		r := rand.New(rand.NewPCG(seed, 1))
		var told, places []int
		for i := range 2000 {
			if ago, changed := b.Update(outage(r, i, 1000, 1100, 0.02, 0.9)); changed {
				told, places = append(told, i), append(places, i-ago)
				if len(told) == 1 && (b.Usual() < 0.3 || b.Before() > 0.05) {
					t.Errorf("seed %d: in the outage %.2f is usual, before it %.2f", seed, b.Usual(), b.Before())
				}
			}
		}
		if len(told) < 2 || places[0] < 990 || places[0] > 1002 || told[0] > 1005 {
			t.Errorf("seed %d: changes from %v told at %v, want from about 1000 and 1100", seed, places, told)
		}
		if p := b.Usual(); p > 0.04 {
			t.Errorf("seed %d: long after the outage %.3f is usual, want about 0.02", seed, p)
		}
		if b.Since() < 850 || b.Since() > 905 {
			t.Errorf("seed %d: the baseline is %d buckets old", seed, b.Since())
		}
	}
}

// The increments are those of the sequential test in Wald's form, with the
// numbers of a shift from 5 % to 50 %: +2.30 a failure, -0.64 a success.
func TestBernoulliEvidence(t *testing.T) {
	b := NewBernoulli(BernoulliSettings{Shift: 19, Threshold: 100})
	if got := b.evidence(1, 1, 0.05); math.Abs(got-math.Log(10)) > 1e-9 {
		t.Errorf("a failure adds %v", got)
	}
	if got := b.evidence(0, 1, 0.05); math.Abs(got-math.Log(0.5/0.95)) > 1e-9 {
		t.Errorf("a success adds %v", got)
	}
	if ago, changed := b.Update(0, 0, 0.05); changed || ago != 0 || b.rise.buckets != 0 {
		t.Error("a bucket without calls said something")
	}
}

func TestOneBadBucketIsNoChange(t *testing.T) {
	b := NewShareBaseline(ForFailures())
	for i := range 500 {
		failures := 0
		if i == 300 {
			failures = 1000
		}
		if _, changed := b.Update(failures, 1000); changed {
			t.Fatalf("a change told with bucket %d", i)
		}
	}
}

func TestLatencyBaselineTellsAChangeOnce(t *testing.T) {
	for seed := range uint64(20) {
		b := NewLatencyBaseline(ForLatency())
		r := rand.New(rand.NewPCG(seed, 2))
		var told []int
		for i := range 6000 {
			level := math.Log(0.2)
			if i >= 3000 {
				level = math.Log(0.5)
			}
			sum, calls := 0.0, r.IntN(20)
			for range calls {
				sum += level + 0.5*r.NormFloat64()
			}
			if _, changed := b.Update(sum, calls); changed {
				told = append(told, i)
			}
		}
		if len(told) != 1 || told[0] < 3000 || told[0] > 3000+6*6 {
			t.Errorf("seed %d: changes told at %v, want one soon after 3000", seed, told)
		}
	}
}

func TestEWMA(t *testing.T) {
	e := EWMA{Weight: 0.01}
	for i := range 100 { // until 1/N is the weight it is a plain mean
		e.Update(float64(i))
	}
	if math.Abs(e.Mean-49.5) > 1e-9 || math.Abs(e.Variance-833.25) > 1e-6 {
		t.Errorf("of 0 to 99: mean %v, variance %v; want 49.5, 833.25", e.Mean, e.Variance)
	}
	for range 2000 {
		e.Update(7)
	}
	if math.Abs(e.Mean-7) > 1e-6 || e.Deviation() > 0.01 {
		t.Errorf("after many sevens: mean %v, deviation %v", e.Mean, e.Deviation())
	}
}
