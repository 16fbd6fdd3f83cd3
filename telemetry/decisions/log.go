//go:build cgo

package decisions

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"
)

// FileName is the file in the data directory.
const FileName = "tuner.db"

// Options of a Log. Zero fields have their defaults.
type Options struct {
	Keep       time.Duration // how far back; default 90 days
	MaxRecords int           // beyond it the oldest go; default 10,000, of usually some KB each
	MaxWaiting int64         // bytes of bodies in memory; default 32 MiB
	Retry      time.Duration // after it a disk that failed is tried again; default 5 s
	Logger     *slog.Logger  // is told when the disk fails and when it works again; default slog.Default()
	Now        func() time.Time
	// OnStatus, if not nil, is told when trouble begins and when it is over, one call
	// at a time. It may call Add and Status.
	OnStatus func(Status)

	maxPages int // of the file, in tests: a full disk
}

func (o Options) withDefaults() Options {
	if o.Keep <= 0 {
		o.Keep = 90 * 24 * time.Hour
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = 10_000
	}
	if o.MaxWaiting <= 0 {
		o.MaxWaiting = 32 << 20
	}
	if o.Retry <= 0 {
		o.Retry = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// A Log is safe for concurrent use.
type Log struct {
	opt  Options
	file string // "" for none

	// Use of the file: readers share it, so that what is being written is neither
	// missed nor listed twice, and no file is closed under a reader.
	use    sync.RWMutex
	disk   *disk // nil while there is none
	closed bool

	mu      sync.Mutex // never held while a disk works
	waiting waiting
	status  Status
	damaged bool // who read found it so; the next write sets it aside
	ending  bool

	wake chan struct{} // there is something to write
	stop chan struct{}
	done sync.WaitGroup
}

// Status says how a Log is.
type Status struct {
	// Trouble is why nothing can be written, nil if all is well, and Since when.
	Trouble error
	Since   time.Time
	Waiting int    // records that are not on disk yet
	Dropped uint64 // records that were lost because too many waited
	// SetAside is the latest damaged file that was set aside, "" for none.
	SetAside string
}

// ErrClosed is returned after Close.
var ErrClosed = errors.New("the log of decisions is closed")

// Open opens dir/tuner.db, or a log that is only in memory where dir is "". It does
// not fail: what is wrong with the disk is in Status, and it is tried again.
func Open(ctx context.Context, dir string, opt Options) *Log {
	l := &Log{
		opt: opt.withDefaults(), waiting: waiting{records: map[string]Record{}}, wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	if dir == "" {
		return l
	}
	l.file = filepath.Join(dir, FileName)
	l.use.Lock()
	l.noted(l.reopen(ctx))
	l.use.Unlock()
	l.done.Go(l.run)
	return l
}

// Add takes a record, and waits for no disk. An ID that is known changes nothing.
// The error is ErrBadRecord, with the reason, or ErrClosed.
func (l *Log) Add(r Record) error {
	now := l.opt.Now()
	r, err := r.checked(now)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return ErrClosed
	}
	if !l.waiting.add(r) {
		return nil
	}
	l.waiting.forget(now.Add(-l.opt.Keep))
	dropped := l.waiting.bound(l.opt.MaxRecords, l.opt.MaxWaiting)
	if l.file != "" {
		l.status.Dropped += uint64(dropped)
		l.ring()
	}
	return nil
}

// ring wakes the writer.
func (l *Log) ring() {
	select {
	case l.wake <- struct{}{}:
	default: // it is about to look
	}
}

// writeLimit bounds a write that nobody waits for, and the last one.
const writeLimit = 5 * time.Second

// run writes what is added, until stop. A disk that fails is left alone between
// two tries.
func (l *Log) run() {
	for {
		wake, again := l.wake, (<-chan time.Time)(nil)
		if l.Status().Trouble != nil {
			wake, again = nil, time.After(l.opt.Retry)
		}
		select {
		case <-l.stop:
			return
		case <-wake:
		case <-again:
		}
		ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
		_ = l.Flush(ctx) // Status has it
		cancel()
	}
}

// Status says how it is.
func (l *Log) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	if l.file != "" {
		s.Waiting = len(l.waiting.records)
	}
	return s
}

// Close writes what waits and closes the file. It may be called again.
func (l *Log) Close() error {
	l.mu.Lock()
	again := l.ending
	l.ending = true
	l.mu.Unlock()
	if again {
		return nil
	}
	close(l.stop)
	l.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	err := l.Flush(ctx)
	l.use.Lock()
	defer l.use.Unlock()
	l.closed = true
	return errors.Join(err, l.drop())
}
