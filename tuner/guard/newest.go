package guard

import (
	"cmp"
	"slices"
)

// entry is what is kept of a record: when, and which.
type entry struct {
	at int64
	id string
}

func (e entry) compare(f entry) int { return cmp.Or(cmp.Compare(e.at, f.at), cmp.Compare(e.id, f.id)) }

// newest keeps the newest few of a set, newest first. It is a join: neither the
// order in which entries come nor that some come twice matters.
type newest []entry

// with answers the set with e, cut to keep entries.
func (n newest) with(e entry, keep int) newest {
	i, there := slices.BinarySearchFunc(n, e, func(a, b entry) int { return b.compare(a) })
	if there || i >= keep {
		return n
	}
	return slices.Insert(n[:min(len(n), keep-1)], i, e)
}

// slot names what a change moved within a host.
type slot struct{ field, role string }

// move is the last thing that happened to a slot.
type move struct {
	entry
	rise bool
}

// host is what the ledger holds of one key.
type host struct {
	latest   int64  // of all its records: which host is forgotten first goes by it
	held     int64  // of those after which a host is left alone for a while
	enforced newest // as many as a budget of the day can be
	undone   newest // rollbacks: the newest two
	reset    int64  // when an operator reset it, 0 never
	last     map[slot]move
}

// maxSlots bounds the fields and roles of one host whose last move is known;
// the oldest goes.
const maxSlots = 64

// remember keeps m as the last move of s, unless a later one is known.
func (h *host) remember(s slot, m move) {
	if old, ok := h.last[s]; ok && old.compare(m.entry) >= 0 {
		return
	}
	if h.last == nil {
		h.last = map[slot]move{}
	}
	h.last[s] = m
	if len(h.last) <= maxSlots {
		return
	}
	oldest := s
	for t, n := range h.last {
		o := h.last[oldest]
		if cmp.Or(n.compare(o.entry), cmp.Compare(t.field, oldest.field), cmp.Compare(t.role, oldest.role)) < 0 {
			oldest = t
		}
	}
	delete(h.last, oldest)
}
