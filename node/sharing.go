package node

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
)

// sharing keeps what this node's cluster believes and what a place holds that
// other clusters and programs use too in step. The owner of a key writes its
// cooldowns there, behind, and obeys what it finds. What waits to be written
// needs no file of its own: it is what the view and state.db hold and the place
// does not, which every listing finds out (ADR 0008). No decision waits for
// any of it.
type sharing struct {
	board  *board
	place  cooldownstore.Shared
	outbox *cooldownstore.Behind
	part   func(name string, works bool, detail string) // Node.part
	logger *slog.Logger
	again  chan struct{} // a token: list now
	heard  chan struct{} // a token: there are hints
	listed chan struct{} // closed when the place was listed once, or could not be
	words  atomic.Int64  // heard so far
	loops  sync.WaitGroup
	kept   string        // the sightings as they are in state.db
	unkept []breaker.Key // of the first listing; its goroutine's alone

	mu      sync.Mutex
	hinted  map[breaker.Key]struct{}
	reading reading
	said    bool // what was logged last: that it works
}

const (
	outboxDelay = 10 * time.Millisecond
	listEvery   = 5 * time.Second
	// listShare bounds the time spent on listings: a place that takes long is
	// listed less often.
	listShare   = 20
	listLimit   = 2 * time.Minute
	retryFirst  = 250 * time.Millisecond
	retryMost   = 5 * time.Second
	maxHinted   = 1000            // beyond it a listing is cheaper
	hearAtOnce  = 128             // words for one hold of the board's lock
	startWaits  = 3 * time.Second // for a place that says nothing
	startMost   = 10 * time.Second
	outboxLimit = 2 * time.Second // of the last write at a stop
)

// newSharing makes the link to a place; start begins to use it.
func newSharing(n *Node, place cooldownstore.Shared) *sharing {
	_, wall := n.clock.Both()
	s := &sharing{
		place: place, part: n.part, logger: n.opt.Logger, again: make(chan struct{}, 1), heard: make(chan struct{}, 1),
		listed: make(chan struct{}), hinted: map[breaker.Key]struct{}{}, said: true, reading: reading{since: wall},
	}
	s.outbox = cooldownstore.NewBehind(cooldownstore.Outbox{Shared: place}, cooldownstore.BehindOptions{
		Delay: outboxDelay, Limit: view.MaxExceptions, Clock: n.clock.Both,
		OnHealth: func(cooldownstore.Health) { s.say() },
	})
	return s
}

// start begins to listen and to list; stop ends that.
func (s *sharing) start(b *board) (stop func()) {
	s.board = b
	ctx, cancel := context.WithCancel(context.Background())
	s.loops.Go(func() { s.listen(ctx) })
	s.loops.Go(func() { s.run(ctx) })
	return cancel
}

// close writes what waits, once, and lets go of the place. That also cuts off
// what a place that hangs still owes an answer.
func (s *sharing) close() {
	ctx, cancel := context.WithTimeout(context.Background(), outboxLimit)
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- s.outbox.Close(ctx) }()
	select {
	case err := <-written:
		written <- err
	case <-ctx.Done():
	}
	if err := s.place.Close(); err != nil {
		s.logger.Error("close the shared store", slog.Any("err", err))
	}
	if err := <-written; err != nil {
		s.logger.Warn("cooldowns were not shared; the keys' next owners will", slog.Any("err", err))
	}
	s.loops.Wait()
}

// await waits for the first listing while the place says something: one that is
// away does not keep a node from starting.
func (s *sharing) await(ctx context.Context) {
	limit := time.NewTimer(startWaits)
	defer limit.Stop()
	ctx, cancel := context.WithTimeout(ctx, startMost)
	defer cancel()
	for heard := int64(0); ; {
		select {
		case <-s.listed:
			return
		case <-ctx.Done():
		case <-limit.C:
		}
		if n := s.words.Load(); n > heard && ctx.Err() == nil {
			heard = n
			limit.Reset(startWaits)
			continue
		}
		s.logger.Warn("the shared store was not read yet; the node starts without it")
		return
	}
}

// put shares what the owner of a key believes of it.
func (s *sharing) put(key breaker.Key, snap breaker.Snapshot) {
	part := cooldownstore.SharedPart(snap)
	if part.Empty() || !cooldownstore.Sharable(key) {
		return
	}
	s.outbox.Put(key, part)
	if part.Clear != 0 {
		s.relist() // what it ended is to be remembered
	}
}

// relist asks for a listing now.
func (s *sharing) relist() { poke(s.again) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
