//go:build cgo

package sqlitefile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fleetfuse/internal/sqlitefile"
)

// A file whose name means something in a URI is opened by that name, with its
// pragmas; one that is no database is found out and set aside with its log.
func TestAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a?b #c.db")
	db := sqlitefile.Pool(file, 1, sqlitefile.Busy(time.Second), sqlitefile.MaxPages(10), "journal_mode=WAL")
	defer db.Close()
	if err := sqlitefile.CheckLog(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))"); !sqlitefile.IsFull(err) || sqlitefile.IsCorrupt(err) {
		t.Errorf("beyond its pages: %v; want that it is full", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	aside, err := sqlitefile.SetAside(file, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	if err != nil || !strings.HasSuffix(aside, "db.corrupt-20260102T030405.000000006Z") {
		t.Errorf("set aside as %s, %v", aside, err)
	}
	for _, suffix := range []string{"", "-wal"} {
		if _, err := os.Stat(aside + suffix); err != nil {
			t.Error(err)
		}
	}

	bad := filepath.Join(t.TempDir(), "bad.db")
	if err := os.WriteFile(bad, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	db = sqlitefile.Pool(bad, 1, "journal_mode=WAL")
	defer db.Close()
	if err := sqlitefile.CheckLog(t.Context(), db); !sqlitefile.IsCorrupt(err) {
		t.Errorf("what is no database: %v", err)
	}
	db = sqlitefile.Pool(filepath.Join(t.TempDir(), "no", "dir.db"), 1)
	defer db.Close()
	if err := db.Ping(); err == nil || !strings.Contains(sqlitefile.Advice(err, "--data-dir"), "--data-dir") {
		t.Errorf("in no directory: %v, advice %q", err, sqlitefile.Advice(err, "--data-dir"))
	}
}
