//go:build cgo

package eventlog

import (
	"context"
	"sync/atomic"
	"time"
)

// Waking a thousand followers costs the processor a millisecond or two. Between
// two rings there is a pause of this much per follower that waits, so that
// ringing takes a part of one core at most, and at most maxPause.
const (
	pausePerFollower = 2 * time.Microsecond
	maxPause         = 2 * time.Millisecond
)

// A bell wakes all who listen, without making the one who rings wait.
type bell struct {
	listening atomic.Int64
	current   atomic.Pointer[chan struct{}]
	pulled    chan struct{}
}

func newBell() *bell {
	b := &bell{pulled: make(chan struct{}, 1)}
	b.renew()
	return b
}

func (b *bell) renew() *chan struct{} {
	next := make(chan struct{})
	return b.current.Swap(&next)
}

// listen returns a channel that is closed at a ring after this call. Look at what
// is awaited after listen and before waiting; then call leave.
func (b *bell) listen() <-chan struct{} {
	b.listening.Add(1)
	return *b.current.Load()
}

func (b *bell) leave() { b.listening.Add(-1) }

// ring makes run wake those who listen, soon.
func (b *bell) ring() {
	if b.listening.Load() == 0 {
		return
	}
	select {
	case b.pulled <- struct{}{}:
	default:
	}
}

// run wakes until ctx ends.
func (b *bell) run(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.pulled:
		}
		waking := b.listening.Load()
		close(*b.renew())
		pause.Reset(min(time.Duration(waking)*pausePerFollower, maxPause))
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}
