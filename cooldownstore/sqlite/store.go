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
	lock     *os.File
	now      func() time.Time
	remote   func(path string) string

	read, normal, full *sql.DB
	writing            chan struct{} // holds a token while a transaction writes
	pruned             time.Time     // guarded by writing
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

// maxMoreBytes bounds the column of ours, in which texts are not cut.
const maxMoreBytes = 1 << 20

// columns selects what is known of a key beside its name, from tables that are
// joined to a row c of breaker_cooldowns. Other programs write there: what is too
// long or of another type, as in a shared file, does not leave the database.
var (
	columns = fmt.Sprintf(` iif(typeof(c.until_wall) IN ('real', 'integer'), c.until_wall, NULL), iif(octet_length(c.reason) <= %d, c.reason, NULL),
		iif(typeof(c.updated_at) IN ('real', 'integer'), c.updated_at, NULL), %s, c.shown, f.stamp, f.cleared, z.more`, cooldownstore.MaxSharedBytes, moreColumn)
	moreColumn  = fmt.Sprintf(`iif(octet_length(c.more) <= %d, c.more, NULL)`, maxMoreBytes)
	nameable    = `typeof(c.host) = 'text' AND octet_length(c.host) <= 512`
	overlaid    = `, EXISTS (SELECT 1 FROM breaker_overlays o WHERE o.host = k.host AND o.in_force = 1)`
	joinForeign = ` LEFT JOIN breaker_foreign f ON f.host = c.host AND f.until_wall = c.until_wall`
	loadQuery   = `SELECT k.host,` + columns + overlaid + ` FROM (SELECT ? AS host) k LEFT JOIN breaker_cooldowns c ON c.host = k.host` + joinForeign +
		` LEFT JOIN breaker_circuits z ON z.host = k.host`
)

// Load implements cooldownstore.Store.
func (s *Store) Load(ctx context.Context, key breaker.Key) (cooldownstore.Record, bool, error) {
	var w row
	host := cooldownstore.SharedName(key)
	err := w.scanLoaded(s.read.QueryRowContext(ctx, loadQuery, host))
	var overlays map[string][]ownOverlay
	if err == nil && w.overlaid {
		overlays, err = overlaysIn(ctx, s.read, overlaysOf, host)
	}
	if err != nil {
		return cooldownstore.Record{}, false, s.fail(ctx, "load "+string(key), err)
	}
	r := s.record(key, &w)
	addOverlays(&r, overlays[host])
	return r, !r.Snapshot.Empty(), nil
}

// Save implements cooldownstore.Store.
func (s *Store) Save(ctx context.Context, records []cooldownstore.Record, d cooldownstore.Durability) error {
	db := s.normal
	if d == cooldownstore.SurvivesPowerLoss {
		db = s.full
	}
	err := transact(ctx, db, s.writing, func(tx *sql.Tx) error { return s.saveAll(ctx, tx, records) })
	if err != nil {
		return s.fail(ctx, "save "+cooldownstore.Keys(records), err)
	}
	return nil
}

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
	err := transact(ctx, s.full, s.writing, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)
		return err
	})
	if err != nil {
		return s.fail(ctx, fmt.Sprintf("write %q", name), err)
	}
	return nil
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
		s.lock.Close()
	})
	return s.closeErr
}
