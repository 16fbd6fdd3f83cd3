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

	mu    sync.Mutex // held by writers
	count int
	limit int
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
	if slots := *t.slots.Load(); 4*(t.count+1) > 3*len(slots) {
		t.rebuild(t.all(), 2*len(slots))
	}
	e := fresh(breaker.Key(t.scope + ":" + name))
	e.name = string(e.key[len(t.scope)+1:]) // shares the key's bytes
	e.hash = t.seed.hash(e.name)
	place(*t.slots.Load(), e)
	t.count++
	return e
}

// holds reports whether an entry is in the table: not evicted.
func (t *table) holds(e *entry) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.find(e.name) == e
}

// place puts e into the first free slot.
func place(slots []atomic.Pointer[entry], e *entry) {
	mask := uint64(len(slots) - 1)
	i := e.hash & mask
	for slots[i].Load() != nil {
		i = (i + 1) & mask
	}
	slots[i].Store(e)
}

// all lists the entries; readers and the writer may go on.
func (t *table) all() []*entry {
	var list []*entry
	slots := *t.slots.Load()
	for i := range slots {
		if e := slots[i].Load(); e != nil {
			list = append(list, e)
		}
	}
	return list
}

func (t *table) rebuild(list []*entry, size int) {
	slots := make([]atomic.Pointer[entry], size)
	for _, e := range list {
		place(slots, e)
	}
	t.slots.Store(&slots)
	t.count = len(list)
}

// evict drops the longest idle 1/64 of the entries that reject nothing, at
// once, so that a full table pays for it rarely.
func (t *table) evict() {
	type idle struct {
		e     *entry
		since breaker.Instant
	}
	all := t.all()
	list := make([]idle, len(all))
	for i, e := range all {
		list[i] = idle{e, e.idleSince()}
	}
	slices.SortFunc(list, func(a, b idle) int { return cmp.Compare(a.since, b.since) })
	drop := max(1, len(list)/64)
	kept, gone := all[:0], []*entry(nil)
	for _, c := range list {
		if drop > 0 && c.e.disposable() {
			drop--
			gone = append(gone, c.e)
			continue
		}
		kept = append(kept, c.e)
	}
	t.rebuild(kept, len(*t.slots.Load()))
	if t.evicted != nil {
		t.evicted(gone)
	}
}
