package breaker

import "slices"

// rateSlices is how finely the rate window is cut.
const rateSlices = 12

// maxWitnesses is the upper limit of policy witnesses.
const maxWitnesses = 16

// rate counts calls and failures over a sliding window of rateSlices slices.
type rate struct {
	slices [rateSlices]rateSlice
	from   []failure // the newest failure of each node, at most maxWitnesses
}

type rateSlice struct {
	number   int64 // which slice of time; stale slices are overwritten
	calls    int
	failures int
}

// add counts n calls that ended at an instant.
func (r *rate) add(at, width Instant, node string, n int, failed bool) {
	failures := 0
	if failed {
		failures = n
	}
	if !r.put(at, width, n, failures) || !failed {
		return
	}
	stalest := -1
	for i := range r.from {
		if r.from[i].node == node {
			r.from[i].at = max(r.from[i].at, at)
			return
		}
		if stalest < 0 || r.from[i].at < r.from[stalest].at {
			stalest = i
		}
	}
	if len(r.from) < maxWitnesses {
		r.from = append(r.from, failure{at, node, 1})
	} else if r.from[stalest].at < at {
		r.from[stalest] = failure{at, node, 1}
	}
}

// put adds to the slice of an instant; false if the slice has left the window.
func (r *rate) put(at, width Instant, calls, failures int) bool {
	number := int64(at / width)
	s := &r.slices[uint64(number)%rateSlices]
	if s.number > number {
		return false
	}
	if s.number < number {
		*s = rateSlice{number: number}
	}
	s.calls += calls
	s.failures += failures
	return true
}

// totals sums the window that ends now.
func (r *rate) totals(now, width Instant) (calls, failures int) {
	oldest := int64(now/width) - rateSlices
	for _, s := range r.slices {
		if s.number > oldest {
			calls += s.calls
			failures += s.failures
		}
	}
	return calls, failures
}

// resized is the same counts in slices of another width: replacing a policy
// keeps windows.
func (r *rate) resized(now, width, newWidth Instant) *rate {
	n := &rate{}
	oldest := int64(now/width) - rateSlices
	for _, f := range r.from {
		if int64(f.at/width) > oldest {
			n.from = append(n.from, f)
		}
	}
	for _, s := range r.slices {
		if s.number > oldest {
			n.put(min(Instant(s.number)*width+width/2, now), newWidth, s.calls, s.failures)
		}
	}
	return n
}

// after lists the newest failure of each node with one in the window.
func (r *rate) after(moment Instant) (list []failure) {
	for _, f := range r.from {
		if f.at > moment {
			list = append(list, f)
		}
	}
	return list
}

// nodes lists the nodes with a failure in the window.
func (r *rate) nodes(after Instant) []string {
	var nodes []string
	for _, f := range r.after(after) {
		nodes = append(nodes, f.node)
	}
	slices.Sort(nodes)
	return nodes
}
