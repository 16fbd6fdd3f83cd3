package node

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
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
	logger *slog.Logger
	again  chan struct{} // a token: list now
	heard  chan struct{} // a token: there are hints
	listed chan struct{} // closed when the place was listed once, or could not be
	words  atomic.Int64  // heard so far
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
	outboxLimit = 2 * time.Second // of the last write at a stop
)

// newSharing makes the link to a place; start begins to use it.
func newSharing(n *Node, place cooldownstore.Shared) *sharing {
	_, wall := n.clock.Both()
	s := &sharing{
		place: place, logger: n.opt.Logger, again: make(chan struct{}, 1), heard: make(chan struct{}, 1),
		listed: make(chan struct{}), hinted: map[breaker.Key]struct{}{}, said: true, reading: reading{since: wall},
	}
	s.outbox = cooldownstore.NewBehind(cooldownstore.Outbox{Shared: place}, cooldownstore.BehindOptions{
		Delay: outboxDelay, Limit: view.MaxExceptions, Clock: n.clock.Both,
		OnHealth: func(cooldownstore.Health) { s.say() },
	})
	return s
}

// close writes what waits, once, and lets go of the place.
func (s *sharing) close() {
	ctx, cancel := context.WithTimeout(context.Background(), outboxLimit)
	defer cancel()
	if err := s.outbox.Close(ctx); err != nil {
		s.logger.Warn("cooldowns were not shared; the keys' next owners will", slog.Any("err", err))
	}
	if err := s.place.Close(); err != nil {
		s.logger.Error("close the shared store", slog.Any("err", err))
	}
}

// start begins to listen and to list; stop ends that.
func (s *sharing) start(b *board) (stop func()) {
	s.board = b
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { s.listen(ctx) })
	loops.Go(func() { s.run(ctx) })
	return func() {
		cancel()
		loops.Wait()
	}
}

// await waits for the first listing while the place says something: one that is
// away does not keep a node from starting.
func (s *sharing) await(ctx context.Context) {
	limit := time.NewTimer(startWaits)
	defer limit.Stop()
	for heard := int64(0); ; {
		select {
		case <-s.listed:
			return
		case <-ctx.Done():
			return
		case <-limit.C:
		}
		if n := s.words.Load(); n > heard {
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
	if name, ok := cooldownstore.FromSharedName(cooldownstore.SharedName(key)); part.Empty() || !ok || name != key {
		return
	}
	s.outbox.Put(key, part)
}

// relist asks for a listing now.
func (s *sharing) relist() { poke(s.again) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// listen hears what others changed. Each time it begins to, the place is
// listed: what was changed before is heard of no more.
func (s *sharing) listen(ctx context.Context) {
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, retryMost) {
		_ = s.place.Hints(ctx, func(key breaker.Key) { // why it ended, the listing will say
			wait = retryFirst
			s.hint(key)
		})
		s.relist()
		rest(ctx, wait)
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *sharing) hint(key breaker.Key) {
	if key == "" {
		s.relist()
		return
	}
	if !s.board.owns(key) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.hinted) >= maxHinted {
		clear(s.hinted)
		s.relist()
		return
	}
	s.hinted[key] = struct{}{}
	poke(s.heard)
}

// takeHints returns the keys that were hinted at.
func (s *sharing) takeHints() map[breaker.Key]struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.hinted
	s.hinted = map[breaker.Key]struct{}{}
	return keys
}

// run reads the place until ctx ends.
func (s *sharing) run(ctx context.Context) {
	backoff := retryFirst
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.heard:
			if err := s.load(ctx); err == nil {
				continue
			}
		case <-s.again:
		case <-due.C:
		}
		began := time.Now()
		if err := s.list(ctx); err != nil {
			due.Reset(backoff)
			backoff = min(2*backoff, retryMost)
			rest(ctx, retryFirst) // whoever else asks for a listing
			continue
		}
		backoff = retryFirst
		due.Reset(max(listEvery, listShare*time.Since(began)))
	}
}

// load reads the keys that were hinted at.
func (s *sharing) load(ctx context.Context) error {
	var words []cooldownstore.SharedWord
	for key := range s.takeHints() {
		w, ok, err := s.place.Load(ctx, key)
		if err != nil {
			return err
		}
		if ok {
			words = append(words, w)
		}
	}
	s.hear(words)
	return nil
}

// list reads everything, and has written what is missing there.
func (s *sharing) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	warnings, err := s.place.Check(ctx)
	seen := map[breaker.Key]struct{}{}
	if err == nil {
		var words []cooldownstore.SharedWord
		err = s.place.Each(ctx, func(w cooldownstore.SharedWord) bool {
			seen[w.Key] = struct{}{}
			if words = append(words, w); len(words) >= hearAtOnce {
				s.hear(words)
				words = words[:0]
			}
			return true
		})
		s.hear(words)
	}
	if err == nil {
		s.refill(seen)
	}
	s.read(err, warnings, len(seen))
	select {
	case <-s.listed:
	default:
		close(s.listed)
		s.board.keepAll(s.unkept)
		s.unkept = nil
	}
	return err
}

// hear obeys what the place holds of keys of this node, and answers with what
// it lacks. A word of a clock that is days ahead is passed over.
func (s *sharing) hear(words []cooldownstore.SharedWord) {
	var entries []spread.Entry
	s.words.Add(int64(len(words)))
	now, wall := s.board.clock.Both()
	for _, w := range words {
		if s.board.owns(w.Key) && s.board.clock.Observe(w.Snapshot.MaxStamp()) == nil {
			entries = append(entries, spread.Entry{Key: w.Key, Snapshot: w.ToSnapshot(now, wall)})
		}
	}
	s.board.share(entries, s.keep)
	for _, x := range entries {
		if own := s.board.Of(x.Key); cooldownstore.Lacks(x.Snapshot, own, now) {
			s.put(x.Key, own)
		}
	}
}

// keep has written what is new here. The first listing is kept when it is over:
// it may be very much, and a node is starting.
func (s *sharing) keep(key breaker.Key, snap breaker.Snapshot) {
	select {
	case <-s.listed:
		s.board.keeper.Put(key, snap)
	default:
		s.unkept = append(s.unkept, key)
	}
}

// refill has written what this node's keys hold and the place said nothing of:
// it was flushed, or was away when it should have been told, or the key is
// this node's only now.
func (s *sharing) refill(seen map[breaker.Key]struct{}) {
	now := s.board.clock.Now()
	for bucket := range view.Buckets { // a bucket at a time: nobody waits for long
		for _, x := range s.board.ownIn(bucket) {
			if _, ok := seen[x.Key]; !ok && cooldownstore.Lacks(breaker.Snapshot{}, x.Snapshot, now) {
				s.put(x.Key, x.Snapshot)
			}
		}
	}
}
