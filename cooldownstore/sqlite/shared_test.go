//go:build cgo

package sqlite_test

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sharetest"
	"fleetfuse/cooldownstore/sqlite"
)

// sharedFile is a name that a URI would take for something else.
func sharedFile(t testing.TB) string { return filepath.Join(t.TempDir(), "shared file?#%41.db") }

func openShared(t testing.TB, file string, opts ...sqlite.Option) *sqlite.Shared {
	t.Helper()
	s, err := sqlite.OpenShared(file, opts...)
	if err != nil {
		t.Fatalf("OpenShared: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// rawShared opens a shared file as another program would, which makes the
// documented table if it is the first.
func rawShared(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", uri(file)+"?_busy_timeout=20000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	exec(t, db, `CREATE TABLE IF NOT EXISTS breaker_cooldowns
		(host TEXT PRIMARY KEY, until_wall REAL NOT NULL, reason TEXT, updated_at REAL NOT NULL)`)
	return db
}

func TestShared(t *testing.T) {
	sharetest.Run(t, func(t *testing.T) sharetest.Place {
		file := sharedFile(t)
		other := rawShared(t, file)
		if _, err := openShared(t, file).Check(t.Context()); err != nil { // adds our columns
			t.Fatal(err)
		}
		return sharetest.Place{
			Open:  func(t *testing.T) cooldownstore.Shared { return openShared(t, file) },
			Set:   func(t *testing.T, name, value string, _ time.Duration) { setRow(t, other, name, value) },
			Value: func(t *testing.T, name string) (string, time.Duration, bool) { return valueOf(t, other, name) },
			NoTTL: "rows of other programs stay until these delete them",
		}
	})
}

// setRow writes the documented columns, from a value as Redis has it. What is
// not as it should be there goes into the columns as it is. A value that was
// read with Value and changed has more: then ours are left as they are.
func setRow(t *testing.T, db *sql.DB, host, value string) {
	t.Helper()
	v := map[string]any{}
	if err := json.Unmarshal([]byte(value), &v); err != nil || v["until_wall"] == nil {
		v = map[string]any{"until_wall": value}
	}
	for column, x := range v {
		switch x := x.(type) {
		case string, float64, nil:
		case map[string]any, []any:
			text, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			v[column] = string(text)
		default:
			t.Fatalf("%s is a %T", column, x)
		}
	}
	now := cooldownstore.EpochSeconds(time.Now())
	if v["more"] == nil {
		exec(t, db, replaceRow, host, v["until_wall"], v["reason"], now)
		return
	}
	exec(t, db, upsertRow, host, v["until_wall"], v["reason"], now)
	exec(t, db, "UPDATE breaker_cooldowns SET more = ? WHERE host = ? AND more IS NOT ?", v["more"], host, v["more"])
}

// valueOf reads a row as a value as Redis has it.
func valueOf(t *testing.T, db *sql.DB, host string) (value string, ttl time.Duration, ok bool) {
	t.Helper()
	var until float64
	var reason, more sql.NullString
	var expires sql.NullFloat64
	err := db.QueryRow("SELECT until_wall, reason, more, expires_at FROM breaker_cooldowns WHERE host = ?", host).
		Scan(&until, &reason, &more, &expires)
	if err == sql.ErrNoRows {
		return "", 0, false
	}
	if err != nil {
		t.Fatalf("row of %q: %v", host, err)
	}
	v := map[string]any{"until_wall": until, "reason": reason.String}
	if more.Valid {
		v["more"] = json.RawMessage(more.String)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("row of %q: %v", host, err)
	}
	ttl = -1
	if expires.Valid {
		ttl = time.Until(cooldownstore.FromEpochSeconds(expires.Float64))
	}
	return string(text), ttl, true
}
