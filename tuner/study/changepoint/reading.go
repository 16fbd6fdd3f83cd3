package changepoint

import (
	"math"
	"slices"

	"fleetfuse/tuner/detect"
)

// detector is the shape that all of package detect share.
type detector interface {
	Update(x float64) (ago int, changed bool)
}

// told gives the values to the detector one after the other and lists the
// changes it told. None is taken back, so nothing of this peeks ahead.
func told(d detector, values []float64) []int {
	var changes []int
	for i, x := range values {
		if ago, changed := d.Update(x); changed {
			changes = append(changes, i-ago)
		}
	}
	return changes
}

// lookedBack gives all values to a BOCPD and then follows, from the stretch
// that is likeliest at the end, what it thought came before. The last values can
// overrule what was believed at the time: this peeks ahead, as the benchmark lets
// every method do.
func lookedBack(s detect.BOCPDSettings, values []float64) []int {
	s.Odds = math.Inf(1) // tell nothing, forget nothing
	d := detect.NewBOCPD(s)
	before := map[int]int{}
	for _, x := range values {
		d.Update(x)
		newest := d.Newest()
		before[newest.Began] = newest.Before
	}
	var changes []int
	for at := d.Likeliest().Began; at > 0; at = before[at] {
		changes = append(changes, at)
	}
	slices.Reverse(changes)
	return changes
}

// standardized scales values to mean 0 and variance 1 over the whole series, as
// the benchmark does for every method. It peeks ahead.
func standardized(values []float64) []float64 {
	mean, square := 0.0, 0.0
	for _, x := range values {
		mean += x
	}
	mean /= float64(len(values))
	for _, x := range values {
		square += (x - mean) * (x - mean)
	}
	deviation := math.Sqrt(square / float64(len(values)-1))
	scaled := make([]float64, len(values))
	for i, x := range values {
		scaled[i] = (x - mean) / deviation
	}
	return scaled
}
