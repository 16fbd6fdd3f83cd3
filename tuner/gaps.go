package tuner

import "math"

// remembered is how many buckets with calls a gaps looks back.
const remembered = 64

// gaps tells how long ago the last buckets with calls were.
type gaps struct {
	between [remembered]uint16 // a ring: buckets since the one with calls before
	next    int32
	since   uint16 // buckets since the last with calls
}

// pass lets n buckets begin.
func (g *gaps) pass(n int64) {
	g.since = uint16(min(int64(g.since)+max(n, 0), math.MaxUint16))
}

// mark says that the present bucket has calls.
func (g *gaps) mark() {
	g.between[g.next] = g.since
	g.next = (g.next + 1) % remembered
	g.since = 0
}

// ago is how many buckets before the present one that is which has n buckets with
// calls after it. Beyond what is remembered each bucket had calls.
func (g *gaps) ago(n int) int64 {
	total := int64(max(n-remembered, 0))
	for i := range min(max(n, 0), remembered) {
		total += int64(g.between[(g.next-1-int32(i)+remembered)%remembered])
	}
	return total
}
