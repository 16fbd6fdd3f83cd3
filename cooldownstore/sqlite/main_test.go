//go:build cgo

package sqlite_test

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the tests also play the other program
	"go.uber.org/goleak"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		writeUntilKilled(dir)
	}
	if file := os.Getenv(sharedFileEnv); file != "" {
		writeShared(file, os.Getenv(sharedWriterEnv))
	}
	goleak.VerifyTestMain(m)
}

const now = breaker.Instant(1_000 * time.Hour)

func open(t testing.TB, dir string, opts ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, opts...)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// raw opens the file as another program would.
func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func save(t *testing.T, s cooldownstore.Store, key breaker.Key, snapshot breaker.Snapshot, wall time.Time) {
	t.Helper()
	r := cooldownstore.FromSnapshot(key, snapshot, now, wall)
	if err := s.Save(t.Context(), []cooldownstore.Record{r}, cooldownstore.SurvivesPowerLoss); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

func load(t *testing.T, s cooldownstore.Store, key breaker.Key, wall time.Time) breaker.Snapshot {
	t.Helper()
	r, _, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return r.ToSnapshot(now, wall)
}

func cooldown(stamp breaker.Stamp, left time.Duration) breaker.Cooldown {
	return breaker.Cooldown{
		Setter: "n1", Stamp: stamp, Until: now.Add(left), Length: left, Reason: breaker.ReasonCLIOpen,
		Author: "zoe", Detail: "maintenance",
	}
}

func uri(file string) string { return "file:" + (&url.URL{Path: file}).EscapedPath() }
