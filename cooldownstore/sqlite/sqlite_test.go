package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
	"fleetfuse/cooldownstore/storetest"
)

func open(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) cooldownstore.Store { return open(t, t.TempDir()) })
}

// alter runs SQL on the file of a closed store.
func alter(t *testing.T, dir, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestForeignRows(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	wall := time.Unix(1_700_000_000, 0)
	for host, until := range map[string]float64{"good": 1_700_000_060, "cleared": 0, "negative": -5, "huge": 1e300} {
		alter(t, dir, `INSERT INTO breaker_cooldowns (host, until_wall, reason, updated_at) VALUES (?, ?, 'by hand', ?)`,
			host, until, 1_700_000_000.0)
	}
	s := open(t, dir)
	for host, want := range map[string]time.Duration{"good": time.Minute, "cleared": 0, "negative": 0, "huge": breaker.MaxOpen} {
		r, ok, err := s.Load(t.Context(), breaker.HostKey(host))
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", host, ok, err)
		}
		snap := r.ToSnapshot(1, wall)
		got := snap.At(1)
		if got.Until.Sub(1) != want && want != 0 || want == 0 && got.State != breaker.Closed {
			t.Errorf("%s: %+v; want %v remaining", host, got, want)
		}
	}
}

func TestCorruptFileIsSetAside(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state.db"), []byte("this is no database, and long enough to be read as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if _, err := os.Stat(s.SetAside()); err != nil {
		t.Errorf("SetAside = %q: %v", s.SetAside(), err)
	}
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	alter(t, dir, `PRAGMA user_version = 99`)
	if _, err := sqlite.Open(t.Context(), dir); !errors.Is(err, cooldownstore.ErrNewerSchema) {
		t.Errorf("Open = %v, want ErrNewerSchema", err)
	}
}

func TestSecondNodeOnOneDirectory(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := sqlite.Open(t.Context(), dir); !errors.Is(err, cooldownstore.ErrLocked) {
		t.Errorf("Open = %v, want ErrLocked", err)
	}
}

func TestDirectoryThatIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path); err == nil {
		t.Error("Open on a file succeeded")
	}
}
