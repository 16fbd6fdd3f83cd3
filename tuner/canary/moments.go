package canary

import "math"

// moments are the mean and the variance (Welford, 1962).
func moments(xs []float64) (mean, variance float64) {
	for i, x := range xs {
		step := x - mean
		mean += step / float64(i+1)
		variance += step * (x - mean)
	}
	return mean, variance / float64(max(len(xs)-1, 1))
}

// rises counts how often the values go above a level.
func rises(xs []float64, level float64) (n float64) {
	for i, x := range xs {
		if x > level && (i == 0 || xs[i-1] <= level) {
			n++
		}
	}
	return n
}

// mostLag bounds the lags that are looked at.
const mostLag = 500

// correlation is the integrated autocorrelation time: how many intervals say as
// much as one would if they had nothing to do with each other. The sum ends with
// the first pair of lags that is not positive (Geyer, Practical Markov chain
// Monte Carlo, 1992).
func correlation(xs []float64, mean, variance float64) float64 {
	n := len(xs)
	scale := variance * float64(n-1)
	if !(scale > 0) {
		return 1
	}
	at := func(lag int) (sum float64) {
		for i := lag; i < n; i++ {
			sum += (xs[i] - mean) * (xs[i-lag] - mean) / scale
		}
		return sum
	}
	time := 1.0
	for lag := 1; lag+1 < min(n/4, mostLag); lag += 2 {
		pair := at(lag) + at(lag+1)
		if !(pair > 0) {
			break
		}
		time += 2 * pair
	}
	return time
}

// wilson is how far the mean of n independent values within a width may be from
// the true one. It is the half width of Wilson's interval (Probable inference,
// 1927), with the variance that was seen in place of that of a share; unlike the plain normal
// one it is not zero where nothing has happened yet.
func wilson(variance, width, n, z float64) float64 {
	return z*z*width/(2*n) + z*math.Sqrt(variance/n+z*z*width*width/(4*n*n))
}
