package changepoint

import (
	"math"
	"slices"
)

// The three simplest peers, rebuilt to check the metric against what the paper
// stored: a change of mean in noise of variance 1, with the modified BIC
// penalty (Zhang and Siegmund, 2007) as the R package "changepoint" counts it.
// They report the last step before a change, as their wrapper does.

// sums answers the cost of a segment of standardized values.
type sums struct{ one, two []float64 }

func newSums(values []float64) sums {
	s := sums{make([]float64, len(values)+1), make([]float64, len(values)+1)}
	for i, x := range standardized(values) {
		s.one[i+1], s.two[i+1] = s.one[i]+x, s.two[i]+x*x
	}
	return s
}

func (s sums) square(from, to int) float64 {
	d := s.one[to] - s.one[from]
	return s.two[to] - s.two[from] - d*d/float64(to-from)
}

func (s sums) cost(from, to int) float64 {
	return s.square(from, to) + math.Log(float64(to-from))
}

// split is the best place to cut a segment in two, 0 if there is none.
func (s sums) split(from, to int) (at int, gain float64) {
	for k := from + 1; k < to; k++ {
		if g := s.cost(from, to) - s.cost(from, k) - s.cost(k, to); at == 0 || g > gain {
			at, gain = k, g
		}
	}
	return at, gain
}

// amoc finds at most one change.
func amoc(values []float64) []int {
	s, n := newSums(values), len(values)
	at, best := 0, math.Inf(1)
	for k := 1; k < n; k++ {
		if c := s.square(0, k) + s.square(k, n); c < best {
			at, best = k, c
		}
	}
	alternative := best + math.Log(float64(at)) + math.Log(float64(n-at+1))
	if s.square(0, n)-alternative > 3*math.Log(float64(n)) {
		return []int{at - 1}
	}
	return nil
}

// binseg cuts, at most five times, where the gain is largest.
func binseg(values []float64) []int {
	s, n := newSums(values), len(values)
	cuts := []int{0, n}
	for range 5 {
		at, best := 0, 3*math.Log(float64(n))
		for i := 1; i < len(cuts); i++ {
			if k, gain := s.split(cuts[i-1], cuts[i]); k > 0 && gain > best {
				at, best = k, gain
			}
		}
		if at == 0 {
			break
		}
		cuts = append(cuts, at)
		slices.Sort(cuts)
	}
	return before(cuts[1 : len(cuts)-1])
}

// pelt finds the cheapest segmentation among those it does not prune. With the
// modified BIC pruning is not exact, so it is part of what is reported.
func pelt(values []float64) []int {
	s, n := newSums(values), len(values)
	penalty := 3 * math.Log(float64(n))
	cheapest, last := make([]float64, n+1), make([]int, n+1)
	cheapest[0] = -penalty
	candidates := []int{0}
	for to := 1; to <= n; to++ {
		cheapest[to] = math.Inf(1)
		for _, from := range candidates {
			if c := cheapest[from] + s.cost(from, to) + penalty; c < cheapest[to] {
				cheapest[to], last[to] = c, from
			}
		}
		candidates = slices.DeleteFunc(candidates, func(from int) bool {
			return cheapest[from]+s.cost(from, to) > cheapest[to]
		})
		candidates = append(candidates, to)
	}
	var cuts []int
	for at := last[n]; at > 0; at = last[at] {
		cuts = append(cuts, at)
	}
	return before(cuts)
}

func before(cuts []int) []int {
	list := []int{}
	for _, c := range cuts {
		list = append(list, c-1)
	}
	return list
}
