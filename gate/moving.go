package gate

import "sync/atomic"

// moving is a table's way to other slots, a few at a time with each entry that is
// added: nobody waits until a million have moved. Until it is over readers look into
// the old slots, which are complete.
type moving struct {
	to   []atomic.Pointer[entry] // nil: none is under way
	done int                     // so many of the old slots have moved
	used int                     // of to
}

// moveAtOnce is how many slots move with each entry that is added. They begin when
// a quarter of the old ones is free, so all have moved before those are used up.
const moveAtOnce = 16

// moveOn begins to move, or goes on.
func (t *table) moveOn(slots []atomic.Pointer[entry]) {
	m := &t.move
	if m.to == nil {
		size := len(slots)
		if 2*t.count > size { // else what was dropped is in the way
			size *= 2
		}
		m.to = make([]atomic.Pointer[entry], size)
	}
	for range min(moveAtOnce, len(slots)-m.done) {
		if e := slots[m.done].Load(); e != nil && e != dropped {
			m.place(e)
		}
		m.done++
	}
	if m.done == len(slots) {
		to := m.to
		t.slots.Store(&to)
		t.used, t.move = m.used, moving{}
	}
}

func (m *moving) place(e *entry) {
	if _, free := place(m.to, e); free {
		m.used++
	}
}

// drop takes an entry out that has moved.
func (m *moving) drop(e *entry) {
	mask := uint64(len(m.to) - 1)
	for i := e.hash & mask; ; i = (i + 1) & mask {
		if m.to[i].Load() == e {
			m.to[i].Store(dropped)
			return
		}
	}
}
