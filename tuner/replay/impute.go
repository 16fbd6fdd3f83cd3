package replay

import (
	"math"
	"time"

	"fleetfuse/breaker"
)

// An Imputation is a way to say how a call that was rejected would have gone.
type Imputation int

// The imputations. Optimistic: it would have succeeded. Mean and Pessimistic
// rest on the probability that the host was up at that moment, given what the
// calls and probes before and after it met (see smooth): as it is, and with
// its odds divided by Case.Doubt. Calls between the same two records share a
// draw, because outages come in stretches: where a failure is before and a
// success behind, the host comes back once, at a moment that differs from draw
// to draw. While it is up calls fail as often as they did while it was up, while
// it is down most fail, in the pessimistic imputation all.
const (
	Pessimistic Imputation = iota
	Mean
	Optimistic
	Imputations
)

var imputationNames = [Imputations]string{"pessimistic", "mean", "optimistic"}

func (i Imputation) String() string {
	if i >= 0 && i < Imputations {
		return imputationNames[i]
	}
	return "unknown"
}

// draws is how often Mean and Pessimistic are drawn; results are averages. The
// draws of a stretch are evenly spaced from a random start (a rotated lattice;
// Cranley and Patterson, 1976), which needs fewer than independent ones.
const draws = 8

func (i Imputation) draws() int {
	if i == Optimistic {
		return 1
	}
	return draws
}

// impute fills in how the blocked calls of a script go in one draw.
func (s *script) impute(how Imputation, draw int, doubt float64, seed uint64) {
	for i := range s.calls {
		c := &s.calls[i]
		if !c.blocked {
			continue
		}
		c.Kind = breaker.Success
		if how != Optimistic && s.drawFails(c, i, how, draw, doubt, seed) {
			c.Kind = breaker.Failure
		}
	}
}

func (s *script) drawFails(c *call, i int, how Imputation, draw int, doubt float64, seed uint64) bool {
	up, fails := c.up, s.downFails
	if how == Pessimistic {
		up, fails = doubted(up, doubt), 1
	}
	_, u := math.Modf(unit(seed, uint64(c.stretch)) + (float64(draw)+0.5)/draws)
	if u < up {
		fails = s.upFails
	}
	return unit(seed^uint64(draw+1)<<48, uint64(i)) < fails
}

// doubted divides the odds of a probability.
func doubted(p, by float64) float64 {
	if math.IsInf(by, 1) {
		return 0
	}
	return p / (p + by*(1-p))
}

// The model of a host: it is up or down, and changes between them as a Markov
// chain in continuous time (Gilbert 1960, Elliott 1963). What a host's outages
// are like is not on one tape; these are a prior for a host that fails, and
// matter little against a few calls.
const (
	upFor   = time.Hour        // mean time until it goes down
	downFor = 10 * time.Minute // mean time until it comes back
	// How often calls fail while the host is up and while it is down is estimated
	// from the tape. The first has Jeffreys prior, the second one worth ten calls
	// of which 9.5 failed; they are kept apart.
	startUpFails, leastUpFails, mostUpFails = 0.05, 1e-4, 0.5
	startDownFails, leastDownFails          = 0.95, 0.7
	priorDown                               = 10
	// A record is as strong as so many calls at most: calls that were under way
	// together are not independent.
	strongest = 10
	rounds    = 5 // of the estimate
)

// later is the probability that the host is up after some time, given that it
// is up with probability p before.
func later(p float64, d time.Duration) float64 {
	const toUp, toDown = 1 / float64(downFor), 1 / float64(upFor)
	const atRest = toUp / (toUp + toDown)
	return atRest + (p-atRest)*math.Exp(-(toUp+toDown)*float64(max(d, 0)))
}

// seen is what one record says.
type seen struct {
	at       breaker.Instant
	n        float64
	failed   bool
	call     int     // where it is among the calls
	forward  float64 // probability of up given this and the earlier ones
	backward float64 // of up against down, by the likelihood of the later ones: 0 to 1
}

// smooth works out how often calls fail while the host is up and while it is
// down, and for each blocked call the probability that the host was up, by
// passes forward and back over what was recorded (the forward-backward
// algorithm; Rabiner, 1989). How often calls fail is the mean of a Beta
// posterior, each record counted by the probability that the host was up, or
// down.
func (s *script) smooth() {
	var list []seen
	for i := range s.calls {
		c := &s.calls[i]
		if failed := c.Kind == breaker.Failure || c.Strict; !c.blocked && (failed || c.Kind == breaker.Success) {
			list = append(list, seen{at: c.Ended, n: float64(min(c.Count, strongest)), failed: failed, call: i})
		}
	}
	s.upFails, s.downFails = startUpFails, startDownFails
	for range rounds {
		s.passes(list)
		s.estimate(list)
	}
	s.passes(list)
	s.between(list)
}

func (s *script) estimate(list []seen) {
	up, upFailed, down, downFailed := 1.0, 0.5, float64(priorDown), priorDown*startDownFails
	for i := range list {
		p := both(list[i].forward, list[i].backward)
		up += p * list[i].n
		down += (1 - p) * list[i].n
		if list[i].failed {
			upFailed += p * list[i].n
			downFailed += (1 - p) * list[i].n
		}
	}
	s.upFails = min(max(upFailed/up, leastUpFails), mostUpFails)
	s.downFails = max(downFailed/down, leastDownFails)
}

// both is the probability of up by two independent sources.
func both(p, q float64) float64 {
	up, down := p*q, (1-p)*(1-q)
	if up+down == 0 {
		return 0.5
	}
	return up / (up + down)
}

// says is the probability of up by one record alone, without a prior.
func (s *script) says(o *seen) float64 {
	up, down := 1-s.upFails, 1-s.downFails
	if o.failed {
		up, down = s.upFails, s.downFails
	}
	return 1 / (1 + math.Pow(down/up, o.n))
}

func (s *script) passes(list []seen) {
	for i := range list {
		before := later(1, upFor) // not known: as a host that fails
		if i > 0 {
			before = later(list[i-1].forward, list[i].at.Sub(list[i-1].at))
		}
		list[i].forward = both(before, s.says(&list[i]))
	}
	for i := len(list) - 1; i >= 0; i-- {
		list[i].backward = 0.5
		if i+1 < len(list) {
			next := &list[i+1]
			list[i].backward = earlier(both(next.backward, s.says(next)), next.at.Sub(list[i].at))
		}
	}
}

// earlier is what the likelihoods of up and down at one moment, normed to a sum
// of one, say of a moment before.
func earlier(p float64, d time.Duration) float64 {
	fromUp, fromDown := later(1, d), later(0, d)
	up, down := fromUp*p+(1-fromUp)*(1-p), fromDown*p+(1-fromDown)*(1-p)
	return up / (up + down)
}

// between gives each blocked call what the records before and after it say.
func (s *script) between(list []seen) {
	next := 0
	for i := range s.calls {
		for next < len(list) && list[next].call < i {
			next++
		}
		c := &s.calls[i]
		if !c.blocked {
			continue
		}
		before, after := 0.5, 0.5
		if next > 0 {
			before = later(list[next-1].forward, c.Began.Sub(list[next-1].at))
		}
		if next < len(list) {
			o := &list[next]
			after = earlier(both(o.backward, s.says(o)), o.at.Sub(c.Began))
		}
		c.stretch, c.up = next, both(before, after)
	}
}

// unit is a number from 0 to 1, the same for the same seed and index.
func unit(seed, index uint64) float64 {
	return float64(mix(mix(seed)+index)>>11) / (1 << 53)
}

// mix spreads the bits of a number (the step and finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
