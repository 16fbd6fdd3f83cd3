package breaker

// A failure is Count failures one node reported for one instant.
type failure struct {
	at    Instant
	node  string
	count int
}

// tally is a bounded list of failures in order of arrival: a role's run, or
// the burst window.
type tally struct {
	list  []failure
	total int
}

// add counts n failures. limit is the number the rule asks for: beyond it the
// oldest go, as long as the witness they are is still in the list.
func (t *tally) add(at Instant, node string, n, limit int) {
	if last := len(t.list) - 1; last >= 0 && t.list[last].node == node && t.list[last].at == at {
		t.list[last].count += n
	} else {
		t.list = append(t.list, failure{at, node, n})
	}
	t.total += n
	for t.total > limit {
		i := t.redundant(limit)
		if i < 0 {
			return
		}
		t.total -= t.list[i].count
		t.list = append(t.list[:i], t.list[i+1:]...)
	}
}

// redundant finds the oldest failure whose loss leaves both the limit and the
// set of witnesses as they are; -1 if there is none.
func (t *tally) redundant(limit int) int {
	for i, f := range t.list {
		if t.total-f.count < limit {
			continue
		}
		for _, later := range t.list[i+1:] {
			if later.node == f.node {
				return i
			}
		}
	}
	return -1
}

// keep drops the failures that do not satisfy ok.
func (t *tally) keep(ok func(failure) bool) {
	kept := t.list[:0]
	t.total = 0
	for _, f := range t.list {
		if ok(f) {
			kept = append(kept, f)
			t.total += f.count
		}
	}
	clear(t.list[len(kept):])
	t.list = kept
	if len(kept) == 0 {
		t.list = nil
	}
}

// since drops failures that are not newer than a moment.
func (t *tally) since(at Instant) {
	if len(t.list) > 0 {
		t.keep(func(f failure) bool { return f.at > at })
	}
}

// last is when the newest failure was, zero for none.
func (t *tally) last() Instant {
	var at Instant
	for _, f := range t.list {
		at = max(at, f.at)
	}
	return at
}

// first is when the oldest failure was, zero for none.
func (t *tally) first() Instant {
	at := t.last()
	for _, f := range t.list {
		at = min(at, f.at)
	}
	return at
}

// nodes lists the distinct nodes in order of arrival.
func (t *tally) nodes() []string { return distinct(t.list) }

func distinct(list []failure) []string {
	var nodes []string
next:
	for _, f := range list {
		for _, n := range nodes {
			if n == f.node {
				continue next
			}
		}
		nodes = append(nodes, f.node)
	}
	return nodes
}

// rateSlices is how finely the rate window is cut.
const rateSlices = 12

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

// maxWitnesses is the upper limit of policy witnesses.
const maxWitnesses = 16

// add counts n calls that ended at an instant.
func (r *rate) add(at Instant, width Instant, node string, n int, failed bool) {
	number := int64(at / width)
	s := &r.slices[uint64(number)%rateSlices]
	if s.number > number {
		return // older than the window
	}
	if s.number < number {
		*s = rateSlice{number: number}
	}
	s.calls += n
	if !failed {
		return
	}
	s.failures += n
	for i := range r.from {
		if r.from[i].node == node {
			r.from[i].at = max(r.from[i].at, at)
			return
		}
	}
	if len(r.from) < maxWitnesses {
		r.from = append(r.from, failure{at, node, 1})
	}
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

// nodes lists the nodes with a failure in the window.
func (r *rate) nodes(after Instant) []string {
	var recent []failure
	for _, f := range r.from {
		if f.at > after {
			recent = append(recent, f)
		}
	}
	return distinct(recent)
}
