//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// What nobody needs any more is deleted with a save, now and then and so much
// at a time, long after it ended in case the clock was wrong, and not soon after
// the start, when it may not be set yet. A node deletes what it forgets; this is for what ended while it was down, and for other
// programs' deadlines, of which only what we noted is deleted.
const (
	pruneEvery = time.Hour
	keepPast   = 24 * time.Hour
	maxPruned  = 1000
)

// pruneStatements have the time before which deadlines are long past (?1),
// that before which nothing written can still count, not even a clear (?2), a
// stamp of that time (?3), how many to delete (?4) and the time before which an
// overlay that is not in force any more is no history (?5).
var pruneStatements = [...]string{
	`DELETE FROM breaker_cooldowns WHERE host IN (SELECT host FROM breaker_cooldowns
		WHERE shown IS until_wall AND updated_at < ?1 AND (updated_at < ?2 OR until_wall > 0 AND until_wall < ?1
		AND CASE WHEN json_valid(more) THEN json_extract(more, '$.clear') IS NULL END) LIMIT ?4)`,
	`DELETE FROM breaker_circuits WHERE host IN (SELECT host FROM breaker_circuits
		WHERE updated_at < ?1 AND (updated_at < ?2 OR state <> 'closed' AND until_wall < ?1) LIMIT ?4)`,
	`DELETE FROM breaker_foreign WHERE (host, until_wall) IN (SELECT host, until_wall FROM breaker_foreign f
		WHERE until_wall < ?1 OR stamp < ?3 AND NOT EXISTS
		(SELECT 1 FROM breaker_cooldowns c WHERE c.host = f.host AND c.until_wall = f.until_wall) LIMIT ?4)`,
	`DELETE FROM breaker_overlays WHERE (host, register, version) IN (SELECT host, register, version FROM breaker_overlays
		WHERE in_force = 0 AND ended_wall < ?5 OR kept_wall > 0 AND kept_wall < ?1 AND version < ?3 LIMIT ?4)`,
}

// prune deletes a part of what is long past, if it is time to.
func (s *Store) prune(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if since := now.Sub(s.pruned); since >= 0 && since < pruneEvery {
		return nil
	}
	dead := now.Add(-breaker.KeepClear - keepPast)
	past := cooldownstore.EpochSeconds(now.Add(-keepPast))
	more := false
	history := cooldownstore.EpochSeconds(now.Add(-cooldownstore.KeepPastOverlays))
	for _, statement := range pruneStatements {
		done, err := tx.ExecContext(ctx, statement, past, cooldownstore.EpochSeconds(dead), int64(breaker.StampAt(dead)), maxPruned, history)
		if err != nil {
			return fmt.Errorf("delete what is long past: %w", err)
		}
		n, err := done.RowsAffected()
		more = more || err == nil && n == maxPruned
	}
	if !more {
		s.pruned = now
	}
	return nil
}
