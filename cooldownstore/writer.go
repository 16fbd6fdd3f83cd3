package cooldownstore

import (
	"slices"
	"time"
)

// run is the one goroutine that writes.
func (b *Behind) run() {
	defer close(b.done)
	for b.await() {
		b.write()
	}
}

// await blocks until something is to be written; false once Close is done.
func (b *Behind) await() bool {
	for {
		if b.ctx.Err() != nil {
			return false
		}
		wait, ok := b.next()
		if ok && wait <= 0 {
			return true
		}
		var due <-chan time.Time
		if ok {
			due = time.After(wait)
		}
		select {
		case <-b.ctx.Done():
			return false
		case <-b.wake:
		case <-due:
		}
	}
}

// next is how long the next write may wait, and false if there is none.
func (b *Behind) next() (time.Duration, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	due, ok := b.queue.Due()
	if ok && (len(b.queue.pending.urgent) > 0 || len(b.flushes) > 0) {
		return 0, true
	}
	return time.Until(due), ok
}

// write writes one batch.
func (b *Behind) write() {
	now, wall := b.opt.Clock()
	b.mu.Lock()
	batch := b.queue.Batch(now, wall)
	b.mu.Unlock()

	err := b.store.Save(b.ctx, batch.Records, batch.Durability)
	if b.ctx.Err() != nil && err != nil {
		return // Close gave up on it
	}

	b.mu.Lock()
	changed := b.queue.Written(batch, err, time.Now(), wall)
	b.settleFlushes(err)
	h := b.queue.Health()
	b.mu.Unlock()
	if changed && b.opt.OnHealth != nil {
		b.opt.OnHealth(h)
	}
}

func (b *Behind) settleFlushes(err error) {
	b.flushes = slices.DeleteFunc(b.flushes, func(f flush) bool {
		if err == nil && b.queue.pending.unwrittenSince(f.version) {
			return false
		}
		f.done <- err // has room for it
		return true
	})
}
