// Package view is what a node believes about every breaker that is not plainly
// closed. It is pure: its owner locks and hands it the time.
package view

import (
	"fleetfuse/breaker"
)

// MaxExceptions bounds a view.
const MaxExceptions = 200_000

// A View is a table of exceptions. It is not safe for concurrent use.
type View struct {
	limit   int
	entries map[breaker.Key]breaker.Snapshot
	dropped uint64
}

// New returns an empty view of at most limit entries.
func New(limit int) *View {
	return &View{limit: limit, entries: map[breaker.Key]breaker.Snapshot{}}
}

// Merge joins what somebody says of a key and reports whether anything changed.
// Beyond the limit the entry that ends soonest goes; it is returned too.
func (v *View) Merge(key breaker.Key, s breaker.Snapshot) (merged breaker.Snapshot, changed bool, evicted breaker.Key) {
	merged = v.Of(key)
	if !merged.Merge(s) {
		return merged, false, ""
	}
	if _, known := v.entries[key]; !known && len(v.entries) >= v.limit {
		evicted = v.soonest()
		delete(v.entries, evicted)
		v.dropped++
	}
	v.entries[key] = merged
	return merged, true, evicted
}

// soonest is the key whose entry ends first, of a sample: an exact answer
// would cost a pass over the whole view for each entry beyond the limit.
func (v *View) soonest() breaker.Key {
	const sample = 64
	var best breaker.Key
	var until breaker.Instant
	n := 0
	for k, s := range v.entries { // Go visits maps in random order
		if at := s.LastDeadline(); best == "" || at < until {
			best, until = k, at
		}
		if n++; n == sample {
			break
		}
	}
	return best
}

// Of returns the entry of a key; the zero Snapshot is plainly closed.
func (v *View) Of(key breaker.Key) breaker.Snapshot {
	s := v.entries[key]
	return s.Clone()
}

// Each calls yield with every entry until it returns false.
func (v *View) Each(yield func(breaker.Key, breaker.Snapshot) bool) {
	for k, s := range v.entries {
		if !yield(k, s.Clone()) {
			return
		}
	}
}

// Forget drops what is due and returns the keys that changed.
func (v *View) Forget(now breaker.Instant) []breaker.Key {
	var changed []breaker.Key
	for k, s := range v.entries {
		if !s.Forget(now) {
			continue
		}
		changed = append(changed, k)
		if v.entries[k] = s; s.Empty() {
			delete(v.entries, k)
		}
	}
	return changed
}

// Len is the number of entries, Dropped how many the limit has cost.
func (v *View) Len() int        { return len(v.entries) }
func (v *View) Dropped() uint64 { return v.dropped }

// Tally counts the entries that are open and half-open.
func (v *View) Tally(now breaker.Instant) (open, half int) {
	for _, s := range v.entries {
		switch s.At(now).State {
		case breaker.Open:
			open++
		case breaker.HalfOpen:
			half++
		}
	}
	return open, half
}
