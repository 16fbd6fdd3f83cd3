//go:build cgo

package decisions

import (
	"context"
	"errors"
	"log/slog"

	"fleetfuse/internal/sqlitefile"
)

// Flush writes all that waits, now, and deletes what is too old or too much. What
// could not be written waits on.
func (l *Log) Flush(ctx context.Context) error {
	l.use.Lock()
	defer l.use.Unlock()
	if l.closed {
		return ErrClosed
	}
	if l.file == "" {
		return nil
	}
	err := l.write(ctx)
	if sqlitefile.IsCorrupt(err) {
		if aside := l.setAside(); aside != nil {
			err = errors.Join(err, aside)
		} else {
			err = l.write(ctx)
		}
	}
	l.noted(err)
	return err
}

// write tries once. The file is locked.
func (l *Log) write(ctx context.Context) error {
	l.mu.Lock()
	batch, damaged := l.waiting.all(), l.damaged
	l.mu.Unlock()
	if damaged && l.disk != nil {
		if err := l.setAside(); err != nil {
			return err
		}
	}
	if err := l.reopen(ctx); err != nil {
		return err
	}
	before := l.opt.Now().Add(-l.opt.Keep)
	for {
		some := batch[:min(len(batch), chunk)]
		if err := l.disk.save(ctx, some, before, l.opt.MaxRecords); err != nil {
			return err
		}
		l.written(some)
		if batch = batch[len(some):]; len(batch) == 0 {
			return l.disk.tidy(ctx)
		}
	}
}

// chunk is how many records go to the disk at once, so that a slow one gets on.
const chunk = 200

// written drops from memory what is on disk.
func (l *Log) written(batch []Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range batch {
		if _, waits := l.waiting.records[batch[i].ID]; waits { // else it was dropped meanwhile
			l.waiting.remove(batch[i].ID)
		}
	}
}

// noted remembers how the disk does and says when that changes. The file is locked,
// so one call is made after the other.
func (l *Log) noted(err error) {
	l.mu.Lock()
	was := l.status.Trouble
	l.status.Trouble = err
	if was == nil && err != nil {
		l.status.Since = l.opt.Now()
	}
	l.mu.Unlock()
	if (was == nil) == (err == nil) {
		return
	}
	s := l.Status()
	if err != nil {
		l.opt.Logger.Warn("decisions of the tuner cannot be written; they wait in memory", slog.Any("error", err))
	} else {
		l.opt.Logger.Info("decisions of the tuner are written again",
			slog.Time("since", s.Since), slog.Int("waiting", s.Waiting), slog.Uint64("dropped", s.Dropped))
	}
	if l.opt.OnStatus != nil {
		l.opt.OnStatus(s)
	}
}

// reopen opens the file if it is not open. The file is locked.
func (l *Log) reopen(ctx context.Context) error {
	if l.disk != nil {
		return nil
	}
	d, err := openDisk(ctx, l.file, l.opt.maxPages)
	if sqlitefile.IsCorrupt(err) {
		l.disk = d
		if err = l.setAside(); err == nil {
			d, err = openDisk(ctx, l.file, l.opt.maxPages)
		}
	}
	if err != nil {
		return errors.Join(sqlitefile.Explain(err, "open "+l.file), d.close())
	}
	l.disk = d
	return nil
}

// drop closes the file.
func (l *Log) drop() error {
	d := l.disk
	l.disk = nil
	return d.close()
}

// setAside renames a damaged file out of the way while it is still open, because
// SQLite deletes the log on closing. The next write makes a new one.
func (l *Log) setAside() error {
	aside, err := sqlitefile.SetAside(l.file, l.opt.Now())
	if err == nil {
		l.mu.Lock()
		l.status.SetAside, l.damaged = aside, false
		l.mu.Unlock()
		l.opt.Logger.Warn("a damaged file of the tuner's decisions was set aside", slog.String("file", aside))
	}
	return errors.Join(err, l.drop())
}
