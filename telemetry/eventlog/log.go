//go:build cgo

package eventlog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/telemetry"
)

const fileName = "telemetry.db"

var (
	// ErrClosed is returned once Close was called.
	ErrClosed = errors.New("the event log is closed")
	// ErrNewerSchema is returned by Open for a file that a newer version wrote.
	ErrNewerSchema = errors.New("a newer version of fleetfuse-node wrote this event log")
)

// A Log is safe for concurrent use.
type Log struct {
	opt  Options
	file string // "" for a log in memory only
	tail tail
	bell *bell
	// gone is the last position of those that are not kept any more. It is raised
	// before the events go: who reads and then finds that gone has not passed has
	// read all there was.
	gone atomic.Uint64

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	wake    chan struct{} // of the writer
	running sync.WaitGroup
	ended   chan struct{} // closed when nothing more will be written

	mu     sync.Mutex
	seen   seen
	gaps   gaps
	write  progress
	store  *store // nil while there is none
	ruined *store // a damaged one, to be set aside
	health Health // without what healthNow computes
	told   Health // what OnHealth knows
	closed bool
}

// progress is how far writing is.
type progress struct {
	written uint64 // every position up to it is on disk or in a gap
	// flying is the batch being written. Readers need it: it can have left the tail
	// before it is on disk.
	flying  []telemetry.Event
	unsaved bool      // gaps changed since they were last written
	due     time.Time // of the next write
	pruneAt time.Time // of the next look at what is too old, zero: at once
	prune   bool      // there is more to prune
	backoff time.Duration
	flushes []flush
}

// taken is the last position that was handed to the disk.
func (w *progress) taken() uint64 {
	if n := len(w.flying); n > 0 {
		return w.flying[n-1].Seq
	}
	return w.written
}

// flyingBefore are the events being written that left a tail which begins at a
// position.
func (w *progress) flyingBefore(oldest uint64) []telemetry.Event {
	if len(w.flying) == 0 || w.flying[0].Seq >= oldest {
		return nil
	}
	return w.flying[:min(uint64(len(w.flying)), oldest-w.flying[0].Seq)]
}

// A flush waits until the positions up to through are on disk.
type flush struct {
	through uint64
	done    chan<- error // has room
}

// Open opens dir/telemetry.db, and makes it where it is missing; dir must be this
// process's alone. With dir "" the log is in memory only and keeps Options.Buffer
// events. A damaged file is set aside and a new one made: Health says where it is.
// With a directory that can not be written the log starts in memory, says so in
// Health, and tries again. The only error is ErrNewerSchema, with what to do.
func Open(ctx context.Context, dir string, opt Options) (*Log, error) {
	l := &Log{opt: opt.withDefaults(), bell: newBell(), wake: make(chan struct{}, 1), ended: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	now := l.opt.Now()
	l.health = Health{OK: true, Since: now}
	if dir != "" {
		l.file = filepath.Join(dir, fileName)
	}
	if err := l.start(ctx, now); err != nil {
		l.cancel()
		return nil, err
	}
	l.told = l.healthNow()
	l.running.Go(func() { l.bell.run(l.ctx) })
	if l.file != "" {
		l.running.Go(l.run)
	}
	return l, nil
}

// start decides the first position.
func (l *Log) start(ctx context.Context, now time.Time) error {
	base := firstPosition(now, found{})
	var f found
	if l.file != "" {
		var s *store
		var err error
		s, f, err = l.openStore(ctx)
		if errors.Is(err, ErrNewerSchema) {
			return err
		}
		if err == nil {
			base = firstPosition(now, f)
			err = l.attach(s, f, base)
		}
		l.health.OK, l.health.Err = err == nil, err
	} else {
		l.gone.Store(base - 1)
	}
	l.tail.init(base, l.opt.Buffer)
	l.seen = newSeen(f.ids, l.tail.limit*chunkEvents)
	l.write.written = base - 1
	l.write.due = time.Now().Add(l.opt.Delay)
	return nil
}

// firstPosition is where a process begins to count. No position is given out
// twice, although a crash loses those not written yet: the file holds a
// reservation that is ahead of what memory can hold. Where the file is no help
// (damaged, deleted, not written for long) positions begin at the wall clock in
// microseconds, which runs faster than events come. So for a double the file must
// be of no use and the clock have gone back, both.
func firstPosition(now time.Time, f found) uint64 {
	return max(uint64(max(now.UnixMicro(), 1)), f.reserved+1, f.last+1)
}

// Append logs an event at the next position, and returns that; zero for an event
// that is there already and after Close. It sets Seq and trims the event; it never
// waits for a reader or the disk.
func (l *Log) Append(e telemetry.Event) uint64 {
	e.Trim()
	id := e.ID()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		l.health.Dropped++
		return 0
	}
	if !l.seen.add(id) {
		l.health.Duplicates++
		return 0
	}
	next := l.tail.view().next
	e.Seq = next
	if c := l.tail.add(e); c != nil {
		l.seen.forget(c)
		l.leftTail(c)
	}
	l.health.Appended++
	l.bell.ring()
	if l.file != "" {
		l.askForWrite(next)
	}
	return next
}

