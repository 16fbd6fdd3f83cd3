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
	source Source        // nil: the machine's clocks
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
	c.Refresh()
	go c.run()
	return c
}

// A Source stands in for a machine's clocks, in a simulation.
type Source interface {
	// Read is the clock that never steps, and the wall clock.
	Read() (breaker.Instant, time.Time)
	// Random feeds permit ids and jitter.
	Random() uint64
}

// Simulated returns a clock that reads a source and starts no goroutine: Refresh
// moves its Tick. It needs no Stop.
func Simulated(s Source) *Clock {
	c := &Clock{source: s}
	c.Refresh()
	return c
}

// Refresh makes Tick what Now is.
func (c *Clock) Refresh() { c.tick.Store(int64(c.Now())) }

func (c *Clock) run() {
	defer close(c.done)
	t := time.NewTicker(TickEvery)
	defer t.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-t.C:
			c.Refresh()
		}
	}
}

// Stop ends the ticking. Now and the rest go on working.
func (c *Clock) Stop() {
	close(c.stop)
	<-c.done
}

// Now reads the clock that never steps.
func (c *Clock) Now() breaker.Instant {
	if c.source != nil {
		now, _ := c.source.Read()
		return now
	}
	return breaker.Instant(time.Since(c.origin))
}

// Tick is Now as of at most about TickEvery ago, for one atomic load.
func (c *Clock) Tick() breaker.Instant { return breaker.Instant(c.tick.Load()) }

// Both reads both clocks at one moment.
func (c *Clock) Both() (breaker.Instant, time.Time) {
	if c.source != nil {
		return c.source.Read()
	}
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
	return c.stamps.Next(c.wall())
}

// Observe makes later stamps exceed s; see breaker.StampClock.
func (c *Clock) Observe(s breaker.Stamp) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stamps.Observe(s, c.wall())
}

// Resume makes later stamps exceed those that an earlier process issued and lost;
// see breaker.StampClock.
func (c *Clock) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stamps.Resume()
}

func (c *Clock) wall() time.Time {
	_, wall := c.Both()
	return wall
}

// Random is a random number, from the source if there is one.
func (c *Clock) Random() uint64 {
	if c.source != nil {
		return c.source.Random()
	}
	return rand.Uint64()
}

// Moment is what a machine's step is handed, in a cluster of so many known
// members.
func (c *Clock) Moment(members int) breaker.Moment {
	return breaker.Moment{Now: c.Now(), Stamp: c.Stamp(), Members: members, Rand: c.Random()}
}
