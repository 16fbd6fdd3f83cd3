//go:build cgo

package history

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"fleetfuse/internal/sqlitefile"
	"fleetfuse/telemetry/rollup"
)

// FileName is the file in the data directory.
const FileName = "rollups.db"

// Options of a History. Zero fields have their defaults.
type Options struct {
	Keep     time.Duration // how far back; default 7 days
	MaxBytes int64         // of the file: beyond it the oldest go; default 512 MiB
	MaxRows  int           // that wait in memory, each a minute of one series; default 50,000, about 12 MB
	Logger   *slog.Logger  // is told when the disk fails and when it works again; default slog.Default()
	maxPages int           // of the file, in tests: a full disk
}

// A History is safe for concurrent use.
type History struct {
	opt  Options
	file string

	// Use of the file: readers share it, so that what is being written is neither
	// missed nor counted twice, and no file is closed under a reader.
	use    sync.RWMutex
	disk   *disk // nil while there is none
	closed bool

	mu      sync.Mutex
	waiting waiting
	latest  rollup.Bucket // of what was added last
	settled settled
	status  Status
	damaged bool // who read found it so; the next write sets it aside
}

// Status says how a History is.
type Status struct {
	// Trouble is why nothing can be written, nil if all is well, and Since when.
	Trouble error
	Since   time.Time
	Waiting int    // rows in memory
	Dropped uint64 // rows that were lost because too many waited
	// SetAside is the latest damaged file that was set aside, "" for none.
	SetAside string
}

// ErrClosed is returned after Close.
var ErrClosed = errors.New("the rollups are closed")

// Open opens dir/rollups.db. It does not fail: what is wrong with the disk is in
// Status, and every Write tries again.
func Open(ctx context.Context, dir string, opt Options) *History {
	if opt.Keep <= 0 {
		opt.Keep = 7 * 24 * time.Hour
	}
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = 512 << 20
	}
	if opt.MaxRows <= 0 {
		opt.MaxRows = 50_000
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	h := &History{opt: opt, file: filepath.Join(dir, FileName), waiting: newWaiting()}
	h.use.Lock()
	defer h.use.Unlock()
	h.noted(h.reopen(ctx))
	return h
}

// Add takes the rows of a bucket, as rollup.Table.Close gives them. It waits for
// no disk.
func (h *History) Add(at rollup.Bucket, rows []rollup.Row) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range rows {
		h.waiting.add(at, &rows[i])
	}
	h.latest = at
	h.status.Dropped += uint64(h.waiting.bound(h.opt.MaxRows))
}

// Run writes once a minute until ctx ends, and then what is left.
func (h *History) Run(ctx context.Context) {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			h.write(last, true)
			return
		case <-t.C:
			h.write(ctx, false)
		}
	}
}

// Write writes all that waits, now, and deletes some of what is too old or too
// much. What could not be written waits on.
func (h *History) Write(ctx context.Context) error { return h.write(ctx, true) }

// write leaves the minute that is not over, unless all is to be written.
func (h *History) write(ctx context.Context, all bool) error {
	h.use.Lock()
	defer h.use.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.mu.Lock()
	before := minuteOf(h.latest)
	if all {
		before++
	}
	batch, latest, err := h.waiting.take(before), h.latest, error(nil)
	young := h.settled.take(latest, time.Now()) - rollup.Bucket(h.opt.Keep/rollup.Width)
	damaged := h.damaged
	h.damaged = false
	h.mu.Unlock()
	if damaged && h.disk != nil {
		err = h.setAside()
	}
	if err == nil {
		err = h.reopen(ctx)
	}
	if err == nil {
		err = h.disk.save(ctx, batch)
	}
	if err != nil {
		h.mu.Lock()
		h.waiting.back(batch)
		h.status.Dropped += uint64(h.waiting.bound(h.opt.MaxRows))
		h.mu.Unlock()
	} else {
		err = h.disk.prune(ctx, latest, young, h.opt.MaxBytes)
	}
	if sqlitefile.IsCorrupt(err) {
		err = errors.Join(err, h.setAside())
	}
	h.noted(err)
	return err
}

// noted remembers how the disk does and says when that changes.
func (h *History) noted(err error) {
	h.mu.Lock()
	was := h.status.Trouble
	h.status.Trouble = err
	if was == nil && err != nil {
		h.status.Since = time.Now()
	}
	since, waiting, dropped := h.status.Since, h.waiting.rows, h.status.Dropped
	h.mu.Unlock()
	switch {
	case was == nil && err != nil:
		h.opt.Logger.Warn("rollups cannot be written; they wait in memory", slog.Any("error", err))
	case was != nil && err == nil:
		h.opt.Logger.Info("rollups are written again", slog.Time("since", since), slog.Int("waiting", waiting), slog.Uint64("dropped", dropped))
	}
}

// Status says how it is.
func (h *History) Status() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.status
	s.Waiting = h.waiting.rows
	return s
}

// Close writes what waits and closes the file.
func (h *History) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := h.write(ctx, true)
	if errors.Is(err, ErrClosed) {
		return nil
	}
	h.use.Lock()
	defer h.use.Unlock()
	h.closed = true
	return errors.Join(err, h.drop())
}

// reopen opens the file if it is not open. The file is locked.
func (h *History) reopen(ctx context.Context) error {
	if h.disk != nil {
		return nil
	}
	d, err := openDisk(ctx, h.file, h.opt.maxPages)
	if sqlitefile.IsCorrupt(err) {
		h.disk = d
		if err = h.setAside(); err == nil {
			d, err = openDisk(ctx, h.file, h.opt.maxPages)
		}
	}
	if err != nil {
		return errors.Join(sqlitefile.Explain(err, "open "+h.file), d.close())
	}
	h.disk = d
	return nil
}

// drop closes the file.
func (h *History) drop() error {
	d := h.disk
	h.disk = nil
	return d.close()
}

// setAside renames a damaged file out of the way while it is still open, because
// SQLite deletes the log on closing. The next write makes a new one.
func (h *History) setAside() error {
	aside, err := sqlitefile.SetAside(h.file, time.Now())
	if err == nil {
		h.mu.Lock()
		h.status.SetAside = aside
		h.mu.Unlock()
		h.opt.Logger.Warn("a damaged file of rollups was set aside", slog.String("file", aside))
	}
	return errors.Join(err, h.drop())
}
