package detect

import "math"

// moments sums up the values at the steps 0, 1, ... of one stretch, whose
// number the owner keeps.
//
// Source: Welford, Note on a method for calculating corrected sums of squares
// and products, 1962.
type moments struct {
	mean   float64
	square float64 // Σ(y-ȳ)²
	slope  float64 // Σ(t-t̄)(y-ȳ)
}

// add takes the value y to the n there are.
func (m *moments) add(y, n float64) {
	d := y - m.mean
	share := d / (n + 1)
	m.slope += d * n / 2
	m.square += d * share * n
	m.mean += share
}

// aboutLine is the sum of squared distances of n values from the straight line
// that fits them best; square is that from their mean. Two points are on no
// line in particular.
func (m *moments) aboutLine(n float64) float64 {
	if n < 3 {
		return m.square
	}
	times := n * (n*n - 1) / 12 // Σ(t-t̄)² of the steps 0 to n-1
	return max(0, m.square-m.slope*m.slope/times)
}

// deviation is the standard deviation, as estimated from n values.
func (m *moments) deviation(n float64) float64 {
	if n < 2 {
		return 0
	}
	return math.Sqrt(m.square / (n - 1))
}
