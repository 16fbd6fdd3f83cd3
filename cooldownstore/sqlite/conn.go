//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"time"

	"fleetfuse/internal/sqlitefile"
)

const (
	maxReaders = 8
	// busyTimeout is how long a write waits for another process's, in steps:
	// inside a step SQLite does not hear that the context has ended.
	busyTimeout = 5 * time.Second
	busyStep    = 100 * time.Millisecond
)

// openPool returns a pool of at most size connections, each with these
// pragmas. It does not touch the file yet.
func openPool(file string, size int, pragmas ...string) *sql.DB {
	return sqlitefile.Pool(file, size, append([]string{sqlitefile.Busy(busyTimeout), "foreign_keys=ON"}, pragmas...)...)
}

// patiently does what another process may be in the way of, again and again
// until it is done, fails otherwise or has waited for long. Each attempt waits
// for a step itself.
func patiently(ctx context.Context, do func() error) error {
	for waited := time.Duration(0); ; waited += busyStep {
		err := do()
		if !isBusy(err) || waited >= busyTimeout || ctx.Err() != nil {
			return err
		}
	}
}

// begin starts a transaction that may write, when other processes let it.
func begin(ctx context.Context, db *sql.DB) (tx *sql.Tx, err error) {
	err = patiently(ctx, func() error {
		tx, err = db.BeginTx(ctx, nil)
		return err
	})
	return tx, err
}

// transact runs f in a transaction. Who holds the token of turn writes: two at
// once would only poll for SQLite's lock.
func transact(ctx context.Context, db *sql.DB, turn chan struct{}, f func(*sql.Tx) error) error {
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx, err := begin(ctx, db)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// openWriter opens the one connection that writes with a durability. Setting it
// up waits for other processes as long as patience; then begin does. Its log is
// copied into the file at 32 MiB, not at SQLite's 4: a batch over many old rows
// writes that much, and would wait for the copying each time. It does not stay
// long after a long reading kept it from being emptied.
func openWriter(file string, o options, patience time.Duration, durability ...string) *sql.DB {
	pragmas := append([]string{sqlitefile.Busy(patience), sqlitefile.MaxPages(o.maxPages), "journal_mode=WAL", "journal_size_limit=67108864", "wal_autocheckpoint=8000"}, durability...)
	return openPool(file, 1, append(pragmas, sqlitefile.Busy(busyStep))...)
}

func openReaders(file string) *sql.DB { return openPool(file, maxReaders, "query_only=ON") }

// openPools opens the file's three pools. Durability is a property of a
// connection, so each durability has one of its own.
func (s *Store) openPools(o options) {
	s.normal = openWriter(s.file, o, busyTimeout, "synchronous=NORMAL")
	// Without fullfsync macOS returns from fsync before the disk has it.
	s.full = openWriter(s.file, o, busyTimeout, "synchronous=FULL", "fullfsync=ON")
	s.read = openReaders(s.file)
}

func (s *Store) closePools() error {
	var first error
	for _, db := range []*sql.DB{s.read, s.normal, s.full} {
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
