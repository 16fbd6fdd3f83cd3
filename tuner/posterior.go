package tuner

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// mostTrials bounds the evidence in one posterior: it keeps the share of larger
// counts, and no absurd one makes anything more certain than a million calls.
const mostTrials = 1e6

// A posterior is what is believed of a share after hits and misses were counted:
// a Beta distribution with Jeffreys' prior (Jeffreys, Theory of Probability, 1946).
type posterior struct{ a, b float64 }

// believe is the posterior of a share; excess (1 or more) is how many times more
// the counts vary than those of independent calls, by which they weigh less.
func believe(hits, trials, excess float64) posterior {
	if !(trials > 0) {
		return posterior{0.5, 0.5}
	}
	share := bound(hits/trials, 0, 1)
	n := bound(trials/bound(excess, 1, 1e6), 0, mostTrials)
	return posterior{share*n + 0.5, (1-share)*n + 0.5}
}

// above is how probable it is that the share is above x.
func (p posterior) above(x float64) float64 {
	return bound(mathext.RegIncBeta(p.b, p.a, bound(1-x, 0, 1)), 0, 1)
}

// below is how probable it is that the share is below x.
func (p posterior) below(x float64) float64 {
	return bound(mathext.RegIncBeta(p.a, p.b, bound(x, 0, 1)), 0, 1)
}

// quantile is the share that the true one is below with a probability of q.
func (p posterior) quantile(q float64) float64 {
	return bound(mathext.InvRegIncBeta(p.a, p.b, bound(q, 0, 1)), 0, 1)
}

// callsPerTrip is after how many calls, on average, k failures in a row come up
// where a share p fails and nothing is wrong (the average run length ARL0):
// (1-p^k)/((1-p)·p^k). Source: Feller, An Introduction to Probability Theory, 3rd
// edition, XIII.7.
func callsPerTrip(k int, p float64) float64 {
	p = bound(p, 1e-9, 1-1e-9)
	run := math.Pow(p, float64(k))
	return (1 - run) / ((1 - p) * run)
}

// atLeast is how probable n or more events are where mean are expected (Poisson).
func atLeast(n int, mean float64) float64 {
	if n <= 0 {
		return 1
	}
	return bound(mathext.GammaIncReg(float64(n), bound(mean, 0, 1e6)), 0, 1)
}

// normal is the probability of a standard normal value below z.
func normal(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// bound brings x between low and high; what is not a number is the lowest allowed.
func bound(x, low, high float64) float64 {
	if x > high {
		return high
	}
	if x >= low {
		return x
	}
	return low
}
