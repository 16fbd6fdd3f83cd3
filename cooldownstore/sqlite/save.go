//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// keepForeign bounds what is remembered of other programs' deadlines: past
// ones for a day, and so many of one host.
const (
	keepForeign    = 24 * time.Hour
	maxForeignRows = 64
)

// The statements of a save, in the order of saver's fields.
var saveStatements = [...]string{
	loadQuery,
	`INSERT OR REPLACE INTO breaker_cooldowns (host, until_wall, reason, updated_at, author, detail, more, shown)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?2)`,
	`UPDATE breaker_cooldowns SET author = NULL, detail = NULL, more = ?, shown = ? WHERE host = ?`,
	`DELETE FROM breaker_cooldowns WHERE host = ?`,
	`INSERT OR REPLACE INTO breaker_circuits (host, state, until_wall, reason, updated_at, more)
		VALUES (?, ?, ?, ?, ?, ?)`,
	`DELETE FROM breaker_circuits WHERE host = ?`,
	`UPDATE breaker_foreign SET cleared = 1 WHERE host = ? AND stamp <= ?`,
}

// A saver writes records in one transaction.
type saver struct {
	store *Store
	tx    *sql.Tx
	now   time.Time

	find, putCooldowns, putMore, dropCooldowns, putCircuit, dropCircuit, cover *sql.Stmt
}

func (s *Store) saveAll(ctx context.Context, tx *sql.Tx, records []cooldownstore.Record) error {
	v := saver{store: s, tx: tx, now: s.now()}
	statements := []**sql.Stmt{
		&v.find, &v.putCooldowns, &v.putMore, &v.dropCooldowns, &v.putCircuit, &v.dropCircuit, &v.cover,
	}
	for i, to := range statements {
		stmt, err := tx.PrepareContext(ctx, saveStatements[i])
		if err != nil {
			return err
		}
		defer stmt.Close()
		*to = stmt
	}
	// The driver starts a goroutine for every statement that can be cancelled.
	// These take microseconds: looking between records is soon enough.
	statement := context.WithoutCancel(ctx)
	for _, r := range records {
		err := ctx.Err()
		if err == nil {
			err = v.save(statement, r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	return s.prune(statement, tx, v.now)
}

func (v *saver) save(ctx context.Context, r cooldownstore.Record) error {
	if len(r.Wall) != len(r.Snapshot.Cooldowns) {
		return fmt.Errorf("record has %d cooldowns and %d deadlines", len(r.Snapshot.Cooldowns), len(r.Wall))
	}
	host := cooldownstore.SharedName(r.Key)
	var found row
	if err := found.scanLoaded(v.find.QueryRowContext(ctx, host)); err != nil {
		return err
	}
	n, foreign := v.store.news(&found)
	if foreign {
		if err := v.remember(ctx, host, n); err != nil {
			return err
		}
	}
	if r.Snapshot.Clear != 0 {
		if _, err := v.cover.ExecContext(ctx, host, int64(r.Snapshot.Clear)); err != nil {
			return err
		}
	}
	if err := v.saveCooldowns(ctx, host, r, foreign && v.unread(n, r)); err != nil {
		return err
	}
	if err := v.saveOverlays(ctx, host, r, found.overlaid); err != nil {
		return err
	}
	return v.saveCircuit(ctx, host, r, found.circuit != nil)
}

// unread reports whether another program's deadline is one that the record
// does not take into account and would hide: a save then leaves it in the row.
func (v *saver) unread(n news, r cooldownstore.Record) bool {
	if !n.until.After(v.now) || n.cooldown.Stamp <= r.Snapshot.Clear {
		return false
	}
	for i, c := range r.Snapshot.Cooldowns {
		known := c.Setter == n.cooldown.Setter && c.Stamp == n.cooldown.Stamp
		if known || !n.until.After(r.Wall[i]) {
			return false
		}
	}
	return true
}

// remember notes when a deadline of another program was first met.
func (v *saver) remember(ctx context.Context, host string, n news) error {
	_, err := v.tx.ExecContext(ctx, "INSERT OR IGNORE INTO breaker_foreign (host, until_wall, stamp) VALUES (?, ?, ?)",
		host, n.untilWall, int64(n.cooldown.Stamp))
	if err != nil {
		return err
	}
	_, err = v.tx.ExecContext(ctx, `DELETE FROM breaker_foreign WHERE host = ?1 AND (until_wall < ?2 OR until_wall NOT IN
		(SELECT until_wall FROM breaker_foreign WHERE host = ?1 ORDER BY stamp DESC LIMIT ?3))`,
		host, cooldownstore.EpochSeconds(v.now.Add(-keepForeign)), maxForeignRows)
	return err
}

func (v *saver) saveCooldowns(ctx context.Context, host string, r cooldownstore.Record, keepRow bool) error {
	var more, shown any // NULL: nothing of ours
	longest := r.Longest()
	if longest >= 0 || r.Snapshot.Clear != 0 {
		text, err := cooldownstore.EncodeMore(cooldownstore.SharedWord{Record: r})
		if err != nil {
			return err
		}
		more, shown = text, 0.0
	}
	if longest >= 0 {
		shown = cooldownstore.EpochSeconds(r.Wall[longest])
	}
	var err error
	switch {
	case keepRow:
		_, err = v.putMore.ExecContext(ctx, more, shown, host)
	case more == nil:
		_, err = v.dropCooldowns.ExecContext(ctx, host)
	default:
		var c breaker.Cooldown
		if longest >= 0 {
			c = r.Snapshot.Cooldowns[longest]
		}
		_, err = v.putCooldowns.ExecContext(ctx, host, shown, string(c.Reason),
			cooldownstore.EpochSeconds(r.UpdatedAt), c.Author, c.Detail, more)
	}
	return err
}

func (v *saver) saveCircuit(ctx context.Context, host string, r cooldownstore.Record, there bool) error {
	c := r.Snapshot.Circuit
	if c == (breaker.Circuit{}) {
		if !there {
			return nil
		}
		_, err := v.dropCircuit.ExecContext(ctx, host)
		return err
	}
	b, err := json.Marshal(circuitOf(r))
	if err != nil {
		return err
	}
	_, err = v.putCircuit.ExecContext(ctx, host, c.State.String(), cooldownstore.EpochSeconds(r.Circuit.Until),
		string(c.Reason), cooldownstore.EpochSeconds(r.UpdatedAt), string(b))
	return err
}
