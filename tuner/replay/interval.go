package replay

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// An Interval is one of confidence.
type Interval struct{ Low, High float64 }

const (
	resamples  = 2000
	confidence = 0.95
	// longestEpisode is after how many reset timeouts an episode is cut: what
	// happens in a long outage at times that far apart is nearly independent.
	longestEpisode = 5
	// fewestEpisodes are needed: of fewer that agree the bootstrap cannot say
	// that the sum is not zero, as all of them may be missing (e^-3 > 2.5 %).
	fewestEpisodes = 4
)

// joined are intervals in order, those that touch made one.
func joined(open []interval) (list []interval) {
	slices.SortFunc(open, func(a, b interval) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for _, i := range open {
		if n := len(list); n > 0 && i.from <= list[n-1].to {
			list[n-1].to = max(list[n-1].to, i.to)
		} else {
			list = append(list, i)
		}
	}
	return list
}

// episodes cuts the times in which any replay was not closed where they last
// long. Outside of them all policies do the same: let calls through. The result
// is where each begins.
func episodes(open []interval, longest time.Duration) (starts []breaker.Instant) {
	for _, i := range open {
		for from := i.from; from <= i.to && len(starts) < maxEpisodes; from = from.Add(longest) {
			starts = append(starts, from)
		}
	}
	return starts
}

// maxEpisodes bounds the work of a bootstrap; later ones are one.
const maxEpisodes = 1000

// byEpisode sums the differences of calls by the episode they began in; what is
// before the first is part of it.
func byEpisode(s *script, diffs []float64, starts []breaker.Instant) []float64 {
	if len(starts) == 0 {
		return nil
	}
	sums := make([]float64, len(starts))
	for i, d := range diffs {
		k, found := slices.BinarySearch(starts, s.calls[i].Began)
		if !found {
			k--
		}
		sums[max(k, 0)] += d
	}
	return sums
}

// bootstrap is the interval of the sum of the differences of episodes. In each
// resample an episode counts as often as a Poisson number with mean 1 says: how
// many there are in a window is itself left to chance (Hanley and MacGibbon,
// 2006). The bounds are quantiles of the resampled sums.
func bootstrap(sums []float64, seed uint64) Interval {
	totals := make([]float64, resamples)
	for k := range totals {
		for i, d := range sums {
			if d != 0 {
				totals[k] += d * poisson(unit(seed+uint64(k), uint64(i)))
			}
		}
	}
	slices.Sort(totals)
	tail := int(resamples * (1 - confidence) / 2)
	return Interval{totals[tail], totals[resamples-1-tail]}
}

// poisson is the number with mean 1 whose distribution function first reaches u
// (inversion).
func poisson(u float64) float64 {
	const atZero = 0.36787944117144233 // e^-1
	n, p := 0.0, atZero
	for reached := p; reached <= u && n < 20; reached += p {
		n++
		p /= n
	}
	return n
}
