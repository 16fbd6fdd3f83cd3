//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	maxReaders = 8
	// busyTimeout is how long a write waits for another process's, in steps:
	// inside a step SQLite does not hear that the context has ended.
	busyTimeout = 5 * time.Second
	busyStep    = 100 * time.Millisecond
)

// connector opens connections to one file that all run the same pragmas.
type connector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// openPool returns a pool of at most size connections, each with these
// pragmas. It does not touch the file yet.
func openPool(file string, size int, pragmas ...string) *sql.DB {
	pragmas = append([]string{busy(busyTimeout), "foreign_keys=ON"}, pragmas...)
	d := &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		for _, p := range pragmas {
			if _, err := c.Exec("PRAGMA "+p, nil); err != nil {
				return fmt.Errorf("set %s: %w", p, err)
			}
		}
		return nil
	}}
	// As a URI, because a bare name would end at a question mark. Every
	// transaction locks for writing at its start: one that began by reading
	// could not wait for another writer, only fail.
	uri := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_txlock=immediate"
	db := sql.OpenDB(connector{driver: d, dsn: uri})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db
}

func busy(d time.Duration) string { return fmt.Sprintf("busy_timeout=%d", d.Milliseconds()) }

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
	limit := "max_page_count=4294967294" // SQLite's own
	if o.maxPages > 0 {
		limit = fmt.Sprintf("max_page_count=%d", o.maxPages)
	}
	pragmas := append([]string{busy(patience), limit, "journal_mode=WAL", "journal_size_limit=67108864", "wal_autocheckpoint=8000"}, durability...)
	return openPool(file, 1, append(pragmas, busy(busyStep))...)
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
