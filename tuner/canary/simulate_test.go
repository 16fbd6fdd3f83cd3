package canary_test

import (
	"math"
	"math/rand/v2"
	"time"

	"fleetfuse/tuner/canary"
)

// A weather makes the costs of one host, interval by interval.
type weather struct {
	name  string
	begin func(r *rand.Rand) func() float64
}

var weathers = []weather{
	{"normal", steady(func(r *rand.Rand) float64 { return max(0, 100+20*r.NormFloat64()) })},
	{"exponential", steady(func(r *rand.Rand) float64 { return 10 * r.ExpFloat64() })},
	{"log-normal 1.5", steady(func(r *rand.Rand) float64 { return math.Exp(1.5 * r.NormFloat64()) })},
	{"Pareto 1.2", steady(func(r *rand.Rand) float64 { return math.Pow(1-r.Float64(), -1/1.2) })}, // no variance
	{"5 spikes a day", bursts(0.02, 1)},
	{"flapping", bursts(1./12, 1./2)},        // 20 outages a day, of 10 minutes
	{"4 outages a day", bursts(1./60, 1./6)}, // of 30 minutes
	{"long outages", bursts(1./300, 1./24)},  // 0.9 a day, of 2 hours
	{"drifting", drifting(0.97, 0.3)},        // a correlated log-normal
}

func steady(draw func(r *rand.Rand) float64) func(r *rand.Rand) func() float64 {
	return func(r *rand.Rand) func() float64 { return func() float64 { return draw(r) } }
}

// bursts are outages that begin and end with these chances in each interval,
// and cost something only while they last.
func bursts(begin, end float64) func(r *rand.Rand) func() float64 {
	return func(r *rand.Rand) func() float64 {
		down := r.Float64() < begin/(begin+end)
		return func() float64 {
			if down {
				down = r.Float64() >= end
			} else {
				down = r.Float64() < begin
			}
			if !down {
				return 0
			}
			return 60 * r.ExpFloat64()
		}
	}
}

func drifting(keep, spread float64) func(r *rand.Rand) func() float64 {
	return func(r *rand.Rand) func() float64 {
		level := spread / math.Sqrt(1-keep*keep) * r.NormFloat64()
		return func() float64 {
			level = keep*level + spread*r.NormFloat64()
			return math.Exp(level)
		}
	}
}

const five = 5 * time.Minute

// A design makes intervals in which the treated cost factor times as much.
type design struct {
	name    string
	against canary.Against
	begin   func(r *rand.Rand, w weather) func(factor float64) canary.Interval
}

// In all designs the treated host costs twice as much as the others to begin with.
var designs = []design{
	{"own past", canary.Own, func(r *rand.Rand, w weather) func(factor float64) canary.Interval {
		host := w.begin(r)
		return func(factor float64) canary.Interval {
			return interval(2*factor*host(), math.NaN())
		}
	}},
	{"9 others", canary.Others, func(r *rand.Rand, w weather) func(factor float64) canary.Interval {
		host, others := w.begin(r), make([]func() float64, 9)
		for i := range others {
			others[i] = w.begin(r)
		}
		return func(factor float64) canary.Interval {
			control := 0.0
			for _, o := range others {
				control += o() / 9
			}
			return interval(2*factor*host(), control)
		}
	}},
	{"replay", canary.Others, func(r *rand.Rand, w weather) func(factor float64) canary.Interval {
		host := w.begin(r)
		return func(factor float64) canary.Interval {
			cost := host()
			return interval(2*factor*cost*math.Exp(0.3*r.NormFloat64()), 2*cost*math.Exp(0.3*r.NormFloat64()))
		}
	}},
}

func interval(treated, control float64) canary.Interval {
	i := canary.Interval{Length: five, Treated: treated, Control: control}
	if treated > 0 {
		i.Opens = 1
	}
	return i
}

// trial runs a change that multiplies cost by the factor, after days without it. It
// answers all that was seen too.
func trial(r *rand.Rand, w weather, d design, days int, factor float64) (s canary.State, before, since []canary.Interval, err error) {
	next := d.begin(r, w)
	for range days * 24 * 12 {
		before = append(before, next(1))
	}
	s, err = canary.Begin(before, d.against, canary.Defaults())
	for err == nil && s.Verdict == canary.Continue {
		since = append(since, next(factor))
		s = s.Update(since[len(since)-1])
	}
	return s, before, since, err
}

// textbook says whether the one-sided normal mSPRT at 5 % of Johari et al., with
// the variance of before for both the noise and the mixture, ever fires in a day.
func textbook(next func(factor float64) canary.Interval, before []canary.Interval, a canary.Against) bool {
	var mean, variance, sum float64
	difference := func(i canary.Interval) float64 {
		if a == canary.Others {
			return i.Treated - i.Control
		}
		return i.Treated
	}
	for i, b := range before {
		step := difference(b) - mean
		mean += step / float64(i+1)
		variance += step * (difference(b) - mean) / float64(len(before)-1)
	}
	for n := 1.0; n <= 288; n++ {
		sum += difference(next(1)) - mean
		ratio := sum * sum / (2 * variance * (1 + n))
		if sum > 0 && ratio-0.5*math.Log(1+n) >= math.Log(1/0.05) {
			return true
		}
	}
	return false
}
