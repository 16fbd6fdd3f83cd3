package outage

import "math"

// between gives the mean and the variance of a standard normal value that is
// known to lie between low and high; they may be infinite.
// Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1,
// 2nd edition, section 10.1.
func between(low, high float64) (mean, variance float64) {
	if low+high < 0 { // work in the upper tail, where nothing cancels
		mean, variance = between(-high, -low)
		return -mean, variance
	}
	width := high - low
	if width < 1e-3 {
		return low + width/2, width * width / 12
	}
	mass := tail(low) - tail(high)
	if mass < 1e-100 { // so far out that the density falls like exp(-low·x)
		step := min(1/low, width/2)
		return low + step, step * step
	}
	left, right := density(low), density(high)
	mean = (left - right) / mass
	variance = 1 + (product(low, left)-product(high, right))/mass - mean*mean
	return mean, min(max(variance, 0), 1)
}

// tail is the probability of a standard normal value above z.
func tail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

func density(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// product is z times its density, which is 0 at infinity.
func product(z, density float64) float64 {
	if density == 0 {
		return 0
	}
	return z * density
}
