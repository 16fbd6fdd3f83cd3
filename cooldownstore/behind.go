package cooldownstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fleetfuse/breaker"
)

// Limits of a Behind and their defaults.
const (
	defaultDelay = 50 * time.Millisecond
	defaultLimit = 200_000
	maxBatch     = 1000
	maxBackoff   = 5 * time.Second
)

// BehindOptions configures a Behind. Clock is required.
type BehindOptions struct {
	// Delay is how long evidence may wait for its write; default 50 ms.
	Delay time.Duration
	// Limit bounds the keys with a word not yet on disk; default 200,000.
	Limit int
	// Clock reads both clocks at one moment.
	Clock func() (breaker.Instant, time.Time)
	// OnHealth, if not nil, is told when OK or Dropped changed, one call at a
	// time. It must not call Close.
	OnHealth func(Health)
}

// Health says how writing goes.
type Health struct {
	OK      bool
	Since   time.Time // when OK last changed
	Err     error     // of the last attempt, nil if OK
	Pending int       // keys whose latest word is not on disk
	Dropped uint64    // words given up: beyond Limit, or put after Close
}

// A Saver is what a Behind writes to: a Store, or a place to share through an
// Outbox.
type Saver interface {
	Save(ctx context.Context, records []Record, d Durability) error
	Kind() string
}

// A Behind writes to a store without making its callers wait: evidence behind
// (Put), operators' words through (Commit). One goroutine writes everything,
// so that the words on a key reach the disk in their order. What cannot be
// written stays pending and is retried. It is safe for concurrent use.
type Behind struct {
	store  Saver
	opt    BehindOptions
	ctx    context.Context // of the writes; ends with Close
	cancel context.CancelFunc
	wake   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	queue   *Queue
	flushes []flush
	closed  bool
}

// A flush waits for the words up to a version.
type flush struct {
	version uint64
	done    chan<- error
}

// NewBehind starts a writer in front of a store; Close it when done.
func NewBehind(store Saver, opt BehindOptions) *Behind {
	if opt.Delay <= 0 {
		opt.Delay = defaultDelay
	}
	if opt.Limit <= 0 {
		opt.Limit = defaultLimit
	}
	_, wall := opt.Clock()
	b := &Behind{
		store: store, opt: opt, wake: make(chan struct{}, 1), done: make(chan struct{}), queue: NewQueue(opt.Delay, opt.Limit, wall),
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	go b.run()
	return b
}

// Put replaces the word on a key and returns at once. It is on disk within
// Delay while the store works. Beyond Limit the word that ends soonest is
// dropped and counted.
func (b *Behind) Put(key breaker.Key, s breaker.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.queue.health.Dropped++
		return
	}
	b.put(key, s, nil)
}

// put must be called with mu held.
func (b *Behind) put(key breaker.Key, s breaker.Snapshot, waiter chan<- error) {
	if b.queue.put(time.Now(), key, s, waiter) {
		b.poke()
	}
}

// poke makes the writer look again.
func (b *Behind) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Commit writes a word at once so that it survives power loss, and supersedes
// what was pending of its key. When it returns nil, this word or a later one is
// on disk. On any other error than ErrClosed the word stays pending and is
// retried like evidence: it may be acted on, but is not durable yet.
func (b *Behind) Commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) error {
	done := make(chan error, 1)
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return fmt.Errorf("commit %s: %w", key, ErrClosed)
	}
	b.put(key, s, done)
	b.poke()
	b.mu.Unlock()
	if err := b.wait(ctx, done); err != nil {
		return fmt.Errorf("commit %s: %w", key, err)
	}
	return nil
}

// Flush writes everything that is pending now, without waiting for its time.
// It returns the error of the first attempt that fails.
func (b *Behind) Flush(ctx context.Context) error {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return fmt.Errorf("flush: %w", ErrClosed)
	}
	return b.flush(ctx)
}

func (b *Behind) flush(ctx context.Context) error {
	done := make(chan error, 1)
	b.mu.Lock()
	n := len(b.queue.pending.words)
	if n > 0 {
		b.flushes = append(b.flushes, flush{b.queue.pending.version, done})
		b.poke()
	}
	b.mu.Unlock()
	if n == 0 {
		return nil
	}
	if err := b.wait(ctx, done); err != nil {
		return fmt.Errorf("flush what waits: %w", err)
	}
	return nil
}

// wait returns what done says, or why it will not say anything in time.
func (b *Behind) wait(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-b.done:
	}
	select {
	case err := <-done:
		return err
	default:
		return ErrClosed
	}
}

// Pending reports whether the latest word on a key is not on disk yet.
func (b *Behind) Pending(key breaker.Key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.pending.words[key] != nil
}

// Lasting reports whether what is written outlives the process.
func (b *Behind) Lasting() bool { return b.store.Kind() != "memory" }

// Durable reports whether the latest word on a key outlives the process.
func (b *Behind) Durable(key breaker.Key) bool { return b.Lasting() && !b.Pending(key) }

// Health says how writing goes.
func (b *Behind) Health() Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.Health()
}

// Close writes what is pending, once, and stops; it gives up when ctx ends. It
// does not close the store. A second Close does nothing.
func (b *Behind) Close(ctx context.Context) error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	err := b.flush(ctx)
	b.cancel()
	<-b.done
	if h := b.Health(); err != nil && h.Pending > 0 {
		return fmt.Errorf("close the writer, %d not written: %w", h.Pending, err)
	}
	return nil
}
