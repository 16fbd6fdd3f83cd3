package detect

// limit bounds values, so that their squares and sums of squares stay finite.
const limit = 1e100

// usable answers x within the limit, and false if x is not a number.
func usable(x float64) (float64, bool) {
	if x > limit {
		return limit, true
	}
	if x < -limit {
		return -limit, true
	}
	return x, x == x
}

// within bounds a setting; one that is not a number is the lowest allowed.
func within(x, low, high float64) float64 {
	if x > high {
		return high
	}
	if x >= low {
		return x
	}
	return low
}
