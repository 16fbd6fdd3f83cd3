package tuner

import (
	"math"
	"testing"
)

// The fewest 429s of n calls at which a share above 5 % has a probability of 90 %
// (research/reliability.md, B5).
func TestFewestHitsToBeSure(t *testing.T) {
	for n, want := range map[float64]float64{20: 3, 50: 5, 100: 8, 200: 15, 500: 32, 1000: 59} {
		hits := 0.0
		for believe(hits, n, 1).above(0.05) < 0.9 {
			hits++
		}
		if math.Abs(hits-want) > 1 {
			t.Errorf("of %.0f calls %.0f hits are enough, want about %.0f", n, hits, want)
		}
	}
}

func TestPosteriorSides(t *testing.T) {
	p := believe(7, 40, 1)
	for _, x := range []float64{0, 0.01, 0.175, 0.5, 1} {
		if sum := p.above(x) + p.below(x); math.Abs(sum-1) > 1e-9 {
			t.Errorf("above and below %v make %v", x, sum)
		}
	}
	for _, q := range []float64{0.1, 0.5, 0.9, 0.999} {
		if got := p.below(p.quantile(q)); math.Abs(got-q) > 1e-6 {
			t.Errorf("below the quantile of %v are %v", q, got)
		}
	}
	if wide, narrow := believe(50, 500, 10).quantile(0.9), believe(50, 500, 1).quantile(0.9); wide <= narrow {
		t.Errorf("bursts make it no less sure: %v, %v", wide, narrow)
	}
}

// The numbers of research/reliability.md, B5.
func TestCallsPerTrip(t *testing.T) {
	for p, want := range map[float64]float64{0.01: 1e10, 0.05: 3.4e6, 0.1: 1.1e5, 0.2: 3900, 0.3: 586} {
		if got := callsPerTrip(5, p); math.Abs(got/want-1) > 0.05 {
			t.Errorf("with %v failing 5 in a row come after %.4g calls, want %.4g", p, got, want)
		}
	}
	if got := callsPerTrip(5, 0.5); math.Abs(got-62) > 1e-6 {
		t.Errorf("5 heads in a row come after %v tosses, want 62", got)
	}
}

// One minus the probabilities of 0, 1 and 2 events where 1.5 are expected.
func TestAtLeast(t *testing.T) {
	want := 1 - math.Exp(-1.5)*(1+1.5+1.5*1.5/2)
	if got := atLeast(3, 1.5); math.Abs(got-want) > 1e-9 {
		t.Errorf("3 or more: %v, want %v", got, want)
	}
	if atLeast(0, 0) != 1 || atLeast(1, 0) != 0 {
		t.Error("of nothing comes nothing")
	}
}
