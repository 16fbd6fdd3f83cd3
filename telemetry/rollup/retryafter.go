package rollup

import (
	"math"
	"time"
)

// A Wait is a Retry-After and how often a host asked for it.
type Wait struct {
	Seconds uint32 // as asked for, not capped, rounded up
	Count   uint64
}

// RetryAfters are samples of the Retry-After a host sent: up to four different
// values, the shortest first, those without a count at the end. Hosts tend to
// send few; where there are more the rarest counts as the next longer one, so
// that the longest and the number are exact and nothing is made shorter than
// what was asked for.
type RetryAfters [4]Wait

// Observe counts a Retry-After n times.
func (r *RetryAfters) Observe(d time.Duration, n uint64) {
	s := math.Ceil(d.Seconds())
	if s < 1 || n == 0 {
		return
	}
	r.add(Wait{uint32(min(s, math.MaxUint32)), n})
}

// Add counts the samples of another.
func (r *RetryAfters) Add(o *RetryAfters) {
	for _, w := range o {
		if w.Count > 0 {
			r.add(w)
		}
	}
}

// Count is how many were seen.
func (r *RetryAfters) Count() (n uint64) {
	for _, w := range r {
		n += w.Count
	}
	return n
}

func (r *RetryAfters) add(w Wait) {
	var list [len(r) + 1]Wait // room for one too many
	copy(list[:], r[:])
	i := 0
	for list[i].Count > 0 && list[i].Seconds < w.Seconds {
		i++
	}
	if list[i].Count > 0 && list[i].Seconds == w.Seconds {
		r[i].Count += w.Count
		return
	}
	copy(list[i+1:], list[i:])
	list[i] = w
	if last := len(r); list[last].Count > 0 {
		rare := 0 // never the longest, for which there is no next
		for k := range last {
			if list[k].Count < list[rare].Count {
				rare = k
			}
		}
		list[rare+1].Count += list[rare].Count
		copy(list[rare:], list[rare+1:])
	}
	copy(r[:], list[:])
}
