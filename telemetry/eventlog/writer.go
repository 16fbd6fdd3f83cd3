//go:build cgo

package eventlog

import (
	"slices"
	"time"

	"fleetfuse/internal/sqlitefile"
	"fleetfuse/telemetry"
)

const (
	maxBatch   = 1000
	maxBackoff = 5 * time.Second
)

// askForWrite makes the writer write in time. It must be called with mu held.
func (l *Log) askForWrite(appended uint64) {
	w := &l.write
	switch unwritten := appended - w.taken(); {
	case unwritten == 1 && w.backoff == 0 && w.flying == nil:
		// Half of the delay collects, the other half is for the write.
		w.due = time.Now().Add(l.opt.Delay / 2)
		l.poke()
	case unwritten == maxBatch:
		l.poke()
	}
}

// poke makes the writer look again.
func (l *Log) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run is the one goroutine that writes.
func (l *Log) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for l.ctx.Err() == nil {
		wait := l.next(time.Now())
		if wait <= 0 {
			l.work()
			continue
		}
		timer.Reset(wait)
		select {
		case <-l.ctx.Done():
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// next is how long the writer may wait.
func (l *Log) next(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.write
	unwritten := l.tail.view().next - 1 - w.written
	switch {
	case len(w.flushes) > 0:
		return 0
	case w.backoff > 0 || l.store == nil:
		return w.due.Sub(now)
	case w.prune || unwritten >= maxBatch:
		return 0
	case unwritten > 0:
		return min(w.due.Sub(now), w.pruneAt.Sub(now))
	}
	return w.pruneAt.Sub(now)
}

// work writes one batch and prunes one step.
func (l *Log) work() {
	s, err := l.ready()
	if err == nil {
		err = l.writeBatch(s)
	}
	if err == nil {
		err = l.pruneStep(s)
	}
	if sqlitefile.IsCorrupt(err) && s != nil {
		l.condemn(s)
	}
	if err != nil && s != nil {
		err = explain(err, l.file)
	}
	l.settle(err)
}

// A batch is what one transaction writes.
type batch struct {
	events   []telemetry.Event
	last     uint64 // of the events, zero for none
	gaps     gaps   // all of them, if saveGaps
	saveGaps bool
}

func (l *Log) writeBatch(s *store) error {
	b := l.takeBatch()
	if len(b.events) == 0 && !b.saveGaps {
		return nil
	}
	err := s.append(b, l.opt.Now())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store != s {
		return err // condemned meanwhile: all in memory is to be written again
	}
	l.write.flying = nil
	switch {
	case err == nil:
		l.write.written = max(l.write.written, b.last)
	default:
		l.write.unsaved = l.write.unsaved || b.saveGaps
		if len(b.events) == 0 {
			break
		}
		// What left memory while it was being written.
		if first, last := b.events[0].Seq, min(b.last, l.tail.view().oldest-1); first <= last {
			l.lose(first, last)
		}
	}
	return err
}

// takeBatch takes the oldest events that are not written.
func (l *Log) takeBatch() batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.tail.view()
	at := max(l.write.written, v.oldest-1)
	var b batch
	for len(b.events) < maxBatch {
		more := v.after(at)
		if len(more) == 0 {
			break
		}
		b.events = append(b.events, more[:min(len(more), maxBatch-len(b.events))]...)
		at = b.events[len(b.events)-1].Seq
		b.last = at
	}
	l.write.flying = b.events
	if l.write.unsaved {
		b.gaps, b.saveGaps = slices.Clone(l.gaps), true
		l.write.unsaved = false
	}
	return b
}

// settle takes note of how an attempt went, and tells who waits.
func (l *Log) settle(err error) {
	l.mu.Lock()
	w := &l.write
	if err != nil {
		w.backoff = min(max(2*w.backoff, l.opt.Delay), maxBackoff)
		w.due = time.Now().Add(w.backoff)
	} else {
		w.backoff = 0
		w.due = time.Now().Add(l.opt.Delay / 2) // what is pending now came during the write
	}
	done := max(w.written, l.tail.view().oldest-1)
	w.flushes = slices.DeleteFunc(w.flushes, func(f flush) bool {
		if err == nil && (done < f.through || w.prune || w.pruneAt.IsZero()) {
			return false
		}
		f.done <- err // has room for it
		return true
	})
	h := &l.health
	if ok := err == nil; h.OK != ok {
		h.OK, h.Since = ok, l.opt.Now()
	}
	h.Err = err
	now := l.healthNow()
	changed := now.OK != l.told.OK || now.Dropped != l.told.Dropped || now.SetAside != l.told.SetAside
	if changed {
		l.told = now
	}
	l.mu.Unlock()
	if changed && l.opt.OnHealth != nil {
		l.opt.OnHealth(now)
	}
}
