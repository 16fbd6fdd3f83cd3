package cooldownstore

import (
	"context"
	"sync"
	"time"

	"fleetfuse/breaker"
)

// Defaults and limits of a Behind.
const (
	writeDelay   = 50 * time.Millisecond
	retryMax     = 5 * time.Second
	batchRecords = 1000
	pendingLimit = 200_000
)

// Health says how a store is.
type Health struct {
	OK      bool
	Since   time.Time // when it stopped being OK
	Err     error
	Pending int    // keys whose latest word is not written
	Dropped uint64 // words lost because too many were pending
}

// A Behind writes evidence behind (Put) and operators' words through (Commit).
// It is safe for concurrent use.
type Behind struct {
	store Store
	both  func() (breaker.Instant, time.Time)

	mu      sync.Mutex
	pending map[breaker.Key]breaker.Snapshot
	health  Health
	saving  sync.Mutex // one writer at a time, so that words keep their order
	kick    chan struct{}
	stop    chan struct{}
	done    chan struct{}
}

// NewBehind starts a writer in front of a store; Close it when done. both reads
// the two clocks at one moment.
func NewBehind(store Store, both func() (breaker.Instant, time.Time)) *Behind {
	b := &Behind{
		store: store, both: both, pending: map[breaker.Key]breaker.Snapshot{}, health: Health{OK: true},
		kick: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go b.run()
	return b
}

// Put replaces what is pending of a key; it is written within 50 ms while the
// store works, and kept and retried while it does not.
func (b *Behind) Put(key breaker.Key, s breaker.Snapshot) {
	b.mu.Lock()
	if _, known := b.pending[key]; !known && len(b.pending) >= pendingLimit {
		b.dropOne()
	}
	b.pending[key] = s
	b.mu.Unlock()
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// dropOne gives up the word that ends soonest, of a sample.
func (b *Behind) dropOne() {
	var victim breaker.Key
	var until breaker.Instant
	n := 0
	for k, s := range b.pending {
		if at := s.LastDeadline(); victim == "" || at < until {
			victim, until = k, at
		}
		if n++; n == 64 {
			break
		}
	}
	delete(b.pending, victim)
	b.health.Dropped++
}

// Commit writes at once and durably. On an error the word stays pending.
func (b *Behind) Commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) error {
	b.Put(key, s)
	b.saving.Lock()
	defer b.saving.Unlock()
	b.mu.Lock()
	latest, ok := b.pending[key]
	b.mu.Unlock()
	if !ok {
		latest = s // the writer took it meanwhile: write it once more, durably
	}
	now, wall := b.both()
	err := b.store.Save(ctx, []Record{FromSnapshot(key, latest, now, wall)}, SurvivesPowerLoss)
	b.note(err)
	if err == nil {
		b.mu.Lock()
		delete(b.pending, key)
		b.mu.Unlock()
	}
	return err
}

// Lasting reports whether what is written outlives the process.
func (b *Behind) Lasting() bool { return b.store.Kind() != "memory" }

// Durable reports whether the latest word on a key is on disk.
func (b *Behind) Durable(key breaker.Key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, pending := b.pending[key]
	return !pending && b.Lasting()
}

// Health says how the store is.
func (b *Behind) Health() Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.health
	h.Pending = len(b.pending)
	return h
}

func (b *Behind) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		b.health.OK, b.health.Err, b.health.Since = true, nil, time.Time{}
	case b.health.OK:
		b.health.OK, b.health.Err, b.health.Since = false, err, time.Now()
	default:
		b.health.Err = err
	}
}

func (b *Behind) run() {
	defer close(b.done)
	retry := writeDelay
	for {
		select {
		case <-b.stop:
			return
		case <-b.kick:
		}
		if !b.wait(retry) {
			return
		}
		if err := b.Flush(context.Background()); err != nil {
			retry = min(2*retry, retryMax)
			select {
			case b.kick <- struct{}{}:
			default:
			}
			continue
		}
		retry = writeDelay
	}
}

// wait pauses and reports whether to go on.
func (b *Behind) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-b.stop:
		return false
	case <-t.C:
		return true
	}
}

// Flush writes what is pending now. What fails stays pending.
func (b *Behind) Flush(ctx context.Context) error {
	b.saving.Lock()
	defer b.saving.Unlock()
	b.mu.Lock()
	todo := b.pending
	b.pending = map[breaker.Key]breaker.Snapshot{}
	b.mu.Unlock()
	now, wall := b.both()
	batch := make([]Record, 0, batchRecords)
	for key, s := range todo {
		batch = append(batch, FromSnapshot(key, s, now, wall))
	}
	for len(batch) > 0 {
		n := min(len(batch), batchRecords)
		err := b.store.Save(ctx, batch[:n], SurvivesKill)
		b.note(err)
		if err != nil {
			b.putBack(todo, batch)
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// putBack makes unwritten words pending again, unless a newer one came.
func (b *Behind) putBack(todo map[breaker.Key]breaker.Snapshot, unwritten []Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range unwritten {
		if _, newer := b.pending[r.Key]; !newer {
			b.pending[r.Key] = todo[r.Key]
		}
	}
}

// Close writes what is pending and stops. It does not close the store.
func (b *Behind) Close(ctx context.Context) error {
	close(b.stop)
	<-b.done
	return b.Flush(ctx)
}
