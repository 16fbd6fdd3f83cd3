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
	rules "fleetfuse/cooldownstore/sharing"
)

// sharing keeps what this node's cluster believes and what a place holds that
// other clusters and programs use too in step. The owner of a key writes its
// cooldowns there, behind, and obeys what it finds. What waits to be written
// needs no file of its own: it is what the view and state.db hold and the place
// does not, which every listing finds out (ADR 0008). No decision waits for
// any of it. What is told and read, and when, is decided by the rules.
type sharing struct {
	board  *board
	place  cooldownstore.Shared
	outbox *cooldownstore.Behind
	part   func(name string, works bool, detail string) // Node.part
	logger *slog.Logger
	rang   chan struct{} // a token: the reader has something to do
	listed chan struct{} // closed when the place was listed once, or could not be
	words  atomic.Int64  // heard so far
	loops  sync.WaitGroup
	kept   string        // the sightings as they are in state.db
	unkept []breaker.Key // of the first listing; its goroutine's alone

	mu        sync.Mutex
	reader    rules.Reader
	condition rules.Condition
}

const outboxLimit = 2 * time.Second // of the last write at a stop

// newSharing makes the link to a place; start begins to use it.
func newSharing(n *Node, place cooldownstore.Shared) *sharing {
	_, wall := n.clock.Both()
	s := &sharing{
		place: place, part: n.part, logger: n.opt.Logger, rang: make(chan struct{}, 1), listed: make(chan struct{}),
		reader: rules.NewReader(time.Now()), condition: rules.NewCondition(wall),
	}
	s.outbox = cooldownstore.NewBehind(cooldownstore.Outbox{Shared: place}, cooldownstore.BehindOptions{
		Delay: rules.OutboxDelay, Limit: view.MaxExceptions, Clock: n.clock.Both,
		OnHealth: func(cooldownstore.Health) { s.say() },
	})
	return s
}

// start begins to listen and to list; stop ends that.
func (s *sharing) start(b *board) (stop func()) {
	s.board = b
	s.mu.Lock()
	s.reader = rules.NewReader(time.Now())
	s.mu.Unlock()
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
		s.logger.Warn("cooldowns were not shared; the next owners of their keys will share them, or this node when it starts again", slog.Any("err", err))
	}
	s.loops.Wait()
}

// await waits for the first listing while the place says something: one that is
// away does not keep a node from starting.
func (s *sharing) await(ctx context.Context) {
	patience, look := rules.NewPatience(time.Now())
	for more := true; more; {
		timer := time.NewTimer(time.Until(look))
		select {
		case <-s.listed:
			timer.Stop()
			return
		case <-ctx.Done():
			timer.Stop()
			more = false
		case now := <-timer.C:
			look, more = patience.More(now, s.words.Load())
		}
	}
	s.logger.Warn("the shared store was not read yet; the node starts without it")
}

// put shares what the owner of a key believes of it.
func (s *sharing) put(key breaker.Key, snap breaker.Snapshot) {
	part, owed, relist := rules.Owed(key, snap)
	if owed {
		s.outbox.Put(key, part)
	}
	if relist {
		s.relist()
	}
}

// relist asks for a listing now.
func (s *sharing) relist() { s.tell((*rules.Reader).Relist) }

// tell tells the reader something and has it look what is to be done.
func (s *sharing) tell(news func(*rules.Reader)) {
	s.mu.Lock()
	news(&s.reader)
	s.mu.Unlock()
	poke(s.rang)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
