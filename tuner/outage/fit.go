package outage

import "math"

// Bounds of the work and of the answer.
const (
	rounds     = 30   // of EM with each outage; it goes on from the fit before
	settled    = 1e-3 // it ends when neither parameter moves by more
	narrowest  = 0.05 // deviations of the logarithm of an outage's length
	widest     = 3.0
	leastWorth = 0.1 // lengths the evidence is worth at least, to divide by
)

// assumed is the prior in force.
func (e *Estimate) assumed() Prior {
	if e.prior == (Prior{}) {
		return Usual()
	}
	return e.prior
}

// fitted answers mean and deviation of the logarithm of an outage's seconds.
func (e *Estimate) fitted() (mean, deviation float64) {
	if e.count == 0 {
		p := e.assumed()
		return math.Log(p.Median.Seconds()), p.Spread
	}
	return e.mean, e.deviation
}

// fit brings mean and deviation in line with the samples, beginning where
// they are.
func (e *Estimate) fit() {
	p := e.assumed()
	if e.count == 1 {
		e.mean, e.deviation = math.Log(p.Median.Seconds()), p.Spread
	}
	for range rounds {
		mean, deviation := e.step(p)
		moved := max(math.Abs(mean-e.mean), math.Abs(deviation-e.deviation))
		e.mean, e.deviation = mean, deviation
		if moved < settled {
			return
		}
	}
}

// step is one round of EM: what the samples are expected to be if the
// present fit is right (E), and the fit that is likeliest if they are that (M).
func (e *Estimate) step(p Prior) (mean, deviation float64) {
	var weights, sum, square, known float64
	weight := 1.0
	for age := range e.count {
		in := e.samples[(e.next-1-age+kept)%kept]
		m, v := between((float64(in.low)-e.mean)/e.deviation, (float64(in.high)-e.mean)/e.deviation)
		x := e.mean + e.deviation*m
		weights += weight
		sum += weight * x
		square += weight * (x*x + e.deviation*e.deviation*v)
		known += weight * (1 - v)
		weight *= p.Forget
	}
	e.weight, e.known = weights, max(p.MedianWeight+known, leastWorth)
	before := math.Log(p.Median.Seconds())
	mean = (p.MedianWeight*before + sum) / (p.MedianWeight + weights)
	scatter := square - 2*mean*sum + weights*mean*mean
	// That the host is far from the prior's median says nothing about its spread.
	variance := (p.SpreadWeight*p.Spread*p.Spread + max(scatter, 0)) / (p.SpreadWeight + weights)
	return mean, within(math.Sqrt(variance), narrowest, widest)
}
