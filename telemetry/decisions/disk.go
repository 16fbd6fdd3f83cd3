//go:build cgo

package decisions

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/internal/sqlitefile"
)

// disk is the open file. A nil disk can be closed.
type disk struct{ *sqlitefile.DB }

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
	db, err := sqlitefile.Open(ctx, file, sqlitefile.Settings{
		Schema: schema, Version: 1, Synchronous: "FULL", LogBytes: 4 << 20, MaxPages: maxPages,
	})
	return &disk{db}, err
}

// save writes records, all or none, and deletes what is older than a time or, beyond
// a number, the oldest. What is there already stays as it is.
func (d *disk) save(ctx context.Context, batch []Record, before time.Time, most int) error {
	err := d.Transact(ctx, func(tx *sql.Tx) error {
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
		return sqlitefile.Explain(err, fmt.Sprintf("write %d records of decisions", len(batch)))
	}
	return nil
}

// tidy gives room back to the disk.
func (d *disk) tidy(ctx context.Context) error {
	if _, err := d.Write.ExecContext(ctx, "PRAGMA incremental_vacuum(500)"); err != nil {
		return sqlitefile.Explain(err, "give room back")
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
	rows, err := d.Read.QueryContext(ctx, "SELECT id, at, key, kind, body FROM decisions WHERE "+where+
		" ORDER BY at DESC, id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return sqlitefile.Explain(err, "read decisions")
	}
	defer rows.Close()
	for rows.Next() {
		var r Record
		var at int64
		if err := rows.Scan(&r.ID, &at, &r.Key, &r.Kind, &r.Body); err != nil {
			return sqlitefile.Explain(err, "read decisions")
		}
		r.At = time.UnixMicro(at).UTC()
		if !each(r) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return sqlitefile.Explain(err, "read decisions")
	}
	return nil
}

func (d *disk) close() error {
	if d == nil {
		return nil
	}
	return d.Close()
}
