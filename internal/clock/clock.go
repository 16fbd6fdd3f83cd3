// Package clock is the one place where a process reads its clocks: the wall
// clock, a clock that never steps, and the hybrid clock that issues stamps.
package clock

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
)

// TickEvery is how old a Tick may be.
const TickEvery = 2 * time.Millisecond

// A Clock is safe for concurrent use.
type Clock struct {
	origin time.Time
	skew   time.Duration // of the wall clock, in tests
	tick   atomic.Int64
	stop   chan struct{}
	done   chan struct{}

	mu     sync.Mutex
	stamps breaker.StampClock
}

// New returns a running clock; Stop it when done.
func New() *Clock { return Skewed(0) }

// Skewed is New with a wall clock that is ahead by so much, negative for behind:
// for tests of machines whose clocks are wrong.
func Skewed(ahead time.Duration) *Clock {
	// The origin lies an hour back so that no instant near the start is zero
	// or negative: zero means never.
	c := &Clock{origin: time.Now().Add(-time.Hour), skew: ahead, stop: make(chan struct{}), done: make(chan struct{})}
	c.tick.Store(int64(c.Now()))
	go c.run()
	return c
}

func (c *Clock) run() {
	defer close(c.done)
	t := time.NewTicker(TickEvery)
	defer t.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-t.C:
			c.tick.Store(int64(c.Now()))
		}
	}
}

// Stop ends the ticking. Now and the rest go on working.
func (c *Clock) Stop() {
	close(c.stop)
	<-c.done
}

// Now reads the clock that never steps.
func (c *Clock) Now() breaker.Instant { return breaker.Instant(time.Since(c.origin)) }

// Tick is Now as of at most about TickEvery ago, for one atomic load.
func (c *Clock) Tick() breaker.Instant { return breaker.Instant(c.tick.Load()) }

// Both reads both clocks at one moment.
func (c *Clock) Both() (breaker.Instant, time.Time) {
	now := time.Now()
	return breaker.Instant(now.Sub(c.origin)), now.Add(c.skew)
}

// Wall is the wall-clock time of an instant, for people.
func (c *Clock) Wall(at breaker.Instant) time.Time {
	now, wall := c.Both()
	return wall.Add(at.Sub(now))
}

// Stamp issues a fresh stamp.
func (c *Clock) Stamp() breaker.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stamps.Next(time.Now().Add(c.skew))
}

// Observe makes later stamps exceed s; see breaker.StampClock.
func (c *Clock) Observe(s breaker.Stamp) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stamps.Observe(s, time.Now().Add(c.skew))
}

// Moment is what a machine's step is handed, in a cluster of so many known
// members.
func (c *Clock) Moment(members int) breaker.Moment {
	return breaker.Moment{Now: c.Now(), Stamp: c.Stamp(), Members: members, Rand: rand.Uint64()}
}
