package breaker

import (
	"cmp"
	"slices"
)

// A failure is Count failures one node reported for one instant.
type failure struct {
	at    Instant
	node  string
	count int
}

// tally is a bounded list of failures, the oldest first: a role's run, or the
// burst window. Adding one that is not late costs a pass over the distinct
// nodes, never over the list.
type tally struct {
	list  []failure
	total int
	begun Instant       // the first failure, also when trim has dropped it
	from  []nodeEntries // distinct nodes in order of arrival
}

// nodeEntries is how many entries of the list are a node's.
type nodeEntries struct {
	node string
	n    int
}

// add counts n failures. limit is the number the rule asks for: beyond it the
// oldest go.
func (t *tally) add(at Instant, node string, n, limit int) {
	if len(t.list) == 0 || at < t.begun {
		t.begun = at
	}
	i := len(t.list)
	for i > 0 && t.list[i-1].at > at {
		i--
	}
	if i > 0 && t.list[i-1].node == node && t.list[i-1].at == at {
		t.list[i-1].count += n
	} else {
		t.list = slices.Insert(t.list, i, failure{at, node, n})
		t.entries(node).n++
	}
	t.total += n
	t.trim(limit)
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

// trim takes the excess over limit from the oldest failures. The newest stays
// whole, and so does the last failure of each witness; more witnesses than a
// policy can ask for are not kept.
func (t *tally) trim(limit int) {
	for i := 0; i < len(t.list)-1 && t.total > limit; {
		f := &t.list[i]
		excess := t.total - limit
		switch {
		case f.count > excess:
			f.count -= excess
			t.total = limit
		case len(t.from) > maxWitnesses || t.entries(f.node).n > 1:
			t.remove(i)
		default:
			t.total -= f.count - 1
			f.count = 1
			i++
		}
	}
}

// remove drops one failure near the front.
func (t *tally) remove(i int) {
	f := t.list[i]
	t.total -= f.count
	if len(t.list) <= 64 {
		t.list = slices.Delete(t.list, i, i+1)
	} else { // slide: moving a long list for each failure would cost a pass over it
		copy(t.list[1:i+1], t.list[:i])
		t.list[0] = failure{}
		t.list = t.list[1:]
	}
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
	*t = tally{from: t.from[:0]}
	for _, f := range old {
		if ok(f) {
			kept = append(kept, f)
			t.total += f.count
			t.entries(f.node).n++
		}
	}
	clear(old[len(kept):])
	switch {
	case len(kept) > 0:
		t.list, t.begun = kept, kept[0].at
	case cap(kept) <= 8: // worth keeping for the next failure
		t.list = kept
	default:
		t.from = nil
	}
}

// since drops failures older than a success. Where trim has dropped younger ones
// the run began with the first of those, at the success at the earliest.
func (t *tally) since(success Instant) {
	if len(t.list) == 0 {
		return
	}
	if t.list[0].at < success {
		t.keep(func(f failure) bool { return f.at >= success })
		return
	}
	t.begun = max(t.begun, success)
}

// within drops failures that are not newer than a moment.
func (t *tally) within(after Instant) {
	if len(t.list) > 0 && t.begun <= after {
		t.keep(func(f failure) bool { return f.at > after })
	}
}

// last is when the newest failure was, zero for none.
func (t *tally) last() Instant {
	if len(t.list) == 0 {
		return 0
	}
	return t.list[len(t.list)-1].at
}

// first is when the first failure was, zero for none.
func (t *tally) first() Instant { return t.begun }

// witnesses is the number of distinct nodes.
func (t *tally) witnesses() int { return len(t.from) }

// counted are the latest failures of a list that is in the order of their time,
// or no longer than what is kept.
func counted(list []failure) []Counted {
	list = slices.Clone(list[max(0, len(list)-MaxCounted):])
	slices.SortStableFunc(list, func(a, b failure) int { return cmp.Compare(a.at, b.at) })
	seen := make([]Counted, len(list))
	for i, f := range list {
		seen[i] = Counted{f.node, f.at, f.count}
	}
	return seen
}

// nodes lists the distinct nodes in order of arrival.
func (t *tally) nodes() []string {
	nodes := make([]string, len(t.from))
	for i, e := range t.from {
		nodes[i] = e.node
	}
	return nodes
}
