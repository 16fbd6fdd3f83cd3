package gate

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"fleetfuse/breaker"
)

// table finds entries by name: open addressing, read without a lock.
type table struct {
	scope string
	seed  seed
	slots atomic.Pointer[[]atomic.Pointer[entry]]

	mu    sync.Mutex // held by writers, for no longer than a few steps take
	count int        // entries
	used  int        // slots that are not free: entries and those that were dropped
	limit int
	hand  int // the slot at which the next eviction begins
	// move is under way to larger slots, or to some without the dropped ones.
	move moving
	// evicted is told of entries that were dropped, if not nil.
	evicted func([]*entry)
}

func newTable(scope string, limit int) *table {
	t := &table{scope: scope, seed: newSeed(), limit: limit}
	slots := make([]atomic.Pointer[entry], 64)
	t.slots.Store(&slots)
	return t
}

// find returns the entry of a name, nil if there is none.
func (t *table) find(name string) *entry {
	h := t.seed.hash(name)
	slots := *t.slots.Load()
	mask := uint64(len(slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		e := slots[i].Load()
		if e == nil {
			return nil
		}
		if e.hash == h && e.name == name {
			return e
		}
	}
}

// findOrAdd returns the entry of a name, made by fresh if there was none.
func (t *table) findOrAdd(name string, fresh func(breaker.Key) *entry) *entry {
	if e := t.find(name); e != nil {
		return e
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.find(name); e != nil {
		return e
	}
	if t.count >= t.limit {
		t.evict()
	}
	if slots := *t.slots.Load(); t.move.to != nil || 4*(t.used+1) > 3*len(slots) {
		t.moveOn(slots)
	}
	e := fresh(breaker.Key(t.scope + ":" + name))
	e.name = string(e.key[len(t.scope)+1:]) // shares the key's bytes
	e.hash = t.seed.hash(e.name)
	t.put(e)
	return e
}

// holds reports whether an entry is in the table: not evicted.
func (t *table) holds(e *entry) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.find(e.name) == e
}

// dropped is in the slot of an entry that was evicted: what is further on stays
// where readers look for it. It is no name's.
var dropped = &entry{}

// put adds an entry.
func (t *table) put(e *entry) {
	i, free := place(*t.slots.Load(), e)
	if t.count++; free {
		t.used++
	}
	if i < t.move.done {
		t.move.place(e)
	}
}

// drop takes the entry of a slot out.
func (t *table) drop(i int) {
	slot := &(*t.slots.Load())[i]
	if i < t.move.done {
		t.move.drop(slot.Load())
	}
	slot.Store(dropped)
	t.count--
}

// place puts e into the first slot that has none, and tells whether it was free.
func place(slots []atomic.Pointer[entry], e *entry) (at int, free bool) {
	mask := uint64(len(slots) - 1)
	for i := e.hash & mask; ; i = (i + 1) & mask {
		if was := slots[i].Load(); was == nil || was == dropped {
			slots[i].Store(e)
			return int(i), was == nil
		}
	}
}

// each lists the entries; readers and the writer may go on.
func (t *table) each(yield func(*entry) bool) {
	slots := *t.slots.Load()
	for i := range slots {
		if e := slots[i].Load(); e != nil && e != dropped && !yield(e) {
			return
		}
	}
}

// lookAtOnce is how many slots an eviction looks at.
const lookAtOnce = 1024

// evict drops the longest idle 1/64 of the entries that reject nothing, of a sample:
// with all of a million nobody would get past for a second. Where none can go there
// is one entry more than there should be, and the next eviction looks elsewhere.
func (t *table) evict() {
	type idle struct {
		at    int
		e     *entry
		since breaker.Instant
	}
	var list []idle
	slots, seen := *t.slots.Load(), 0
	for range min(lookAtOnce, len(slots)) {
		i := t.hand & (len(slots) - 1)
		t.hand = i + 1
		e := slots[i].Load()
		if e == nil || e == dropped {
			continue
		}
		if seen++; e.disposable() {
			list = append(list, idle{i, e, e.idleSince()})
		}
	}
	slices.SortFunc(list, func(a, b idle) int { return cmp.Compare(a.since, b.since) })
	list = list[:min(len(list), max(1, seen/64))]
	gone := make([]*entry, len(list))
	for i, c := range list {
		gone[i] = c.e
		t.drop(c.at)
	}
	if t.evicted != nil {
		t.evicted(gone)
	}
}
