//go:build cgo

package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
)

// useShared calls every method that can fail and returns what each said.
func useShared(ctx context.Context, s *sqlite.Shared) map[string]error {
	snapshot := breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(breaker.StampAt(time.Now()), time.Hour)}}
	_, _, loadErr := s.Load(ctx, "host:a")
	_, checkErr := s.Check(ctx)
	return map[string]error{
		"Load": loadErr, "Check": checkErr,
		"Put":  s.Put(ctx, []cooldownstore.SharedWord{cooldownstore.ShareSnapshot("host:a", snapshot, now, time.Now())}),
		"Each": s.Each(ctx, func(cooldownstore.SharedWord) bool { return true }),
	}
}

// says checks that all calls say what is wrong, where, and what to change.
func says(t *testing.T, said map[string]error, want ...string) {
	t.Helper()
	for call, err := range said {
		if !contains(err, append(want, "--cooldown-store")...) {
			t.Errorf("%s: %v, want %q and the setting in it", call, err, want)
		}
	}
}

func works(t *testing.T, s *sqlite.Shared) {
	t.Helper()
	for call, err := range useShared(t.Context(), s) {
		if err != nil {
			t.Errorf("put right, %s: %v", call, err)
		}
	}
	if _, ok, err := s.Load(t.Context(), "host:a"); !ok || err != nil {
		t.Errorf("put right, the word that was put is there: %v, %v", ok, err)
	}
}

// try runs a step of a test.
func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// junk is what a damaged file holds.
var junk = bytes.Repeat([]byte("junk"), 4096)

// badPlaces are what may be wrong with a place, how it is put right, and what
// every call is to say meanwhile.
var badPlaces = map[string]struct {
	spoil, mend func(t *testing.T, file string)
	want        []string
}{
	"missing directory": {
		func(t *testing.T, file string) { try(t, os.Remove(filepath.Dir(file))) },
		func(t *testing.T, file string) { try(t, os.Mkdir(filepath.Dir(file), 0o700)) },
		[]string{"the directory", "does not exist: make it"},
	},
	"dangling link": {
		func(t *testing.T, file string) { try(t, os.Symlink("nowhere/x.db", file)) },
		func(t *testing.T, file string) { try(t, os.Remove(file)) },
		[]string{"is a link to nowhere/x.db, which does not exist"},
	},
	"dangling directory": {
		func(t *testing.T, file string) {
			try(t, os.Remove(filepath.Dir(file)))
			try(t, os.Symlink("elsewhere", filepath.Dir(file)))
		},
		func(t *testing.T, file string) {
			try(t, os.Mkdir(filepath.Join(filepath.Dir(file), "../elsewhere"), 0o700))
		},
		[]string{"is a link to elsewhere, which does not exist"},
	},
	"directory": {
		func(t *testing.T, file string) { try(t, os.Mkdir(file, 0o700)) },
		func(t *testing.T, file string) { try(t, os.Remove(file)) },
		[]string{"this is a directory"},
	},
	"pipe": {
		func(t *testing.T, file string) { try(t, syscall.Mkfifo(file, 0o600)) },
		func(t *testing.T, file string) { try(t, os.Remove(file)) },
		[]string{"no regular file"},
	},
	"below a file": {
		func(t *testing.T, file string) {
			try(t, os.Remove(filepath.Dir(file)))
			try(t, os.WriteFile(filepath.Dir(file), nil, 0o600))
		},
		func(t *testing.T, file string) {
			try(t, os.Remove(filepath.Dir(file)))
			try(t, os.Mkdir(filepath.Dir(file), 0o700))
		},
		[]string{"is a file and no directory"},
	},
	"damaged": {
		func(t *testing.T, file string) { try(t, os.WriteFile(file, junk, 0o600)) },
		func(t *testing.T, file string) {
			if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, junk) {
				t.Errorf("the damaged file changed (%v): it is not ours", err)
			}
			try(t, os.Remove(file))
		},
		[]string{"not a database", "move it away"},
	},
	"newer": {
		func(t *testing.T, file string) {
			exec(t, rawShared(t, file), "CREATE TABLE fleetfuse_schema (version INTEGER NOT NULL); INSERT INTO fleetfuse_schema VALUES (42)")
		},
		func(t *testing.T, file string) {
			exec(t, rawShared(t, file), "UPDATE fleetfuse_schema SET version = 1")
		},
		[]string{"newer version", "version is 42", "up to 1"},
	},
	"state.db": {
		func(t *testing.T, file string) {
			dir := t.TempDir()
			open(t, dir).Close()
			try(t, os.Rename(filepath.Join(dir, "state.db"), file))
		},
		func(t *testing.T, file string) { try(t, os.Remove(file)) },
		[]string{"state.db of a node", "a file of its own"},
	},
	"view": {
		func(t *testing.T, file string) {
			exec(t, rawShared(t, file), "DROP TABLE breaker_cooldowns; CREATE VIEW breaker_cooldowns AS SELECT 1 AS host")
		},
		func(t *testing.T, file string) { exec(t, rawShared(t, file), "DROP VIEW breaker_cooldowns") },
		nil,
	},
}