// leftTail must be called with mu held, when a chunk had to go.
func (l *Log) leftTail(c *chunk) {
	last := c.first + chunkEvents - 1
	if l.file == "" {
		l.gone.Store(last)
		return
	}
	first := max(c.first, l.write.taken()+1)
	if first <= last {
		l.lose(first, last)
	}
}

// lose records that events left memory before they were written. It must be
// called with mu held.
func (l *Log) lose(first, last uint64) {
	n := last + 1 - first
	l.health.Dropped += n
	l.gaps = l.gaps.add(Gap{First: first, Last: last, Events: n, Reason: GapDropped, Time: l.opt.Now()})
	l.write.unsaved = true
}

// Last is the latest position: Follow from there to see only what comes.
func (l *Log) Last() uint64 { return l.tail.view().next - 1 }

// Health says how the log does.
func (l *Log) Health() Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.healthNow()
}

func (l *Log) healthNow() Health {
	h := l.health
	v := l.tail.view()
	h.Last = v.next - 1
	h.Waiting = int(l.bell.listening.Load())
	if l.file != "" {
		h.Pending = int(h.Last - min(h.Last, max(l.write.written, v.oldest-1)))
	}
	return h
}

// Flush writes everything appended before, and prunes what is due. It returns the
// error of the first attempt that fails.
func (l *Log) Flush(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return fmt.Errorf("flush: %w", ErrClosed)
	}
	done := l.askFlush()
	l.mu.Unlock()
	return l.await(ctx, done)
}

// askFlush must be called with mu held.
func (l *Log) askFlush() <-chan error {
	done := make(chan error, 1)
	if l.file == "" {
		done <- nil
		return done
	}
	l.write.flushes = append(l.write.flushes, flush{l.tail.view().next - 1, done})
	l.write.pruneAt = time.Time{}
	l.poke()
	return done
}

func (l *Log) await(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("write the event log: %w", ctx.Err())
	}
}

// Close writes what is pending, once, and stops; it gives up when ctx ends.
// Readers get what is in memory, then ErrClosed. A second Close does nothing.
func (l *Log) Close(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	done := l.askFlush()
	l.mu.Unlock()
	err := l.await(ctx, done)
	l.cancel()
	l.running.Wait()
	close(l.ended)
	l.mu.Lock()
	s, ruined, pending := l.store, l.ruined, l.healthNow().Pending
	l.store, l.ruined = nil, nil
	l.mu.Unlock()
	if s != nil {
		err = errors.Join(err, s.close(pending == 0))
	}
	if ruined != nil {
		ruined.closePools()
	}
	if err != nil && pending > 0 {
		return fmt.Errorf("close the event log, %d events are not on disk: %w", pending, err)
	}
	return err
}
