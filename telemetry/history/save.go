//go:build cgo

package history

import (
	"context"
	"database/sql"
	"fmt"

	"fleetfuse/internal/sqlitefile"
	"fleetfuse/telemetry/rollup"
)

// save writes rows, all or none. A row that is there already gets more buckets.
func (d *disk) save(ctx context.Context, batch waiting) error {
	if batch.rows == 0 {
		return nil
	}
	err := d.Transact(ctx, func(tx *sql.Tx) error {
		number, err := tx.PrepareContext(ctx, `INSERT INTO series (key, role) VALUES (?, ?)
			ON CONFLICT (key, role) DO UPDATE SET key = key RETURNING id`)
		if err != nil {
			return err
		}
		defer number.Close()
		put, err := tx.PrepareContext(ctx, `INSERT INTO minutes (minute, series, buckets) VALUES (?, ?, ?)
			ON CONFLICT (minute, series) DO UPDATE SET buckets = CAST(buckets || excluded.buckets AS BLOB)`)
		if err != nil {
			return err
		}
		defer put.Close()
		numbers := map[rollup.Series]int64{}
		for m, rows := range batch.minutes {
			for s, buckets := range rows {
				id, known := numbers[s]
				if !known {
					if err := number.QueryRowContext(ctx, string(s.Key), s.Role).Scan(&id); err != nil {
						return err
					}
					numbers[s] = id
				}
				if _, err := put.ExecContext(ctx, int64(m), id, buckets); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return sqlitefile.Explain(err, fmt.Sprintf("write %d rows of rollups", batch.rows))
	}
	return nil
}

// Pruning goes in steps, so that no write waits for long, and so many with a
// write that it keeps up with what a full table writes in a minute.
const (
	pruneStep  = 2000
	pruneSteps = 5
	freeStep   = 500 // pages given back to the disk
)

// prune deletes some of the rows before the young ones or, where the file is too large,
// the oldest.
func (d *disk) prune(ctx context.Context, latest, young rollup.Bucket, maxBytes int64) error {
	for range pruneSteps {
		size, err := d.bytes(ctx)
		if err != nil {
			return sqlitefile.Explain(err, "prune rollups")
		}
		limit := int64(minuteOf(young))
		if size > maxBytes {
			limit = int64(minuteOf(latest)) // any but the present
		}
		done, err := d.Write.ExecContext(ctx, `DELETE FROM minutes WHERE (minute, series) IN
			(SELECT minute, series FROM minutes WHERE minute < ? ORDER BY minute LIMIT ?)`, limit, pruneStep)
		if err != nil {
			return sqlitefile.Explain(err, "prune rollups")
		}
		n, err := done.RowsAffected()
		if n == 0 || err != nil {
			return err
		}
		if err := d.tidy(ctx); err != nil {
			return sqlitefile.Explain(err, "prune rollups")
		}
	}
	return nil
}

// tidy deletes some of the names that no row has any more and gives room back.
func (d *disk) tidy(ctx context.Context) error {
	for _, statement := range []string{
		fmt.Sprintf(`DELETE FROM series WHERE id IN (SELECT id FROM series s
			WHERE NOT EXISTS (SELECT 1 FROM minutes WHERE series = s.id) LIMIT %d)`, pruneStep),
		fmt.Sprintf("PRAGMA incremental_vacuum(%d)", freeStep),
	} {
		if _, err := d.Write.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// bytes is the room the rows take in the file.
func (d *disk) bytes(ctx context.Context) (int64, error) {
	var used, size int64
	err := d.Write.QueryRowContext(ctx, `SELECT page_count - freelist_count, page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&used, &size)
	return used * size, err
}
