package detect

import "math"

// EWMA is a mean and a variance that forget exponentially: of a value, the share
// 1-Weight is left with each later one. The first values count as in a plain
// mean, until one of them would count less than Weight. The zero EWMA never
// forgets.
//
// Sources: Roberts, Control chart tests based on geometric moving averages,
// 1959 (the mean); MacGregor and Harris, The exponentially weighted moving
// variance, 1993; Finch, Incremental calculation of weighted mean and variance,
// 2009 (both in one pass).
type EWMA struct {
	Weight   float64 // of the newest value, 0 to 1
	Mean     float64
	Variance float64 // the mean squared distance from the mean
	N        int     // how many values were taken
}

// Update takes the next value; what is not a number is passed over.
func (e *EWMA) Update(x float64) {
	x, ok := usable(x)
	if !ok {
		return
	}
	e.take(x)
}

// take is Update for a value that is known to be usable.
func (e *EWMA) take(x float64) {
	if e.N < math.MaxInt32 {
		e.N++
	}
	w := e.Weight
	if n := float64(e.N); !(n*w >= 1) {
		w = 1 / n
	} else if w > 1 {
		w = 1
	}
	d := x - e.Mean
	e.Mean += w * d
	e.Variance = (1 - w) * (e.Variance + w*d*d)
}

// Deviation is the standard deviation.
func (e *EWMA) Deviation() float64 { return math.Sqrt(e.Variance) }
