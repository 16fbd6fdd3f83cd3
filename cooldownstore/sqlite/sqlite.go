// Package sqlite keeps cooldowns in DIR/state.db, one node to a directory.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	_ "github.com/mattn/go-sqlite3" // registers the driver

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// Store implements cooldownstore.Store.
type Store struct {
	path     string
	lock     *os.File
	evidence *sql.DB // synchronous=NORMAL
	words    *sql.DB // synchronous=FULL
	setAside string
	closed   atomic.Bool
}

// Open opens or makes dir/state.db. A corrupt file is set aside (SetAside) and
// a fresh one made. Errors wrap ErrLocked where another node has the directory
// and ErrNewerSchema where a newer program wrote it.
func Open(ctx context.Context, dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w; give a writable --data-dir", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{path: filepath.Join(dir, "state.db"), lock: lock}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	err := s.connect(ctx)
	if err == nil || errors.Is(err, cooldownstore.ErrNewerSchema) || !corrupt(err) {
		return err
	}
	s.disconnect()
	s.setAside = s.path + ".corrupt-" + time.Now().UTC().Format("20060102T150405")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(s.path+suffix, s.setAside+suffix); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("set the corrupt %s aside: %w", s.path, err)
		}
	}
	return s.connect(ctx)
}

// errQuickCheck is what PRAGMA quick_check found.
var errQuickCheck = errors.New("quick_check")

func corrupt(err error) bool {
	return errors.Is(err, errQuickCheck) || strings.Contains(err.Error(), "malformed") ||
		strings.Contains(err.Error(), "not a database")
}

func (s *Store) connect(ctx context.Context) (err error) {
	if s.evidence, err = connect(s.path, "NORMAL"); err != nil {
		return err
	}
	if s.words, err = connect(s.path, "FULL"); err != nil {
		return err
	}
	var verdict string
	if err := s.words.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return fmt.Errorf("open %s: %w", s.path, err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w of %s: %s", errQuickCheck, s.path, verdict)
	}
	return migrate(ctx, s.words, s.path)
}

// connect opens one connection, so that writers queue in the process instead
// of fighting over the file's lock.
func connect(path, synchronous string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+escape(path)+
		"?_journal_mode=WAL&_busy_timeout=5000&_txlock=immediate&_synchronous="+synchronous)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// escape keeps a path with ? # or % from being read as a URL.
func escape(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// SetAside is where a corrupt file went, "" if there was none.
func (s *Store) SetAside() string { return s.setAside }

// Kind implements cooldownstore.Store.
func (s *Store) Kind() string { return "sqlite" }

// failed names the operation; after Close the reason is ErrClosed.
func (s *Store) failed(what string, err error) error {
	if s.closed.Load() {
		err = cooldownstore.ErrClosed
	}
	return fmt.Errorf("%s in %s: %w", what, s.path, err)
}

const selectAll = `SELECT h.host, COALESCE(d.until_wall, 0), COALESCE(d.reason, ''), COALESCE(d.updated_at, c.updated_at),
	COALESCE(d.more, ''), COALESCE(c.circuit, ''), d.host IS NOT NULL
	FROM (SELECT host FROM breaker_cooldowns UNION SELECT host FROM breaker_circuits) h
	LEFT JOIN breaker_cooldowns d ON d.host = h.host LEFT JOIN breaker_circuits c ON c.host = h.host`

// Load implements cooldownstore.Store.
func (s *Store) Load(ctx context.Context, key breaker.Key) (r cooldownstore.Record, ok bool, err error) {
	err = s.query(ctx, func(found cooldownstore.Record) bool {
		r, ok = found, true
		return false
	}, selectAll+` WHERE h.host = ?`, hostColumn(key))
	return r, ok, err
}

// Each implements cooldownstore.Store.
func (s *Store) Each(ctx context.Context, yield func(cooldownstore.Record) bool) error {
	return s.query(ctx, yield, selectAll)
}

func (s *Store) query(ctx context.Context, yield func(cooldownstore.Record) bool, query string, args ...any) error {
	rows, err := s.words.QueryContext(ctx, query, args...)
	if err != nil {
		return s.failed("list", err)
	}
	defer rows.Close()
	for rows.Next() {
		var host, reason, text, circuit string
		var until, updated float64
		var cooled bool
		if err := rows.Scan(&host, &until, &reason, &updated, &text, &circuit, &cooled); err != nil {
			return s.failed("list", err)
		}
		r := cooldownstore.Record{Key: keyOf(host)}
		if cooled {
			err = decodeCooldowns(&r, until, updated, reason, text)
		}
		if err == nil && circuit != "" {
			err = decodeCircuit(&r, circuit)
		}
		if err != nil {
			return s.failed("read", err)
		}
		if !yield(r) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return s.failed("list", err)
	}
	return nil
}

// Save implements cooldownstore.Store.
func (s *Store) Save(ctx context.Context, records []cooldownstore.Record, d cooldownstore.Durability) error {
	db := s.evidence
	if d == cooldownstore.SurvivesPowerLoss {
		db = s.words
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return s.failed("save", err)
	}
	defer tx.Rollback()
	for i := range records {
		if err := save(ctx, tx, &records[i]); err != nil {
			return s.failed("save "+string(records[i].Key), err)
		}
	}
	if err := tx.Commit(); err != nil {
		return s.failed("save", err)
	}
	return nil
}

func save(ctx context.Context, tx *sql.Tx, r *cooldownstore.Record) error {
	host, updated := hostColumn(r.Key), seconds(r.UpdatedAt)
	if len(r.Snapshot.Cooldowns) == 0 && r.Snapshot.Clear == 0 {
		if _, err := tx.ExecContext(ctx, `DELETE FROM breaker_cooldowns WHERE host = ?`, host); err != nil {
			return err
		}
	} else {
		until, reason, text, err := encodeCooldowns(r)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO breaker_cooldowns (host, until_wall, reason, updated_at, more)
			VALUES (?, ?, ?, ?, ?)`, host, until, reason, updated, string(text)); err != nil {
			return err
		}
	}
	if (r.Snapshot.Circuit == breaker.Circuit{}) {
		_, err := tx.ExecContext(ctx, `DELETE FROM breaker_circuits WHERE host = ?`, host)
		return err
	}
	text, err := encodeCircuit(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO breaker_circuits (host, updated_at, circuit) VALUES (?, ?, ?)`,
		host, updated, string(text))
	return err
}

// Meta implements cooldownstore.Store.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	var value string
	err := s.words.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", s.failed("read "+name, err)
	}
	return value, nil
}

// SetMeta implements cooldownstore.Store.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	if _, err := s.words.ExecContext(ctx, `INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)`, name, value); err != nil {
		return s.failed("write "+name, err)
	}
	return nil
}

func (s *Store) disconnect() error {
	var errs []error
	for _, db := range []*sql.DB{s.evidence, s.words} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Close implements cooldownstore.Store.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	err := s.disconnect()
	return errors.Join(err, s.lock.Close()) // closing the file releases the lock
}
