//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
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

// begin starts a transaction that may write, when other processes let it.
func begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	for waited := time.Duration(0); ; waited += busyStep {
		tx, err := db.BeginTx(ctx, nil)
		e, ok := errors.AsType[sqlite3.Error](err)
		if !ok || e.Code != sqlite3.ErrBusy || waited >= busyTimeout || ctx.Err() != nil {
			return tx, err
		}
	}
}

// openPools opens the file's three pools. Durability is a property of a
// connection, so each durability has one of its own.
func (s *Store) openPools(o options) {
	const wal = "journal_mode=WAL"
	limit := "max_page_count=4294967294" // SQLite's own
	if o.maxPages > 0 {
		limit = fmt.Sprintf("max_page_count=%d", o.maxPages)
	}
	s.normal = openPool(s.file, 1, limit, wal, "synchronous=NORMAL", busy(busyStep))
	// Without fullfsync macOS returns from fsync before the disk has it.
	s.full = openPool(s.file, 1, limit, wal, "synchronous=FULL", "fullfsync=ON", busy(busyStep))
	s.read = openPool(s.file, maxReaders, "query_only=ON")
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
