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
	switch {
	case len(b.pending.words) == 0:
		return 0, false
	case len(b.pending.urgent) > 0 || len(b.flushes) > 0:
		return 0, true
	}
	return time.Until(b.due), true
}

// write writes one batch.
func (b *Behind) write() {
	b.mu.Lock()
	evidence := len(b.pending.urgent) == 0
	batch := b.pending.take(maxBatch)
	b.mu.Unlock()

	d := SurvivesKill
	now, wall := b.opt.Clock()
	records := make([]Record, len(batch))
	for i, a := range batch {
		records[i] = FromSnapshot(a.word.key, a.snapshot, now, wall)
		if a.operator {
			d = SurvivesPowerLoss
		}
	}
	err := b.store.Save(b.ctx, records, d)
	if b.ctx.Err() != nil && err != nil {
		return // Close gave up on it
	}

	b.mu.Lock()
	b.pending.settle(batch, err)
	b.settleFlushes(err)
	b.schedule(err, evidence, len(batch) == maxBatch)
	changed := b.judge(err, wall)
	h := b.healthNow()
	b.mu.Unlock()
	if changed && b.opt.OnHealth != nil {
		b.opt.OnHealth(h)
	}
}

// schedule sets the time of the next write of evidence.
func (b *Behind) schedule(err error, evidence, full bool) {
	switch {
	case err != nil:
		b.backoff = min(max(2*b.backoff, b.opt.Delay), maxBackoff)
		b.due = time.Now().Add(b.backoff)
		return
	case full || b.backoff > 0: // more is waiting
		b.due = time.Now()
	case evidence: // what is pending now came during the write
		b.due = time.Now().Add(b.opt.Delay / 2)
	}
	b.backoff = 0
}

func (b *Behind) settleFlushes(err error) {
	b.flushes = slices.DeleteFunc(b.flushes, func(f flush) bool {
		if err == nil && b.pending.unwrittenSince(f.version) {
			return false
		}
		f.done <- err // has room for it
		return true
	})
}

// judge updates the health and reports whether OnHealth is to be told.
func (b *Behind) judge(err error, wall time.Time) bool {
	h := &b.health
	changed := h.OK != (err == nil) || h.Dropped != b.reported
	if h.OK != (err == nil) {
		h.OK, h.Since = err == nil, wall
	}
	h.Err = err
	b.reported = h.Dropped
	return changed
}
