package gate

import (
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
)

// entry is what a gate knows of one key.
type entry struct {
	// exception is nil while the key is plainly closed: the view and the ring
	// say nothing and no failure is remembered.
	exception atomic.Pointer[exception]
	successes counter       // of the first role
	first     atomic.Uint32 // its seat
	begun     begun
	sides     atomic.Pointer[side] // the other roles

	key  breaker.Key
	name string
	hash uint64
	made breaker.Instant

	mu sync.Mutex
	// recent counts successes of about the last rate window.
	recent  recentCount
	window  time.Duration // of the rate rule, zero where it is off
	failing *failing
	detail  *detail // of the first role
}

// recentCount remembers the success total at two earlier moments, so that
// total-before is the successes of the last half to whole window.
type recentCount struct {
	before, half uint64
	halfAt       breaker.Instant
}

// exception is an immutable summary of why a key is not plainly closed.
type exception struct {
	openUntil breaker.Instant // rejects before it; zero where the mode allows
	counted   bool            // count what it rejects
	hits      counter         // the calls it rejected
	denial                    // why
	terms     terms           // of the calls it rejects
	passes    bool            // neither the view nor the ring objects, or the mode allows
	view      breaker.Snapshot
}

// succeeded counts n calls of a role that succeeded and began at an instant. It
// returns the counter and what that had counted before, for weight: a decision
// here whether to sample made the calls slower that are not (by 12 of 43 ns).
func (e *entry) succeeded(began breaker.Instant, n uint64, at seat) (c *counter, before uint64) {
	if tick := tickOf(began); tick != e.begun.tick.Load() {
		e.mark(tick) // first: after a pause only what was counted before it is old
	}
	c = &e.successes
	if e.first.Load() != at {
		if s := e.sides.Load(); s != nil && s.seat == at {
			c = &s.successes
		} else {
			c = e.counterOf(at)
		}
	}
	if s := c.stripes.Load(); s != nil {
		return c, s.here().Add(n) - n
	}
	before = c.n.Load()
	if !c.n.CompareAndSwap(before, before+n) {
		c.spread(n)
	}
	return c, before
}

// total is the number of successes counted, of all roles.
func (e *entry) total() uint64 {
	n := e.successes.total()
	for s := e.sides.Load(); s != nil; s = s.next {
		n += s.successes.total()
	}
	return n
}

// mark notes that a call that succeeded began in a tick that is not the latest.
func (e *entry) mark(tick int64) {
	if e.begun.marked(tick) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun.mark(tick)
	e.rotate(breaker.Instant(tick * int64(tickLength)))
}

// lastBegan is a moment not later than the begin of the latest call that
// succeeded; zero for none.
func (e *entry) lastBegan() breaker.Instant {
	return breaker.Instant(e.begun.tick.Load() * int64(tickLength))
}

// rateWindow is how far back successes matter to a policy.
func rateWindow(p *breaker.Policy) time.Duration {
	if !p.FailureRate.Enabled {
		return 0
	}
	return p.FailureRate.Window
}

// rotate moves the recent count on. Without a window nothing is recent. What
// is not, on a key whose successes are only counted, concerns no owner any
// more. The entry is locked.
func (e *entry) rotate(now breaker.Instant) {
	r := &e.recent
	switch idle := now.Sub(r.halfAt); {
	case e.window == 0:
		r.before = e.total()
	case r.halfAt == 0: // all it ever counted
		r.halfAt = now
	case idle >= e.window:
		r.before, r.half, r.halfAt = r.half, e.total(), now
		if idle >= 2*e.window {
			r.before = r.half
		}
	case idle >= e.window/2:
		r.before, r.half, r.halfAt = r.half, e.total(), now
	}
	if f := e.failing; f != nil && !e.reporting(now) {
		f.reported = max(f.reported, r.before)
	}
}

// idleSince orders entries by use.
func (e *entry) idleSince() breaker.Instant {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failing != nil {
		return max(e.made, e.failing.lastFailure, e.lastBegan())
	}
	return max(e.made, e.lastBegan())
}

// disposable reports whether forgetting the entry lets no call through that
// would be rejected now.
func (e *entry) disposable() bool {
	x := e.exception.Load()
	return x == nil || x.status.State == breaker.Closed && x.view.Empty()
}
