//go:build cgo

package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fleetfuse/internal/sqlitefile"
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

// openDisk opens a file, or makes it. The disk is there also with an error.
func openDisk(ctx context.Context, file string, maxPages int) (*disk, error) {
	busy := sqlitefile.Busy(5 * time.Second)
	d := &disk{ // auto_vacuum only counts before the first table is made
		write: sqlitefile.Pool(file, 1, busy, "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "journal_size_limit=16777216",
			sqlitefile.MaxPages(maxPages)),
		read: sqlitefile.Pool(file, maxReaders, busy, "query_only=ON"),
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

// explain adds where an error happened and what to do about it.
func explain(err error, where string) error {
	advice := sqlitefile.Advice(err, "--data-dir")
	if sqlitefile.IsFull(err) {
		advice = "free space on this disk"
	}
	if advice != "" {
		advice = ": " + advice
	}
	return fmt.Errorf("%s: %w%s", where, err, advice)
}
