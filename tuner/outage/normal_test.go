package outage

import (
	"math"
	"testing"
)

// between agrees with a sum over the interval.
func TestBetween(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range [][2]float64{{-1, 1}, {0, 2}, {-inf, 0}, {1, inf}, {-inf, inf}, {3, 3.1}, {5, inf}, {-9, -8}, {9, 12}, {-0.001, 0.002}, {0.5, 0.5005}} {
		low, high := max(c[0], -14), min(c[1], 14)
		const steps = 200_000
		var mass, sum, square float64
		for i := range steps {
			x := low + (high-low)*(float64(i)+0.5)/steps
			p := math.Exp(-x * x / 2)
			mass, sum, square = mass+p, sum+p*x, square+p*x*x
		}
		wantMean := sum / mass
		wantVariance := square/mass - wantMean*wantMean
		mean, variance := between(c[0], c[1])
		if math.Abs(mean-wantMean) > 1e-5 || math.Abs(variance-wantVariance) > 1e-5 {
			t.Errorf("between %v and %v: mean %v, variance %v; want %v, %v", c[0], c[1], mean, variance, wantMean, wantVariance)
		}
	}
}

// Far out nothing is lost: the value lies in the interval, and is not certain beyond it.
func TestBetweenFarOut(t *testing.T) {
	for _, low := range []float64{10, 25, 40, 1e4, 1e10} {
		for _, width := range []float64{0, 1e-6, 0.01, 1, math.Inf(1)} {
			for _, sign := range []float64{1, -1} {
				a, b := low, low+width
				if sign < 0 {
					a, b = -b, -a
				}
				mean, variance := between(a, b)
				if !(mean >= a && mean <= b && variance >= 0 && variance <= 1) {
					t.Errorf("between %v and %v: mean %v, variance %v", a, b, mean, variance)
				}
			}
		}
	}
}
