//go:build cgo

package sqlitefile

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
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

// Pool returns a pool of at most size connections, each with these pragmas, in
// their order. It does not touch the file yet.
func Pool(file string, size int, pragmas ...string) *sql.DB {
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

// Busy is the pragma for how long a connection waits for another one's lock.
func Busy(d time.Duration) string { return fmt.Sprintf("busy_timeout=%d", d.Milliseconds()) }

// MaxPages is the pragma for how large the file may become; zero is SQLite's own
// limit.
func MaxPages(pages int) string {
	if pages == 0 {
		return "max_page_count=4294967294"
	}
	return fmt.Sprintf("max_page_count=%d", pages)
}

// CheckLog tells whether a file has a write-ahead log, as its pragmas asked for.
func CheckLog(ctx context.Context, db *sql.DB) error {
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
