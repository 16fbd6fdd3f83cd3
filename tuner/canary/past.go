package canary

import (
	"errors"
	"math"
	"slices"
	"time"
)

// Against says what the treated hosts are held against.
type Against string

// The two designs. With Others both sides have the same weather: an incident
// that hits all hosts speaks for neither. With Own a host that gets worse by
// itself is rolled back too: that is the safer mistake.
const (
	Others Against = "others" // hosts that were not changed, in the same interval
	Own    Against = "own"    // the past of the same host
)

// An Interval is what was seen in one span of time, before the change or since.
// All intervals of a trial, those before it too, are about as long.
type Interval struct {
	Length  time.Duration
	Treated float64 // cost of the changed hosts, the mean per host; at least 0
	Control float64 // the same of the hosts they are held against; not looked at with Own
	Opens   int     // circuits of changed hosts that opened
	Idle    bool    // no call was made: only the time counts
}

// Limits of the past. Costly stretches are counted only where most intervals
// cost nothing.
const (
	LeastPast     = 30     // intervals that say something
	LeastEpisodes = 5      // times that the treated hosts began to cost anything
	mostPast      = 20_000 // the newest intervals, which alone are looked at
)

// ErrShortPast is returned by Begin where too little happened before a change to
// tell whether anything is worse after it.
var ErrShortPast = errors.New("too little happened before the change: want 30 intervals that say something, and where most cost nothing 5 stretches that do")

// past is what the time before the change says about the test.
type past struct {
	cap    float64 // costs beyond count as this
	low    float64 // differences below count as this
	high   float64 // differences beyond count as this
	usual  float64 // mean difference
	worse  float64 // mean difference beyond usual, had the treated cost more by the tolerance
	margin float64 // how far off usual may be
	block  int     // intervals until a difference says something new
	slow   int     // the same for the difference of a change for the worse
	opens  float64 // per second
}

// cut answers a cost as it counts, false if it is none.
func cut(x, most float64) (float64, bool) {
	return min(max(x, 0), most), !math.IsNaN(x) && !math.IsInf(x, 0)
}

// difference is what an interval says, false if it says nothing.
func (i Interval) difference(a Against, most float64) (float64, bool) {
	treated, ok := cut(i.Treated, most)
	if i.Idle || !ok || a != Others {
		return treated, ok && !i.Idle
	}
	control, ok := cut(i.Control, most)
	return treated - control, ok && treated+control > 0
}

// opens is how many opens count, so that no sum of them overflows.
func (i Interval) opens() int { return min(max(i.Opens, 0), 1000) }

// sample is what the intervals before a change say.
type sample struct {
	differences []float64
	worse       []float64 // the same, had the treated cost more by the tolerance
	sizes       []float64 // of differences where the treated cost anything
	costs       []float64 // of the treated
	seconds     float64
	opens       float64
}

func observe(intervals []Interval, a Against, most, tolerance float64) (s sample) {
	for _, i := range intervals {
		s.seconds += min(max(i.Length, 0), longest).Seconds()
		s.opens += float64(i.opens())
		treated, ok := cut(i.Treated, most)
		if ok && !i.Idle {
			s.costs = append(s.costs, treated)
		}
		d, ok := i.difference(a, most)
		if !ok {
			continue
		}
		s.differences = append(s.differences, d)
		if treated > 0 {
			s.sizes = append(s.sizes, math.Abs(d))
		}
		i.Treated = treated * (1 + tolerance)
		more, _ := i.difference(a, most)
		s.worse = append(s.worse, more)
	}
	return s
}

// study measures the past. The margin holds with the confidence whose normal
// quantile is z.
func study(intervals []Interval, a Against, tolerance, z float64) (past, error) {
	intervals = intervals[max(0, len(intervals)-mostPast):]
	p := past{cap: ceiling(intervals, a)}
	s := observe(intervals, a, p.cap, tolerance)
	if len(s.differences) < LeastPast || tooQuiet(s.costs) {
		return past{}, ErrShortPast
	}
	p.low, p.high = floor(s.differences), min(max(2*twentieth(s.sizes), p.cap/10), p.cap)
	for i := range s.differences {
		s.differences[i], s.worse[i] = p.within(s.differences[i]), p.within(s.worse[i])
	}
	n := float64(len(s.differences))
	mean, variance := moments(s.differences)
	worse, scatter := moments(s.worse)
	memory := correlation(s.differences, mean, variance)
	if variance > 0 { // few rises: too few to know how long one lasts
		memory = max(memory, n/8/(1+rises(s.differences, mean)))
	}
	p.usual, p.worse = mean, max(worse-mean, 0)
	p.margin = wilson(variance, p.high-p.low, n/memory, z)
	p.block = block(memory, n)
	p.slow = max(p.block, block(correlation(s.worse, worse, scatter), n))
	if s.seconds > 0 {
		p.opens = s.opens / s.seconds
	}
	return p, nil
}

// block is how many of n intervals are judged together.
func block(memory, n float64) int { return int(math.Ceil(min(memory, n/8))) }

// within answers a difference as it counts.
func (p *past) within(d float64) float64 { return min(max(d, p.low), p.high) }

// tooQuiet says whether most intervals cost nothing and those that did were too
// few stretches to know how long one lasts.
func tooQuiet(costs []float64) bool {
	costly := 0
	for _, c := range costs {
		if c > 0 {
			costly++
		}
	}
	return 2*costly < len(costs) && rises(costs, 0) < LeastEpisodes
}

// ceiling is the cost beyond which all costs count the same: twice what 19 of
// 20 intervals with a cost stayed below, so that a cost that doubles is seen and
// one absurd interval decides nothing.
func ceiling(intervals []Interval, a Against) float64 {
	var costs []float64
	take := func(x float64) {
		if c, ok := cut(x, 1e100); ok && c > 0 {
			costs = append(costs, c)
		}
	}
	for _, i := range intervals {
		if i.Idle {
			continue
		}
		take(i.Treated)
		if a == Others {
			take(i.Control)
		}
	}
	if len(costs) == 0 {
		return 1
	}
	return max(2*twentieth(costs), 1e-100)
}

// twentieth is what 19 of 20 stay below, 0 of none.
func twentieth(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(xs))[len(xs)*19/20]
}

// floor is the difference below which all count the same: twice as far below
// the mean as what 19 of 20 stay above. The lower it is, the less can be bet.
func floor(differences []float64) float64 {
	sorted := slices.Sorted(slices.Values(differences))
	mean, _ := moments(differences)
	return max(mean-2*max(mean-sorted[len(sorted)/20], 0), sorted[0])
}
