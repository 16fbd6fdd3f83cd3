package detect

import "math"

// limit bounds values, so that their squares and sums of squares stay finite.
const limit = 1e100

// usable answers x within the limit, and false if x is not a number.
func usable(x float64) (float64, bool) {
	if math.IsNaN(x) {
		return 0, false
	}
	return max(-limit, min(x, limit)), true
}

// within bounds a setting; one that is not a number is the lowest allowed.
func within(x, low, high float64) float64 {
	if !(x >= low) {
		return low
	}
	return min(x, high)
}
