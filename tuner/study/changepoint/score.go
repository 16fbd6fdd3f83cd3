package changepoint

import (
	"slices"
	"sort"
)

// margin is how many steps a reported change point may be away from an
// annotated one, as in the benchmark.
const margin = 5

// Score says how well a segmentation fits what the annotators said; both
// parts are between 0 and 1, more is better.
type Score struct {
	F1    float64 // F1 with a margin of five steps; step 0 counts as a change point of everybody
	Cover float64 // the mean covering of the annotators' segmentations
}

// Of scores the reported change points (0-based first steps of new segments,
// in any order, repeats allowed) against the annotations of s.
//
// Source: van den Burg and Williams, An Evaluation of Change Point Detection
// Algorithms, 2020 (arXiv 2003.06222), section 4: F1 after Killick et al.
// 2012 with the recall averaged over annotators, and the covering metric of
// Arbelaez et al. 2010.
func Of(s Series, reported []int) Score {
	return Score{F1: f1(s.Annotations, reported), Cover: cover(s.Annotations, reported, len(s.Values))}
}

func f1(annotations [][]int, reported []int) float64 {
	found := ascending(append([]int{0}, reported...))
	var union []int
	recall := 0.0
	for _, a := range annotations {
		truth := ascending(append([]int{0}, a...))
		union = append(union, truth...)
		recall += float64(hits(truth, found)) / float64(len(truth))
	}
	recall /= float64(len(annotations))
	precision := float64(hits(ascending(union), found)) / float64(len(found))
	return 2 * precision * recall / (precision + recall)
}

// hits counts the points of truth that have a reported point within the
// margin. The points of truth choose in order, each the nearest that is left
// (the earlier one of two as near), and no point is used twice.
func hits(truth, reported []int) int {
	left := slices.Clone(reported)
	n := 0
	for _, want := range truth {
		best, distance := -1, margin+1
		for i, x := range left {
			if d := max(want-x, x-want); d < distance {
				best, distance = i, d
			}
		}
		if best >= 0 {
			left = slices.Delete(left, best, best+1)
			n++
		}
	}
	return n
}

func cover(annotations [][]int, reported []int, length int) float64 {
	found := segments(reported, length)
	sum := 0.0
	for _, a := range annotations {
		covered := 0.0
		for _, want := range segments(a, length) {
			best := 0.0
			for _, have := range found {
				best = max(best, overlap(want, have))
			}
			covered += float64(want.end-want.start) * best
		}
		sum += covered / float64(length)
	}
	return sum / float64(len(annotations))
}

// segment is the steps from start up to, not including, end.
type segment struct{ start, end int }

// segments cuts a series of the given length at the change points; those
// outside of it cut nothing.
func segments(cuts []int, length int) []segment {
	var list []segment
	start := 0
	for _, c := range ascending(slices.Clone(cuts)) {
		if c > start && c < length {
			list = append(list, segment{start, c})
			start = c
		}
	}
	return append(list, segment{start, length})
}

// overlap is the Jaccard index of two segments.
func overlap(a, b segment) float64 {
	both := min(a.end, b.end) - max(a.start, b.start)
	if both <= 0 {
		return 0
	}
	return float64(both) / float64(max(a.end, b.end)-min(a.start, b.start))
}

// ascending sorts the list and drops repeats, in place.
func ascending(list []int) []int {
	sort.Ints(list)
	return slices.Compact(list)
}