// A place that is wrong is an error that says why; put right, the same handle
// works.
func TestSharedPlaces(t *testing.T) {
	for name, test := range badPlaces {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			try(t, os.Mkdir(dir, 0o700))
			file := filepath.Join(dir, "shared.db")
			test.spoil(t, file)
			s := openShared(t, file)
			says(t, useShared(t.Context(), s), append(test.want, "sqlite://"+file)...)
			err := s.Hints(t.Context(), func(breaker.Key) { t.Error("a hint") })
			says(t, map[string]error{"Hints": err}, test.want...)
			test.mend(t, file)
			works(t, s)
		})
	}
	if _, err := sqlite.OpenShared("relative/x.db"); !contains(err, "--cooldown-store", "not absolute", "sqlite:///") {
		t.Errorf("OpenShared of a relative path: %v", err)
	}
}

func TestSharedNewerSchemaIsThatError(t *testing.T) {
	file := sharedFile(t)
	exec(t, rawShared(t, file), "CREATE TABLE fleetfuse_schema (version INTEGER NOT NULL); INSERT INTO fleetfuse_schema VALUES (2)")
	if _, err := openShared(t, file).Check(t.Context()); !errors.Is(err, cooldownstore.ErrNewerSchema) {
		t.Errorf("Check: %v, want ErrNewerSchema", err)
	}
}

// A file that turns bad or goes away under an open handle.
func TestSharedChangesUnderIt(t *testing.T) {
	file := sharedFile(t)
	remove := func() {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(file + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	s := openShared(t, file)
	works(t, s)
	ended := make(chan error, 1)
	listening := make(chan bool, 1)
	go func() { ended <- s.Hints(t.Context(), func(breaker.Key) { listening <- true }) }()
	<-listening
	remove()
	if _, ok, err := s.Load(t.Context(), "host:a"); ok || err != nil {
		t.Errorf("removed, the word is there: %v, %v; want a new file", ok, err)
	}
	says(t, map[string]error{"Hints": <-ended}, "removed or replaced")
	works(t, s)
	remove()
	other := rawShared(t, file) // another file of that name, by another program
	exec(t, other, replaceRow, "theirs", cooldownstore.EpochSeconds(time.Now().Add(time.Hour)), "", 0)
	if _, ok, err := s.Load(t.Context(), "host:theirs"); !ok || err != nil {
		t.Errorf("replaced, their row is there: %v, %v", ok, err)
	}
	works(t, s)
	exec(t, other, "DROP TABLE breaker_cooldowns")
	says(t, map[string]error{"Check": func() error { _, err := s.Check(t.Context()); return err }()}, "no such table")
	works(t, s)
	other.Close()
	remove()
	try(t, os.Mkdir(file, 0o700))
	says(t, useShared(t.Context(), s), "this is a directory")
	try(t, os.Remove(file))
	works(t, s)
}

func TestSharedDiskFull(t *testing.T) {
	file := sharedFile(t)
	s := openShared(t, file, sqlite.WithMaxPages(40))
	word := func(i int) cooldownstore.SharedWord {
		snapshot := breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(breaker.StampAt(time.Now()), time.Hour)}}
		return cooldownstore.ShareSnapshot(breaker.HostKey(fmt.Sprint("h", i)), snapshot, now, time.Now())
	}
	n := 0
	var err error
	for ; err == nil && n < 10_000; n++ {
		err = s.Put(t.Context(), []cooldownstore.SharedWord{word(n)})
	}
	says(t, map[string]error{"Put": err}, "full", "free space", fmt.Sprint("put host:h", n-1))
	count := 0
	err = s.Each(t.Context(), func(cooldownstore.SharedWord) bool { count++; return true })
	if count != n-1 || err != nil {
		t.Errorf("on a full disk Each shows %d words, %v; want the %d that were acknowledged", count, err, n-1)
	}
	try(t, openShared(t, file).Put(t.Context(), []cooldownstore.SharedWord{word(n)})) // where there is space
}

// A file that another program reads without a write-ahead log cannot be given
// one meanwhile.
func TestSharedNotWAL(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for all of its patience")
	}
	file := sharedFile(t)
	other := rawShared(t, file)
	exec(t, other, "BEGIN")
	var n int
	try(t, other.QueryRow("SELECT count(*) FROM breaker_cooldowns").Scan(&n))
	s := openShared(t, file)
	_, err := s.Check(t.Context())
	says(t, map[string]error{"Check": err}, "locked", "another program")
	exec(t, other, "COMMIT")
	works(t, s)
}

// A writer's patience with another program ends with its context.
func TestSharedLocked(t *testing.T) {
	file := sharedFile(t)
	s := openShared(t, file)
	works(t, s)
	other := rawShared(t, file)
	exec(t, other, "BEGIN IMMEDIATE")
	ctx, cancel := context.WithCancel(t.Context())
	put := make(chan error, 1)
	snapshot := breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(breaker.StampAt(time.Now()), time.Hour)}}
	words := []cooldownstore.SharedWord{cooldownstore.ShareSnapshot("host:b", snapshot, now, time.Now())}
	go func() { put <- s.Put(ctx, words) }()
	if _, ok, err := s.Load(t.Context(), "host:a"); !ok || err != nil {
		t.Errorf("Load beside another's transaction: %v, %v", ok, err)
	}
	cancel()
	if err := <-put; !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v, want context.Canceled", err)
	}
	if !testing.Short() { // all of its patience
		says(t, map[string]error{"Put": s.Put(t.Context(), words)}, "locked", "let it commit sooner")
	}
	exec(t, other, "COMMIT")
	works(t, s)
}
