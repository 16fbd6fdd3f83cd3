package telemetry

import (
	"slices"
	"sync/atomic"
)

// A tally counts by labels with closed lists: one number for each combination,
// made at once, so that nothing that is counted adds a series beyond the table.
type tally struct {
	labels []Label
	n      []atomic.Uint64
}

// newTally makes the tally of a metric of the table.
func newTally(name string) *tally {
	m := find(name)
	size := 1
	for _, l := range m.Labels {
		size *= len(l.Values)
	}
	return &tally{m.Labels, make([]atomic.Uint64, size)}
}

// add counts n. A value that is not in its label's list counts as the last that
// is.
func (t *tally) add(n uint64, values ...string) {
	at := 0
	for i, l := range t.labels {
		v := slices.Index(l.Values, values[i])
		if v < 0 {
			v = len(l.Values) - 1
		}
		at = at*len(l.Values) + v
	}
	t.n[at].Add(n)
}

// sample tells the counts. Of several labels most combinations never occur; only
// those that did are told.
func (t *tally) sample(s *Sample, name string) {
	values := make([]string, len(t.labels))
	for at := range t.n {
		n := t.n[at].Load()
		if n == 0 && len(t.labels) > 1 {
			continue
		}
		for i, rest := len(t.labels)-1, at; i >= 0; i-- {
			list := t.labels[i].Values
			values[i] = list[rest%len(list)]
			rest /= len(list)
		}
		s.Set(name, float64(n), values...)
	}
}
