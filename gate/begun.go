package gate

import (
	"math/bits"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
)

// tickLength is the granularity of "a call that succeeded began then".
const (
	tickLength     = 10 * time.Millisecond
	ticksPerSecond = int64(time.Second / tickLength)
	maskBits       = 64
)

func tickOf(at breaker.Instant) int64 { return int64(at) / int64(tickLength) }

// begun remembers in which ticks calls that succeeded began: of the latest 64
// ticks, and of the latest 64 seconds. Tick t is bit t modulo 64 of its mask.
// Who marks holds the entry's lock; anybody may look whether a tick is marked.
type begun struct {
	tick    atomic.Int64 // the latest marked
	ticks   atomic.Uint64
	seconds atomic.Uint64
}

// marked reports whether nothing is left to do for a tick: it is marked, or
// too long ago.
func (b *begun) marked(tick int64) bool {
	last := b.tick.Load()
	if last < tick {
		return false
	}
	if last-tick < maskBits {
		return b.ticks.Load()&bit(tick) != 0
	}
	second := tick / ticksPerSecond
	return last/ticksPerSecond-second >= maskBits || b.seconds.Load()&bit(second) != 0
}

// mark notes a tick.
func (b *begun) mark(tick int64) {
	last := b.tick.Load()
	b.ticks.Store(with(b.ticks.Load(), last, tick))
	b.seconds.Store(with(b.seconds.Load(), last/ticksPerSecond, tick/ticksPerSecond))
	b.tick.Store(max(last, tick))
}

// with is a mask that ends at last, with one more position marked; one that
// came too late is not.
func with(mask uint64, last, at int64) uint64 {
	switch ahead := at - last; {
	case ahead >= maskBits:
		mask = 0
	case ahead > 0: // what the positions between meant is too long ago
		mask &^= bits.RotateLeft64(1<<ahead-1, int(uint64(last+1)%maskBits))
	case -ahead >= maskBits:
		return mask
	}
	return mask | bit(at)
}

func bit(at int64) uint64 { return 1 << (uint64(at) % maskBits) }

// latest is the start of the latest tick that lies wholly between two instants
// and in which such a call began; where the ticks do not reach, of the latest
// second. Zero is none.
func (b *begun) latest(from, to breaker.Instant) breaker.Instant {
	last, after, before := b.tick.Load(), tickOf(from), tickOf(to)
	if tick, ok := latest(b.ticks.Load(), last, after, before); ok {
		return breaker.Instant(tick * int64(tickLength))
	}
	second, ok := latest(b.seconds.Load(), last/ticksPerSecond, after/ticksPerSecond, before/ticksPerSecond)
	if !ok {
		return 0
	}
	return breaker.Instant(second * int64(time.Second))
}

// latest is the highest marked position above after and below before, in a
// mask that ends at last.
func latest(mask uint64, last, after, before int64) (at int64, ok bool) {
	skip := max(0, last-before+1) // positions above the span
	if skip >= maskBits {
		return 0, false
	}
	mask = bits.RotateLeft64(mask, maskBits-1-int(uint64(last)%maskBits)) // last is the highest bit
	mask &= ^uint64(0) >> skip
	at = last - int64(bits.LeadingZeros64(mask))
	return at, mask != 0 && at > after
}
