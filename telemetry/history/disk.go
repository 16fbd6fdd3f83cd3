//go:build cgo

package history

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"
)

// disk is the open file. A nil disk can be closed.
type disk struct {
	write *sql.DB // one connection
	read  *sql.DB
}

const (
	maxReaders    = 2
	schemaVersion = 1
)

// schema keeps a minute of a series in a row; series have numbers because their
// names would be most of the file.
const schema = `
CREATE TABLE series (
    id   INTEGER PRIMARY KEY,
    key  TEXT NOT NULL,          -- host:NAME or resolver:NAME
    role TEXT NOT NULL,          -- '' is the nameless role
    UNIQUE (key, role)
);
CREATE TABLE minutes (
    minute  INTEGER NOT NULL,    -- since 1970
    series  INTEGER NOT NULL,
    buckets BLOB NOT NULL,       -- up to six of 10 s: place in the minute, encoded counts
    PRIMARY KEY (minute, series)
) WITHOUT ROWID;
CREATE INDEX idx_minutes_series ON minutes (series, minute);
PRAGMA user_version = 1;`

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
	pragmas = append([]string{"busy_timeout=5000"}, pragmas...)
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

// openDisk opens a file, or makes it. The disk is there also with an error.
func openDisk(ctx context.Context, file string, maxPages int) (*disk, error) {
	if maxPages == 0 {
		maxPages = 4294967294 // SQLite's own limit
	}
	// auto_vacuum only counts before the first table is made.
	d := &disk{
		write: openPool(file, 1, "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "journal_size_limit=16777216",
			fmt.Sprintf("max_page_count=%d", maxPages)),
		read: openPool(file, maxReaders, "query_only=ON"),
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return d, err
	}
	return d, d.prepare(ctx)
}

// prepare makes the tables, or checks that they are ours.
func (d *disk) prepare(ctx context.Context) error {
	return d.transact(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		switch version {
		case 0:
			_, err := tx.ExecContext(ctx, schema)
			return err
		case schemaVersion: // a look through all of a large file would take too long; damage shows when it is met
			return nil
		}
		return fmt.Errorf("its schema version is %d, this program knows %d: run the newer program again or move the file away", version, schemaVersion)
	})
}

// transact runs f in a transaction.
func (d *disk) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (d *disk) close() error {
	if d == nil {
		return nil
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// renameDamaged gives a file and its log another name, under which SQLite can
// open it for what is left of it.
func renameDamaged(file string, now time.Time) (string, error) {
	aside := file + ".corrupt-" + now.UTC().Format("20060102T150405.000000000Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(file+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("set the damaged file aside: %w", err)
		}
	}
	return aside, nil
}

// isCorrupt reports whether the file is not, or no longer, a sound database.
func isCorrupt(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB)
}

// explain adds where an error happened and what to do about it.
func explain(err error, where string) error {
	advice := ""
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		switch e.Code {
		case sqlite3.ErrFull:
			advice = ": free space on this disk"
		case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen:
			advice = ": check that this user may write the file and its directory, or choose another --data-dir"
		case sqlite3.ErrIoErr:
			advice = ": check the disk (dmesg) and that the file system is local"
		case sqlite3.ErrBusy, sqlite3.ErrLocked:
			advice = ": another program holds it locked; find it (fuser)"
		}
	}
	return fmt.Errorf("%s: %w%s", where, err, advice)
}
