//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A Store is a SQLite file of breakers.
type Store struct {
	file     string
	setAside string
	lock     *os.File // nil for a shared file
	now      func() time.Time

	read, normal, full *sql.DB
	writing            chan struct{} // holds a token while a transaction writes
	seen               sightings

	closed   atomic.Bool
	closing  sync.Once
	closeErr error
}

var _ cooldownstore.Store = (*Store)(nil)

// SetAside is where Open put a damaged file, "" if it found none. What that
// file remembered is lost to this node until its peers tell it again: the
// operator should know.
func (s *Store) SetAside() string { return s.setAside }

// Kind implements cooldownstore.Store.
func (s *Store) Kind() string { return "sqlite" }

// columns selects what is known of the keys in k, see scanRow.
const columns = ` c.until_wall, c.reason, c.updated_at, c.more, f.stamp, f.cleared, z.more FROM k
	LEFT JOIN breaker_cooldowns c ON c.host = k.host
	LEFT JOIN breaker_foreign f ON f.host = c.host AND f.until_wall = c.until_wall
	LEFT JOIN breaker_circuits z ON z.host = k.host`

const (
	loadQuery = `WITH k(host) AS (VALUES (?)) SELECT k.host,` + columns
	eachQuery = `WITH k(host) AS (SELECT host FROM breaker_cooldowns UNION SELECT host FROM breaker_circuits)
	SELECT k.host,` + columns + ` WHERE typeof(k.host) = 'text'`
)

// Load implements cooldownstore.Store.
func (s *Store) Load(ctx context.Context, key breaker.Key) (cooldownstore.Record, bool, error) {
	host := rowName(key)
	row, err := scanRow(s.read.QueryRowContext(ctx, loadQuery, host))
	if err != nil {
		return cooldownstore.Record{}, false, s.fail(ctx, "load "+string(key), err)
	}
	r := s.record(key, row)
	return r, !r.Snapshot.Empty(), nil
}

// Each implements cooldownstore.Store. It shows the store as it was at the
// call. Rows that name no breaker are passed over.
func (s *Store) Each(ctx context.Context, yield func(cooldownstore.Record) bool) error {
	const op = "list records"
	rows, err := s.read.QueryContext(ctx, eachQuery)
	if err != nil {
		return s.fail(ctx, op, err)
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scanRow(rows)
		if err != nil {
			return s.fail(ctx, op, err)
		}
		key, ok := keyOf(row.host)
		if !ok {
			continue
		}
		r := s.record(key, row)
		if !r.Snapshot.Empty() && !yield(r) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return s.fail(ctx, op, err)
	}
	return nil
}

// Save implements cooldownstore.Store.
func (s *Store) Save(ctx context.Context, records []cooldownstore.Record, d cooldownstore.Durability) error {
	db := s.normal
	if d == cooldownstore.SurvivesPowerLoss {
		db = s.full
	}
	err := s.write(ctx, db, func(tx *sql.Tx) error { return s.saveAll(ctx, tx, records) })
	if err != nil {
		return s.fail(ctx, "save "+cooldownstore.Keys(records), err)
	}
	return nil
}

// News implements cooldownstore.Store.
func (s *Store) News(ctx context.Context, yield func(cooldownstore.Record) bool) error { return nil }

// Meta implements cooldownstore.Store.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = ?", name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", s.fail(ctx, fmt.Sprintf("read %q", name), err)
	}
	return value, nil
}

// SetMeta implements cooldownstore.Store.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	err := s.write(ctx, s.full, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)
		return err
	})
	if err != nil {
		return s.fail(ctx, fmt.Sprintf("write %q", name), err)
	}
	return nil
}

// write runs f in a transaction, one at a time in this process: two would only
// poll for SQLite's lock.
func (s *Store) write(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx, err := begin(ctx, db)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Close implements cooldownstore.Store. It waits for what is being written.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closed.Store(true)
		s.writing <- struct{}{} // never given back: who comes later finds the pools closed
		if err := s.closePools(); err != nil {
			s.closeErr = fmt.Errorf("close %s: %w", s.file, err)
		}
		<-s.writing
		if s.lock != nil {
			s.lock.Close()
		}
	})
	return s.closeErr
}
