//go:build cgo

package eventlog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-sqlite3"
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

// connector opens connections to one file that all run the same pragmas.
type connector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// openPool returns a pool of at most size connections, each with these pragmas.
// It does not touch the file yet.
func openPool(file string, size int, pragmas ...string) *sql.DB {
	pragmas = append([]string{fmt.Sprintf("busy_timeout=%d", busyTimeout.Milliseconds())}, pragmas...)
	d := &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		for _, p := range pragmas {
			if _, err := c.Exec("PRAGMA "+p, nil); err != nil {
				return fmt.Errorf("set %s: %w", p, err)
			}
		}
		return nil
	}}
	// As a URI, because a bare name would end at a question mark.
	uri := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_txlock=immediate"
	db := sql.OpenDB(connector{driver: d, dsn: uri})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db
}

// openStore opens a file, or makes it, and reads what was found in it. The store
// is there also with an error; it is then to be closed or set aside.
func openStore(ctx context.Context, file string, opt Options) (*store, found, error) {
	limit := "max_page_count=4294967294" // SQLite's own
	if opt.maxPages > 0 {
		limit = fmt.Sprintf("max_page_count=%d", opt.maxPages)
	}
	s := &store{file: file}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	// auto_vacuum only counts before the first table is made. The log is copied
	// into the file at 32 MiB, not at SQLite's 4: it waits for the disk then, and
	// pages that changed many times are copied once.
	s.write = openPool(file, 1, limit, "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=8000",
		"journal_size_limit=67108864")
	s.read = openPool(file, maxReaders, "query_only=ON")
	if err := check(ctx, s.write); err != nil {
		return s, found{}, err
	}
	if err := migrate(ctx, s.write); err != nil {
		return s, found{}, err
	}
	f, err := s.find(ctx)
	s.reserved = f.reserved
	return s, f, err
}

// check tells whether a file is fit for use.
func check(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if !strings.EqualFold(mode, "wal") {
		return fmt.Errorf("this file system gives no write-ahead log, or another program holds the file open without one "+
			"(its journal mode is %q): choose a local disk, or stop that program", mode)
	}
	return nil
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

// setAside renames a damaged file out of the way, with its log, closes it and
// returns its new name. SQLite can open it under that name, for what is left of
// it. It is renamed while it is open, because SQLite deletes the log on closing.
func (s *store) setAside(now time.Time) (string, error) {
	aside := s.file + ".corrupt-" + now.UTC().Format("20060102T150405.000000000Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(s.file+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("set the damaged file aside: %w", err)
		}
	}
	s.closePools() // says only that it is damaged
	return aside, nil
}
