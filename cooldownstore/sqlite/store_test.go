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
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
	"fleetfuse/cooldownstore/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) cooldownstore.Store { return open(t, t.TempDir()) })
}

func TestSharedFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) cooldownstore.Store {
		s, err := sqlite.OpenShared(t.Context(), filepath.Join(t.TempDir(), "shared file?#%41.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestSharedFileIsShared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shared.db")
	wall := time.Now()
	var stores [2]*sqlite.Store
	for i := range stores {
		s, err := sqlite.OpenShared(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores[i] = s
	}
	save(t, stores[0], "host:a", breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}, wall)
	if got := load(t, stores[1], "host:a", wall); got.At(now).State != breaker.Open {
		t.Errorf("the second process reads %+v, want what the first wrote", got)
	}
}

// Processes that start together make a shared file together.
func TestSharedFileIsMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shared.db")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			s, err := sqlite.OpenShared(t.Context(), file)
			if err != nil {
				t.Errorf("OpenShared: %v", err)
				return
			}
			defer s.Close()
			if err := s.SetMeta(t.Context(), fmt.Sprint(i), "here"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
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
	if !errors.Is(err, cooldownstore.ErrNewerSchema) || !contains(err, dir, "version is 42", "up to 1", "--data-dir") {
		t.Errorf("Open of a newer file: %v, want ErrNewerSchema, both versions and what to do", err)
	}
	exec(t, db, "PRAGMA user_version = 1")
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
	taken := filepath.Join(base, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "state.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		dir  string
		want []string
	}{
		{file, []string{file, "must be a directory"}},
		{filepath.Join(file, "below"), []string{file, "must be a directory"}},
		{taken, []string{filepath.Join(taken, "state.db"), "check that it is a file"}},
	} {
		if _, err := sqlite.Open(t.Context(), test.dir); !contains(err, test.want...) {
			t.Errorf("Open(%s): %v, want %q in it", test.dir, err, test.want)
		}
	}
	missing := filepath.Join(base, "missing", "shared.db")
	if _, err := sqlite.OpenShared(t.Context(), missing); !contains(err, missing, "directory exists") {
		t.Errorf("OpenShared in a missing directory: %v", err)
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Create(filepath.Join(dir, "probe")); err == nil {
		f.Close()
		t.Skip("this user may write to read-only directories")
	}
	if _, err := sqlite.Open(t.Context(), dir); !contains(err, dir, "write permission", "--data-dir") {
		t.Errorf("Open of a read-only directory: %v", err)
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
