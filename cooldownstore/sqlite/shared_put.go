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

const (
	// maxPut bounds the words of a transaction: others wait for it.
	maxPut = 1000
	// Rows of ours that ran out are deleted a while later, in case the clock
	// was wrong: now and then, and so many at a time.
	pruneShared = time.Minute
	keepExpired = time.Hour
	putShared   = `INSERT INTO breaker_cooldowns (host, until_wall, reason, updated_at, author, detail, more, shown, expires_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?2, ?8) ON CONFLICT (host) DO UPDATE SET until_wall = ?2, reason = ?3, updated_at = ?4,
		author = ?5, detail = ?6, more = ?7, shown = ?2, expires_at = ?8`
	dropSharedExpired = `DELETE FROM breaker_cooldowns WHERE host IN
		(SELECT host FROM breaker_cooldowns WHERE shown IS until_wall AND expires_at < ? LIMIT ?)`
)

// Put implements cooldownstore.Shared. Words are written a thousand at a time.
func (s *Shared) Put(ctx context.Context, words []cooldownstore.SharedWord) error {
	err := s.usable(ctx)
	for _, w := range words {
		if err == nil && !cooldownstore.Sharable(w.Key) {
			err = fmt.Errorf("%q: %w", w.Key, breaker.ErrBadKey)
		}
	}
	for from := 0; err == nil && from < len(words); from += maxPut {
		batch := words[from:min(from+maxPut, len(words))]
		err = s.with(ctx, func(p *sharedFile) error {
			return transact(ctx, p.write, s.writing, func(tx *sql.Tx) error { return s.putAll(ctx, tx, batch) })
		})
	}
	if err != nil {
		return s.fail(ctx, "put "+cooldownstore.SharedKeys(words), err)
	}
	return nil
}

func (s *Shared) putAll(ctx context.Context, tx *sql.Tx, words []cooldownstore.SharedWord) error {
	find, err := tx.PrepareContext(ctx, findShared)
	if err != nil {
		return err
	}
	defer find.Close()
	put, err := tx.PrepareContext(ctx, putShared)
	if err != nil {
		return err
	}
	defer put.Close()
	now := s.opt.now() // after other writers: what they wrote is dated before
	// The driver starts a goroutine for every statement that can be cancelled.
	// These take microseconds: looking between words is soon enough.
	statement := context.WithoutCancel(ctx)
	for _, w := range words {
		err := ctx.Err()
		if err == nil {
			err = s.putOne(statement, find, put, w, now)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.Key, err)
		}
	}
	return s.prune(statement, tx, now)
}

func (s *Shared) putOne(ctx context.Context, find, put *sql.Stmt, w cooldownstore.SharedWord, now time.Time) error {
	host := cooldownstore.SharedName(w.Key)
	r, err := found(ctx, find, host)
	if err != nil {
		return err
	}
	there, left, _ := r.read(now) // what cannot be read is overwritten
	v, ttl, err := s.values.WriteRow(w, there, left, now)
	if err != nil || ttl <= 0 {
		return err
	}
	_, err = put.ExecContext(ctx, host, v.UntilWall, v.Reason, v.UpdatedAt, v.Author, v.Detail, v.More,
		cooldownstore.EpochSeconds(now.Add(ttl)))
	return err
}

// prune deletes rows of ours that ran out. Rows of other programs are theirs to
// delete.
func (s *Shared) prune(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if since := now.Sub(s.pruned); since >= 0 && since < pruneShared {
		return nil
	}
	done, err := tx.ExecContext(ctx, dropSharedExpired, cooldownstore.EpochSeconds(now.Add(-keepExpired)), maxPruned)
	if err != nil {
		return fmt.Errorf("delete what ran out: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n < maxPruned {
		s.pruned = now
	}
	return nil
}
