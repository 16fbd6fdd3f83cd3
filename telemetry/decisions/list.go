//go:build cgo

package decisions

import (
	"context"
	"errors"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/internal/sqlitefile"
)

// How many records List returns: where none are named, and at most.
const (
	defaultList = 100
	MaxList     = 1000
)

// ErrNoDisk is returned by List while there is no file.
var ErrNoDisk = errors.New("the decisions on disk cannot be read")

// List returns the records of a key, or of all with "", that are not older than
// since, the newest first; at most limit, 100 if that is zero. What waits in memory
// is listed also where the disk fails, with its error.
func (l *Log) List(ctx context.Context, key breaker.Key, since time.Time, limit int) ([]Record, error) {
	if limit <= 0 {
		limit = defaultList
	}
	limit = min(limit, MaxList)
	since = l.kept(since)
	l.use.RLock()
	defer l.use.RUnlock()
	if l.closed {
		return nil, ErrClosed
	}
	l.mu.Lock()
	list, trouble := l.waiting.find(key, since), l.status.Trouble
	l.mu.Unlock()
	var err error
	switch {
	case l.file == "":
	case l.disk == nil:
		err = errors.Join(ErrNoDisk, trouble)
	default:
		var written []Record
		err = l.disk.each(ctx, key, since, limit, func(r Record) bool {
			written = append(written, r)
			return true
		})
		list = joined(written, list)
		l.heed(err)
	}
	newestFirst(list)
	return list[:min(len(list), limit)], err
}

// Each hands out every record since a time, one at a time, as all of them may be
// much; those on disk the newest first, after those that wait. One that is both may
// come twice. It ends when each says so. each must not call the Log.
func (l *Log) Each(ctx context.Context, since time.Time, each func(Record) (more bool)) error {
	since = l.kept(since)
	l.use.RLock()
	defer l.use.RUnlock()
	if l.closed {
		return ErrClosed
	}
	l.mu.Lock()
	list, trouble := l.waiting.find("", since), l.status.Trouble
	l.mu.Unlock()
	newestFirst(list)
	for _, r := range list {
		if !each(r) {
			return nil
		}
	}
	switch {
	case l.file == "":
		return nil
	case l.disk == nil:
		return errors.Join(ErrNoDisk, trouble)
	}
	err := l.disk.each(ctx, "", since, l.opt.MaxRecords, each)
	l.heed(err)
	return err
}

// kept is a time since which records are kept, as the times of records are.
func (l *Log) kept(since time.Time) time.Time {
	if oldest := l.opt.Now().Add(-l.opt.Keep); since.Before(oldest) {
		since = oldest
	}
	return since.Add(time.Microsecond - 1).Truncate(time.Microsecond)
}

// joined adds what waits to what is written: that of an ID which is both is what
// was there first.
func joined(written, waiting []Record) []Record {
	known := make(map[string]bool, len(written))
	for i := range written {
		known[written[i].ID] = true
	}
	for _, r := range waiting {
		if !known[r.ID] {
			written = append(written, r)
		}
	}
	return written
}

// heed has a file that is damaged set aside by the writer.
func (l *Log) heed(err error) {
	if !sqlitefile.IsCorrupt(err) {
		return
	}
	l.mu.Lock()
	l.damaged = true
	l.mu.Unlock()
	l.ring()
}
