//go:build cgo

package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A DB is the open file of something that is written behind: one connection that
// writes, and some that read. It is there also where it could not be opened.
type DB struct {
	Write *sql.DB
	Read  *sql.DB
}

// Settings of a DB.
type Settings struct {
	Schema      string // what makes an empty file ours; it sets user_version to Version
	Version     int
	Synchronous string // what SQLite waits for: FULL survives a power cut
	LogBytes    int    // the log shrinks to so much
	MaxPages    int    // of the file; 0: any number
}

// maxReaders is how many connections of a DB read.
const maxReaders = 2

// Open opens a file, or makes it with its directory. The DB is there also with an
// error. It is not looked through: in a large file that would take too long, and
// damage shows when it is met.
func Open(ctx context.Context, file string, s Settings) (*DB, error) {
	busy := Busy(5 * time.Second)
	d := &DB{ // auto_vacuum only counts before the first table is made
		Write: Pool(file, 1, busy, "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous="+s.Synchronous,
			fmt.Sprint("journal_size_limit=", s.LogBytes), MaxPages(s.MaxPages)),
		Read: Pool(file, maxReaders, busy, "query_only=ON"),
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return d, err
	}
	return d, d.prepare(ctx, s)
}

// prepare makes the tables, or checks that they are ours.
func (d *DB) prepare(ctx context.Context, s Settings) error {
	return d.Transact(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		switch version {
		case 0:
			_, err := tx.ExecContext(ctx, s.Schema)
			return err
		case s.Version:
			return nil
		}
		return fmt.Errorf("its schema version is %d, this program knows %d: run the newer program again or move the file away", version, s.Version)
	})
}

// Transact runs f in a transaction.
func (d *DB) Transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Close closes all connections.
func (d *DB) Close() error {
	return errors.Join(d.Read.Close(), d.Write.Close())
}

// Explain adds where an error happened and what to do about it.
func Explain(err error, where string) error {
	advice := Advice(err, "--data-dir")
	if IsFull(err) {
		advice = "free space on this disk"
	}
	if advice != "" {
		advice = ": " + advice
	}
	return fmt.Errorf("%s: %w%s", where, err, advice)
}
