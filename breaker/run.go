package breaker

import "slices"

// A failure is Count failures one node reported for one instant.
type failure struct {
	at    Instant
	node  string
	count int
}

// tally is a bounded list of failures in order of arrival: a role's run, or
// the burst window. No step costs more than one pass over the distinct nodes
// unless failures are removed by age.
type tally struct {
	list   []failure
	total  int
	newest Instant
	from   []nodeEntries // distinct nodes in order of arrival
}

// nodeEntries is how many entries of the list are a node's.
type nodeEntries struct {
	node string
	n    int
}

// add counts n failures. limit is the number the rule asks for: beyond it the
// oldest go, as long as the witness they are is still in the list.
func (t *tally) add(at Instant, node string, n, limit int) {
	if last := len(t.list) - 1; last >= 0 && t.list[last].node == node && t.list[last].at == at {
		t.list[last].count += n
	} else {
		t.list = append(t.list, failure{at, node, n})
		t.entries(node).n++
	}
	t.total += n
	t.newest = max(t.newest, at)
	for t.total > limit {
		i := t.redundant(limit)
		if i < 0 {
			return
		}
		t.remove(i)
	}
}

// entries is the count of a node's entries, made if there is none.
func (t *tally) entries(node string) *nodeEntries {
	for i := range t.from {
		if t.from[i].node == node {
			return &t.from[i]
		}
	}
	t.from = append(t.from, nodeEntries{node: node})
	return &t.from[len(t.from)-1]
}

// redundant finds the oldest failure whose loss leaves both the limit and the
// witnesses as they are; -1 if there is none. More witnesses than a policy can
// ask for are not kept.
func (t *tally) redundant(limit int) int {
	for i, f := range t.list {
		if t.total-f.count >= limit && (len(t.from) > maxWitnesses || t.entries(f.node).n > 1) {
			return i
		}
		if f.count >= limit { // what came later is all that may go, and it is the newest
			return -1
		}
	}
	return -1
}

// remove drops one failure near the front.
func (t *tally) remove(i int) {
	f := t.list[i]
	t.total -= f.count
	copy(t.list[1:i+1], t.list[:i])
	t.list[0] = failure{}
	t.list = t.list[1:]
	if e := t.entries(f.node); e.n > 1 {
		e.n--
	} else {
		t.from = slices.DeleteFunc(t.from, func(e nodeEntries) bool { return e.node == f.node })
	}
}

// keep drops the failures that do not satisfy ok.
func (t *tally) keep(ok func(failure) bool) {
	old := t.list
	kept := old[:0]
	*t = tally{}
	for _, f := range old {
		if ok(f) {
			kept = append(kept, f)
			t.total += f.count
			t.newest = max(t.newest, f.at)
			t.entries(f.node).n++
		}
	}
	clear(old[len(kept):])
	if len(kept) > 0 {
		t.list = kept
	}
}

// since drops failures that are not newer than a moment.
func (t *tally) since(at Instant) {
	if len(t.list) > 0 && t.first() <= at {
		t.keep(func(f failure) bool { return f.at > at })
	}
}

// last is when the newest failure was, zero for none.
func (t *tally) last() Instant { return t.newest }

// first is when the oldest failure was, zero for none.
func (t *tally) first() Instant {
	at := t.newest
	for _, f := range t.list {
		at = min(at, f.at)
	}
	return at
}

// nodes lists the distinct nodes in order of arrival.
func (t *tally) nodes() []string {
	nodes := make([]string, len(t.from))
	for i, e := range t.from {
		nodes[i] = e.node
	}
	return nodes
}
