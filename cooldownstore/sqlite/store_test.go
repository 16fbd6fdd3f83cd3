//go:build cgo

package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
	"fleetfuse/cooldownstore/storetest"
)

func TestStore(t *testing.T) {
	storetest.RunPlaces(t, func(t *testing.T) storetest.Place {
		dir := t.TempDir()
		return storetest.Place{
			Open:      func(t *testing.T) cooldownstore.Store { return open(t, dir) },
			OneHandle: "a data directory has one node",
			Write: func(t *testing.T, host string, f cooldownstore.Foreign) {
				db := raw(t, dir)
				defer db.Close()
				exec(t, db, upsertRow, host, f.UntilWall, f.Reason, f.UpdatedAt)
			},
		}
	})
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on the way?")
	wall := time.Now()
	s := open(t, dir)
	save(t, s, "host:a", breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}, wall)
	if err := s.SetMeta(t.Context(), "node_id", "n1"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has mode %v, %v, want 0700", info.Mode(), err)
	}
	s = open(t, dir)
	if got := load(t, s, "host:a", wall); got.At(now).Until != now.Add(time.Minute) {
		t.Errorf("after reopening: %+v", got)
	}
	if got, err := s.Meta(t.Context(), "node_id"); got != "n1" || err != nil || s.SetAside() != "" {
		t.Errorf("after reopening: node_id %q, %v, set aside %q", got, err, s.SetAside())
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	_, err := sqlite.Open(t.Context(), dir)
	if !errors.Is(err, cooldownstore.ErrLocked) || !contains(err, dir, "process "+strconv.Itoa(os.Getpid()), "--data-dir") {
		t.Errorf("Open of a directory in use: %v, want ErrLocked with the holder's pid and what to do", err)
	}
	s.Close()
	open(t, dir)
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	db := raw(t, dir)
	exec(t, db, "PRAGMA user_version = 42")
	_, err := sqlite.Open(t.Context(), dir)
	if !errors.Is(err, cooldownstore.ErrNewerSchema) || !contains(err, dir, "version is 42", "up to 3", "--data-dir") {
		t.Errorf("Open of a newer file: %v, want ErrNewerSchema, both versions and what to do", err)
	}
	exec(t, db, "PRAGMA user_version = 3")
	db.Close()
	open(t, dir) // the failed Open let go of the lock, and changed nothing
}

// Another program may have made the file and its table first.
func TestAdoptsExistingTable(t *testing.T) {
	dir := t.TempDir()
	db := raw(t, dir)
	exec(t, db, "CREATE TABLE breaker_cooldowns (host TEXT PRIMARY KEY, until_wall REAL NOT NULL, reason TEXT, updated_at REAL NOT NULL)")
	wall := time.Now()
	epoch := cooldownstore.EpochSeconds(wall)
	exec(t, db, "INSERT INTO breaker_cooldowns VALUES ('a', ?, 'theirs', ?)", epoch+60, epoch)
	db.Close()
	s := open(t, dir)
	theirs := load(t, s, "host:a", wall)
	if got := theirs.At(now); got.State != breaker.Open || got.Detail != "theirs" {
		t.Errorf("their row reads as %+v, want open", got)
	}
	save(t, s, "host:b", breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}, wall)
	if got := load(t, s, "host:b", wall); len(got.Cooldowns) != 1 {
		t.Errorf("our row in their table reads as %+v", got)
	}
	var n int
	if err := raw(t, dir).QueryRow("SELECT count(*) FROM pragma_index_info('idx_cd_until')").Scan(&n); err != nil || n != 1 {
		t.Errorf("idx_cd_until has %d columns, %v, want until_wall", n, err)
	}
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.WithMaxPages(40))
	wall := time.Now()
	var err error
	n := 0
	for ; err == nil && n < 10_000; n++ {
		snapshot := breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}
		r := cooldownstore.FromSnapshot(breaker.HostKey(fmt.Sprintf("h%d", n)), snapshot, now, wall)
		err = s.Save(t.Context(), []cooldownstore.Record{r}, cooldownstore.Durability(n%2))
	}
	if !contains(err, fmt.Sprintf("save host:h%d", n-1), dir, "full", "free space") {
		t.Fatalf("Save on a full disk: %v, want what, where and what to do", err)
	}
	s.Close()
	s = open(t, dir) // the disk has space again
	for i := range n {
		key := breaker.HostKey(fmt.Sprintf("h%d", i))
		if _, ok, err := s.Load(t.Context(), key); ok != (i < n-1) || err != nil {
			t.Fatalf("%s is there: %v, %v; want exactly the %d that were acknowledged", key, ok, err, n-1)
		}
	}
	save(t, s, "host:more", breaker.Snapshot{Clear: 1, ClearKept: now.Add(time.Hour)}, wall)
}

func TestOpenErrors(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(base, "dangling")
	try(t, os.Symlink("nowhere", dangling))
	linked := filepath.Join(base, "linked")
	try(t, os.Mkdir(linked, 0o700))
	try(t, os.Symlink("../nowhere.db", filepath.Join(linked, "state.db")))
	taken := filepath.Join(base, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "state.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		dir  string
		want []string
	}{
		{file, []string{file, "is a file and no directory", "--data-dir"}},
		{filepath.Join(file, "below"), []string{file, "is a file and no directory", "--data-dir"}},
		{dangling, []string{dangling, "is a link to nowhere, which does not exist", "--data-dir"}},
		{linked, []string{filepath.Join(linked, "state.db"), "is a link to ../nowhere.db, which does not exist", "--data-dir"}},
		{taken, []string{filepath.Join(taken, "state.db"), "this is a directory", "--data-dir"}},
	} {
		if _, err := sqlite.Open(t.Context(), test.dir); !contains(err, test.want...) {
			t.Errorf("Open(%s): %v, want %q in it", test.dir, err, test.want)
		}
	}
}

// A build without cgo must fail with a sentence, not at the first query.
func TestBuildWithoutCgo(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library without cgo")
	}
	build := osexec.CommandContext(t.Context(), "go", "build", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this_package_needs_a_C_compiler__install_gcc_and_set_CGO_ENABLED_1") {
		t.Errorf("go build without cgo: %v\n%s", err, out)
	}
	if n := strings.Count(string(out), "undefined"); n != 1 {
		t.Errorf("go build without cgo names %d things, want the sentence alone:\n%s", n, out)
	}
}

func contains(err error, parts ...string) bool {
	if err == nil {
		return false
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			return false
		}
	}
	return true
}
