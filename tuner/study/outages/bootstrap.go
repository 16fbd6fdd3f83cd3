package outages

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// resampled is how often groups are drawn for an interval.
const resampled = 1000

// band is a value with the bounds between which 95 % of the resamples lie.
type band struct{ value, low, high float64 }

// String is the value and its bounds, to two digits behind the point.
func (b band) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", b.value, b.low, b.high) }

// ratios sets each bill against the cheapest of the fixed ones. The bounds come
// from drawing groups with replacement, and one drawing of ends for all of them. The cheapest
// is chosen anew for the groups drawn, from all drawings of ends: hindsight knows the
// recording, not the ends that nobody recorded.
// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
func ratios(fixes, bills []bill, p pricing) []band {
	_, least := cheapest(fixes, p)
	list := make([]band, len(bills))
	for i, b := range bills {
		list[i].value = b.mean(p) / least
	}
	fixed, others := priced(fixes, p), priced(bills, p)
	samples := make([][]float64, len(bills))
	r := rand.New(rand.NewPCG(5, 6))
	draws, groups := len(fixes[0]), len(fixes[0][0])
	for range resampled {
		n, times := r.IntN(draws), make([]float64, groups)
		for range groups {
			times[r.IntN(groups)]++
		}
		best, cost := 0, math.Inf(1)
		for i, f := range fixed {
			if c := dot(f.mean, times); c < cost {
				best, cost = i, c
			}
		}
		if cost = dot(fixed[best].each[n], times); cost == 0 {
			continue // only groups of which no outage ended
		}
		for i, o := range others {
			samples[i] = append(samples[i], dot(o.each[n], times)/cost)
		}
	}
	for i, s := range samples {
		slices.Sort(s)
		list[i].low, list[i].high = s[len(s)*25/1000], s[len(s)*975/1000]
	}
	return list
}

// sums is what each group costs: in each draw, and on average.
type sums struct {
	each [][]float64
	mean []float64
}

func priced(all []bill, p pricing) (list []sums) {
	for _, b := range all {
		s := sums{mean: make([]float64, len(b[0]))}
		for _, groups := range b {
			row := make([]float64, len(groups))
			for i, one := range groups {
				row[i] = p.of(one)
				s.mean[i] += row[i] / float64(len(b))
			}
			s.each = append(s.each, row)
		}
		list = append(list, s)
	}
	return list
}

func dot(a, times []float64) (sum float64) {
	for i := range a {
		sum += a[i] * times[i]
	}
	return sum
}
