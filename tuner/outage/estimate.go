package outage

import (
	"math"
	"time"
)

// Longest is the longest outage that is told from longer ones, and the highest
// mean an Estimate answers.
const Longest = 30 * 24 * time.Hour

// kept is how many outages an Estimate remembers, however slowly it forgets.
const kept = 64

// Sample says how long one outage lasted, counted from the failure that opened the
// breaker.
type Sample struct {
	AtLeast time.Duration // until the last probe that failed; 0 if none did
	AtMost  time.Duration // until the first good probe; 0: it is not over as far as known
}

// Prior is what is assumed about a host before its first outage.
type Prior struct {
	Median       time.Duration // half of the outages are shorter
	Spread       float64       // standard deviation of the natural logarithm of their lengths
	MedianWeight float64       // the median counts like so many outages of the host
	SpreadWeight float64       // the spread does
	Forget       float64       // each outage that follows multiplies an outage's weight by this
}

// Usual answers the prior of the zero Estimate. It was chosen on the tuning part of
// the recorded outages: docs/studies/outages.md.
func Usual() Prior {
	return Prior{Median: 15 * time.Minute, Spread: 1.2, MedianWeight: 2, SpreadWeight: 8, Forget: 0.95}
}

// interval holds the logarithms of seconds between which an outage ended.
type interval struct{ low, high float32 }

// Estimate is what is known of the outages of one host: a log-normal
// distribution, by maximum a posteriori from the last 64 outages, each known as
// an interval only. Its zero value assumes Usual. It is a value without pointers
// of less than 1 KB: a copy is an estimate of its own.
//
// Source: Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM
// algorithm, 1977, section 4.2 (grouped, censored and truncated normal values). Mean
// and variance have priors of their own, independent of each other (semi-conjugate ones,
// Gelman and others, Bayesian Data Analysis).
type Estimate struct {
	prior   Prior
	samples [kept]interval // a ring; next is where the next goes
	next    int
	count   int

	// The fit, good when count > 0.
	mean, deviation float64 // of the logarithm of seconds
	weight          float64 // of the samples, those forgotten counted less
	known           float64 // how many exact lengths the samples and the prior are worth
}

// New answers an estimate that assumes p until outages are seen. What is out
// of bounds in p (Median 1 s to Longest, Spread 0.05 to 3, weights 0.1 to
// 1000, Forget 0.5 to 1) is brought into them.
func New(p Prior) Estimate { return Estimate{prior: p.bounded()} }

func (p Prior) bounded() Prior {
	p.Median = min(max(p.Median, time.Second), Longest)
	p.Spread = within(p.Spread, 0.05, 3)
	p.MedianWeight = within(p.MedianWeight, 0.1, 1000)
	p.SpreadWeight = within(p.SpreadWeight, 0.1, 1000)
	p.Forget = within(p.Forget, 0.5, 1)
	return p
}

// within bounds x; what is not a number is the lowest allowed.
func within(x, low, high float64) float64 {
	if x > high {
		return high
	}
	if x >= low {
		return x
	}
	return low
}

// Add takes what is known of one more outage: once, when it is over or nobody
// will ask any more. The work is bounded (64 outages × 30 rounds, mostly a few). An AtMost
// below AtLeast counts as AtLeast. To learn what an outage that goes on means by now, add
// it to a copy.
func (e *Estimate) Add(s Sample) {
	s.AtLeast = min(max(s.AtLeast, 0), Longest)
	in := interval{logSeconds(s.AtLeast), float32(math.Inf(1))}
	if s.AtMost > 0 {
		in.high = logSeconds(min(max(s.AtMost, s.AtLeast), Longest))
	}
	e.samples[e.next] = in
	e.next = (e.next + 1) % kept
	e.count = min(e.count+1, kept)
	e.fit()
}

// logSeconds is minus infinity for nothing.
func logSeconds(d time.Duration) float32 { return float32(math.Log(d.Seconds())) }

// Mean answers the expected length of an outage, 1 s to Longest, and how many
// outages of this host it rests on (those forgotten count less). It is not ok before
// the first: then the mean is the prior's.
func (e Estimate) Mean() (mean time.Duration, weight float64, ok bool) {
	mu, sigma := e.fitted()
	return seconds(mu + sigma*sigma/2), e.weight, e.count > 0
}

// Interval answers bounds that hold the mean with a probability of about 95 % (of about 90 %
// where most outages are over before the first probe).
// An outage that was seen roughly, or only begun, narrows it by less than an exact one.
// Forgetting widens it.
//
// Source: Zhou and Gao, Confidence intervals for the log-normal mean, 1997 (Cox's
// method); the information lost by censoring: Louis, Finding the observed
// information matrix when using the EM algorithm, 1982.
func (e Estimate) Interval() (low, high time.Duration) {
	mu, sigma := e.fitted()
	square, known := sigma*sigma, e.known
	if e.count == 0 {
		known = e.assumed().MedianWeight
	}
	half := 1.96 * math.Sqrt(square/known+square*square/(2*known))
	return seconds(mu + square/2 - half), seconds(mu + square/2 + half)
}

// seconds is the duration with a logarithm of seconds, within the limits.
func seconds(log float64) time.Duration {
	log = within(log, 0, math.Log(Longest.Seconds()))
	return min(time.Duration(math.Exp(log)*float64(time.Second)), Longest)
}
