//go:build cgo

package eventlog

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"fleetfuse/internal/sqlitefile"
)

const (
	maxReaders  = 4 // a thousand readers of the disk take turns
	busyTimeout = 5 * time.Second
)

// A store is one file.
type store struct {
	file     string
	write    *sql.DB // one connection
	read     *sql.DB
	reserved uint64
	pages    pages

	// Reading is held while reading: a damaged file is not closed under a reader,
	// whose connection would later delete the log of the file in its place.
	reading sync.RWMutex
	closed  bool
	ctx     context.Context // of reading, ends when the file is to be closed
	cancel  context.CancelFunc
}

// openStore opens a file, or makes it, and reads what was found in it. The store
// is there also with an error; it is then to be closed or set aside.
func openStore(ctx context.Context, file string, opt Options) (*store, found, error) {
	s := &store{file: file}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	// auto_vacuum only counts before the first table is made. The log is copied
	// into the file at 32 MiB, not at SQLite's 4: it waits for the disk then, and
	// pages that changed many times are copied once.
	s.write = sqlitefile.Pool(file, 1, sqlitefile.Busy(busyTimeout), sqlitefile.MaxPages(opt.maxPages), "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=8000",
		"journal_size_limit=67108864")
	s.read = sqlitefile.Pool(file, maxReaders, sqlitefile.Busy(busyTimeout), "query_only=ON")
	if err := sqlitefile.CheckLog(ctx, s.write); err != nil {
		return s, found{}, err
	}
	if err := migrate(ctx, s.write); err != nil {
		return s, found{}, err
	}
	f, err := s.find(ctx)
	s.reserved = f.reserved
	return s, f, err
}

// transact runs f in a transaction that nothing interrupts: it is short, and a
// context would cost a goroutine for each row.
func (s *store) transact(f func(*sql.Tx) error) error {
	tx, err := s.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// hold keeps the file open until release is called.
func (s *store) hold() (release func(), err error) {
	s.reading.RLock()
	if s.closed {
		s.reading.RUnlock()
		return nil, errStoreClosed
	}
	return s.reading.RUnlock, nil
}

// errStoreClosed is returned to who came to read when the file was closed.
var errStoreClosed = errors.New("the file is closed")

// closePools waits for who reads.
func (s *store) closePools() error {
	s.cancel()
	s.reading.Lock()
	defer s.reading.Unlock()
	s.closed = true
	return errors.Join(s.read.Close(), s.write.Close())
}

// setAside renames a damaged file out of the way, closes it and returns its new
// name.
func (s *store) setAside(now time.Time) (string, error) {
	aside, err := sqlitefile.SetAside(s.file, now)
	if err != nil {
		return "", err
	}
	s.closePools() // says only that it is damaged
	return aside, nil
}
