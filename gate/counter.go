package gate

import (
	"sync/atomic"
	"unsafe"
)

// counter counts calls. It spreads over stripes once two cores met at it.
type counter struct {
	n       atomic.Uint64
	stripes atomic.Pointer[stripes]
	drained atomic.Uint64 // of the total, what DrainUsage has taken; the entry is locked
}

// stripes spreads a counter that several cores write.
type stripes [8]struct {
	n atomic.Uint64
	_ [120]byte // two cache lines: adjacent-line prefetch
}

// one counts one.
func (c *counter) one() {
	if v := c.n.Load(); c.stripes.Load() != nil || !c.n.CompareAndSwap(v, v+1) {
		c.spread(1)
	}
}

// spread counts n where two cores meet.
func (c *counter) spread(n uint64) {
	if s := c.stripes.Load(); s != nil {
		s.here().Add(n)
		return
	}
	c.n.Add(n)
	c.stripes.CompareAndSwap(nil, new(stripes))
}

// here picks a stripe by the caller's stack, so that a goroutine keeps to one.
func (s *stripes) here() *atomic.Uint64 {
	var onStack byte
	at := uint64(uintptr(unsafe.Pointer(&onStack)) >> 10)
	return &s[(at*0x9e3779b97f4a7c15)>>61].n
}

// total is what was counted. Parts of it only grow, so of two totals read one
// after the other the second is not less.
func (c *counter) total() uint64 {
	n := c.n.Load()
	if s := c.stripes.Load(); s != nil {
		for i := range s {
			n += s[i].n.Load()
		}
	}
	return n
}

// take is what was counted since the last take. The entry is locked.
func (c *counter) take() uint64 {
	total := c.total()
	return total - c.drained.Swap(total)
}
