//go:build cgo

package decisions

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fleetfuse/breaker"
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

const schema = `
CREATE TABLE decisions (
    id   TEXT PRIMARY KEY,
    at   INTEGER NOT NULL,       -- microseconds since 1970
    key  TEXT NOT NULL,          -- host:NAME, resolver:NAME, or '' for none
    kind TEXT NOT NULL,
    body BLOB NOT NULL           -- JSON
);
CREATE INDEX idx_decisions_at ON decisions (at, id);
CREATE INDEX idx_decisions_key ON decisions (key, at, id);
PRAGMA user_version = 1;`

// openDisk opens a file, or makes it. The disk is there also with an error. Records
// are few, so each write waits for the disk itself: they survive a power cut.
func openDisk(ctx context.Context, file string, maxPages int) (*disk, error) {
	busy := sqlitefile.Busy(5 * time.Second)
	d := &disk{ // auto_vacuum only counts before the first table is made
		write: sqlitefile.Pool(file, 1, busy, "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL", "journal_size_limit=4194304",
			sqlitefile.MaxPages(maxPages)),
		read: sqlitefile.Pool(file, maxReaders, busy, "query_only=ON"),
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return d, err
	}
	return d, d.prepare(ctx)
}

// prepare makes the table, or checks that it is ours.
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
		case schemaVersion:
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

// save writes records, all or none, and deletes what is older than a time or, beyond
// a number, the oldest. What is there already stays as it is.
func (d *disk) save(ctx context.Context, batch []Record, before time.Time, most int) error {
	err := d.transact(ctx, func(tx *sql.Tx) error {
		put, err := tx.PrepareContext(ctx, "INSERT INTO decisions (id, at, key, kind, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING")
		if err != nil {
			return err
		}
		defer put.Close()
		for i := range batch {
			r := &batch[i]
			if _, err := put.ExecContext(ctx, r.ID, r.At.UnixMicro(), string(r.Key), r.Kind, r.Body); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM decisions WHERE at < ?", before.UnixMicro()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM decisions WHERE id IN
			(SELECT id FROM decisions ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?)`, most)
		return err
	})
	if err != nil {
		return explain(err, fmt.Sprintf("write %d records of decisions", len(batch)))
	}
	return nil
}

// tidy gives room back to the disk.
func (d *disk) tidy(ctx context.Context) error {
	if _, err := d.write.ExecContext(ctx, "PRAGMA incremental_vacuum(500)"); err != nil {
		return explain(err, "give room back")
	}
	return nil
}

// each reads the newest records of a key, or of all with "", since a time, until it
// is told to end.
func (d *disk) each(ctx context.Context, key breaker.Key, since time.Time, limit int, each func(Record) (more bool)) error {
	where, args := "at >= ?", []any{since.UnixMicro()}
	if key != "" {
		where, args = "key = ? AND at >= ?", []any{string(key), since.UnixMicro()}
	}
	rows, err := d.read.QueryContext(ctx, "SELECT id, at, key, kind, body FROM decisions WHERE "+where+
		" ORDER BY at DESC, id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return explain(err, "read decisions")
	}
	defer rows.Close()
	for rows.Next() {
		var r Record
		var at int64
		if err := rows.Scan(&r.ID, &at, &r.Key, &r.Kind, &r.Body); err != nil {
			return explain(err, "read decisions")
		}
		r.At = time.UnixMicro(at).UTC()
		if !each(r) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return explain(err, "read decisions")
	}
	return nil
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
