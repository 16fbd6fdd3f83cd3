// Package view is what a node believes about every breaker that is not plainly
// closed. It is pure: its owner locks and hands it the time.
package view

import (
	"slices"

	"fleetfuse/breaker"
)

// MaxExceptions bounds a view.
const MaxExceptions = 200_000

// A View is a table of exceptions. It is not safe for concurrent use.
type View struct {
	limit   int
	size    int
	buckets [Buckets]map[breaker.Key]entry
	sums    [Buckets]uint64
	dropped uint64
	turn    int // the bucket that the next Forget begins with
}

// entry is what is believed of one key. Nothing outside shares its memory.
type entry struct {
	snap breaker.Snapshot
	past []identity // cooldowns that are redundant here
	sum  uint64     // its part of the bucket's sum
}

// New returns an empty view of at most limit entries.
func New(limit int) *View { return &View{limit: limit} }

// Merge joins what somebody says of a key and reports whether anything changed.
// Beyond the limit the entry that ends soonest goes; it is returned too.
func (v *View) Merge(key breaker.Key, s breaker.Snapshot) (merged breaker.Snapshot, changed bool, evicted breaker.Key) {
	e, known := v.buckets[BucketOf(key)][key]
	merged = e.snap.Clone()
	changed = merged.Merge(s)
	if merged.Empty() || !e.setPast(s, merged) && !changed {
		return merged, false, ""
	}
	if !known && v.Full() {
		evicted = v.soonest()
		v.put(evicted, entry{})
		v.dropped++
	}
	e.snap = merged.Clone()
	v.put(key, e)
	return merged, changed, evicted
}

// put makes e the entry of a key; an empty one goes.
func (v *View) put(key breaker.Key, e entry) {
	b := BucketOf(key)
	old, known := v.buckets[b][key]
	e.sum = sumOf(key, &e.snap)
	v.sums[b] += e.sum - old.sum
	if known {
		v.size--
	}
	if e.snap.Empty() && len(e.past) == 0 {
		delete(v.buckets[b], key)
		return
	}
	v.size++
	if v.buckets[b] == nil {
		v.buckets[b] = map[breaker.Key]entry{}
	}
	v.buckets[b][key] = e
}

// soonest is the key whose entry ends first, of a sample: an exact answer
// would cost a pass over the whole view for each entry beyond the limit.
func (v *View) soonest() breaker.Key {
	const sample = 64
	var best breaker.Key
	var until breaker.Instant
	n := 0
	for i := range uint64(Buckets) {
		for k, e := range v.buckets[(v.dropped+i)%Buckets] { // Go visits maps in random order
			if at := e.snap.End(); best == "" || at < until {
				best, until = k, at
			}
			if n++; n == sample {
				return best
			}
		}
	}
	return best
}

// Of returns the entry of a key; the zero Snapshot is plainly closed.
func (v *View) Of(key breaker.Key) breaker.Snapshot {
	e := v.buckets[BucketOf(key)][key]
	return e.snap.Clone()
}

// all is every entry.
func (v *View) all(yield func(breaker.Key, entry) bool) {
	for _, bucket := range v.buckets {
		for k, e := range bucket {
			if !yield(k, e) {
				return
			}
		}
	}
}

// Each calls yield with every entry until it returns false.
func (v *View) Each(yield func(breaker.Key, breaker.Snapshot) bool) {
	for k, e := range v.all {
		if !e.snap.Empty() && !yield(k, e.snap.Clone()) { // what is only past concerns nobody
			return
		}
	}
}

// Turns is how many calls of Forget go through the whole view.
const Turns = 4

// Forget drops what is due from one part of the view, the next part with each
// call, so that a full view costs no long pass: what is due is gone within
// Turns calls. It does no harm until then, because the state of an entry is
// derived from the time (Snapshot.At). It returns the keys that changed.
func (v *View) Forget(now breaker.Instant) []breaker.Key {
	var changed []breaker.Key
	for range Buckets / Turns {
		for k, e := range v.buckets[v.turn] {
			forgot := e.snap.Forget(now)
			if forgot {
				changed = append(changed, k)
			}
			if e.forgetPast(now) || forgot {
				v.put(k, e)
			}
		}
		v.turn = (v.turn + 1) % Buckets
	}
	slices.Sort(changed) // what follows from it must not depend on the order of a map
	return changed
}

// Len is the number of entries, Dropped how many the limit has cost.
func (v *View) Len() int        { return v.size }
func (v *View) Dropped() uint64 { return v.dropped }

// Full reports whether the view is at its limit.
func (v *View) Full() bool { return v.size >= v.limit }

// Statuses calls yield with every entry of one bucket that is not closed. A
// caller that locks the view goes through it bucket by bucket, and holds up
// nobody for long.
func (v *View) Statuses(bucket int, now breaker.Instant, yield func(breaker.Key, breaker.Status)) {
	for k, e := range v.buckets[bucket] {
		if st := e.snap.At(now); st.State != breaker.Closed {
			yield(k, st)
		}
	}
}
