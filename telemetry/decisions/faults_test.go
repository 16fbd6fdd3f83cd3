//go:build cgo

package decisions

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// watched tells of changes of the status.
func watched(opt Options) (Options, <-chan Status) {
	told := make(chan Status, 10)
	opt.Retry = 10 * time.Millisecond
	opt.OnStatus = func(s Status) { told <- s }
	return opt, told
}

func wait(t *testing.T, told <-chan Status) Status {
	t.Helper()
	select {
	case s := <-told:
		return s
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is told of the status")
		return Status{}
	}
}

// While the disk is full nothing is lost that fits in memory, nobody waits, and it
// is written when there is room.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	opt, told := watched(Options{maxPages: 8})
	l := open(t, dir, opt)
	fill(t, l, 0, 900)
	s := wait(t, told)
	if s.Trouble == nil || s.Since != now || !strings.Contains(s.Trouble.Error(), "free space") {
		t.Errorf("status %+v", s)
	}
	want(t, list(t, l, "", time.Time{}, MaxList), 0, 900)
	l.use.Lock()
	_, err := l.disk.Write.Exec("PRAGMA max_page_count=1000000")
	l.use.Unlock()
	try(t, err)
	if s := wait(t, told); s.Trouble != nil || s.Waiting != 0 || s.Dropped != 0 {
		t.Errorf("status %+v, want that it works", s)
	}
	want(t, list(t, l, "", time.Time{}, MaxList), 0, 900)
	try(t, l.Close())
	want(t, list(t, open(t, dir, Options{}), "", time.Time{}, MaxList), 0, 900)
}

func TestWhatWaitsIsBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	try(t, os.WriteFile(dir, nil, 0o600))
	l := open(t, dir, Options{MaxRecords: 80})
	fill(t, l, 0, 100)
	if err := l.Flush(t.Context()); err == nil {
		t.Fatal("a file served as a directory")
	}
	if s := l.Status(); s.Waiting != 80 || s.Dropped != 20 {
		t.Errorf("status %+v, want 80 waiting and 20 dropped", s)
	}
	try(t, os.Remove(dir))
	try(t, l.Flush(t.Context()))
	want(t, list(t, l, "", time.Time{}, MaxList), 20, 100)

	l = open(t, "", Options{MaxWaiting: 100})
	fill(t, l, 0, 100)
	want(t, list(t, l, "", time.Time{}, MaxList), 93, 100) // of 14 bytes each
	if s := l.Status(); s != (Status{}) {
		t.Errorf("status %+v of a log in memory", s)
	}
}

func TestAReadOnlyDisk(t *testing.T) {
	opt, told := watched(Options{})
	l := open(t, t.TempDir(), opt)
	fill(t, l, 0, 10)
	try(t, l.Flush(t.Context()))
	only := func(on string) {
		t.Helper()
		l.use.Lock()
		defer l.use.Unlock()
		_, err := l.disk.Write.Exec("PRAGMA query_only=" + on)
		try(t, err)
	}
	only("ON")
	fill(t, l, 10, 20)
	if s := wait(t, told); s.Trouble == nil || s.Waiting == 0 || !strings.Contains(s.Trouble.Error(), "write permission") {
		t.Errorf("status %+v", s)
	}
	want(t, list(t, l, "", time.Time{}, 0), 0, 20)
	only("OFF")
	if s := wait(t, told); s.Trouble != nil || s.Waiting != 0 {
		t.Errorf("status %+v, want that it works", s)
	}
	want(t, list(t, l, "", time.Time{}, 0), 0, 20)
}

func TestNoDiskAtAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	try(t, os.WriteFile(dir, nil, 0o600))
	opt, told := watched(Options{})
	l := open(t, dir, opt)
	if s := wait(t, told); s.Trouble == nil {
		t.Error("a file served as a directory")
	}
	fill(t, l, 0, 5)
	records, err := l.List(t.Context(), "", time.Time{}, 0)
	if !errors.Is(err, ErrNoDisk) {
		t.Errorf("error %v, want that there is no disk", err)
	}
	want(t, records, 0, 5)
	try(t, os.Remove(dir))
	if s := wait(t, told); s.Trouble != nil || s.Waiting != 0 {
		t.Errorf("status %+v, want that it works", s)
	}
	want(t, list(t, l, "", time.Time{}, 0), 0, 5)
}

func TestADamagedFileIsSetAside(t *testing.T) {
	dir := t.TempDir()
	try(t, os.WriteFile(filepath.Join(dir, FileName), []byte("this is no database, and long enough to say so"), 0o600))
	l := open(t, dir, Options{})
	fill(t, l, 0, 5)
	try(t, l.Flush(t.Context()))
	s := l.Status()
	if s.SetAside == "" || s.Trouble != nil {
		t.Errorf("status %+v, want a file set aside and no trouble", s)
	}
	if _, err := os.Stat(s.SetAside); err != nil {
		t.Error(err)
	}
	want(t, list(t, l, "", time.Time{}, 0), 0, 5)
}

// Damage that a reader or the writer meets while the file is open: what waits goes
// to a new one.
func TestDamageWhileRunning(t *testing.T) {
	for _, who := range []string{"reader", "writer"} {
		t.Run(who, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir, Options{})
			fill(t, l, 0, 2000)
			try(t, l.Close())
			file := filepath.Join(dir, FileName)
			text, err := os.ReadFile(file)
			try(t, err)
			for i := 4096; i < len(text); i++ {
				text[i] = 0xA5
			}
			try(t, os.WriteFile(file, text, 0o600))
			l = open(t, dir, Options{})
			if who == "reader" {
				if _, err := l.List(t.Context(), "", time.Time{}, 0); err == nil {
					t.Fatal("a damaged file was read")
				}
			}
			fill(t, l, 2000, 2005)
			try(t, l.Flush(t.Context()))
			if s := l.Status(); s.SetAside == "" || s.Trouble != nil || s.Waiting != 0 {
				t.Errorf("status %+v", s)
			}
			want(t, list(t, l, "", time.Time{}, 0), 2000, 2005)
		})
	}
}

func TestANewerFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	fill(t, l, 0, 5)
	try(t, l.Flush(t.Context()))
	if _, err := l.disk.Write.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	try(t, l.Close())
	l = open(t, dir, Options{})
	fill(t, l, 5, 6)
	if err := l.Flush(t.Context()); err == nil || l.Status().SetAside != "" {
		t.Errorf("a file of a newer program: %v, status %+v", err, l.Status())
	}
}

const (
	crashDirEnv  = "FLEETFUSE_TEST_DECISIONS_DIR"
	crashFromEnv = "FLEETFUSE_TEST_DECISIONS_FROM"
)

// addUntilKilled is the child of TestKill: it says how many records Flush has
// written.
func addUntilKilled(dir string) {
	first, _ := strconv.Atoi(os.Getenv(crashFromEnv))
	l := Open(context.Background(), dir, Options{Now: func() time.Time { return now }})
	for i := first; ; i++ {
		err := l.Add(record(i))
		if err == nil && i%5 == 4 {
			if err = l.Flush(context.Background()); err == nil {
				fmt.Println(i + 1)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// TestKill kills a writing process with SIGKILL: what Flush acknowledged is there,
// and nothing but what was added.
func TestKill(t *testing.T) {
	dir, next := t.TempDir(), 0
	for round := range 4 {
		written := killAfter(t, dir, next, 20+15*round)
		l := open(t, dir, Options{})
		if s := l.Status(); s.SetAside != "" || s.Trouble != nil {
			t.Fatalf("round %d: after a kill %+v", round, s)
		}
		records := list(t, l, "", time.Time{}, MaxList)
		if len(records) < written {
			t.Fatalf("round %d: %d records, %d were acknowledged", round, len(records), written)
		}
		want(t, records, 0, len(records))
		next = len(records)
		try(t, l.Close())
	}
}

// killAfter runs the child, kills it once it wrote n records more, and returns how
// many it said.
func killAfter(t *testing.T, dir string, from, n int) (written int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDirEnv+"="+dir, fmt.Sprintf("%s=%d", crashFromEnv, from))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	try(t, err)
	try(t, child.Start())
	lines := bufio.NewScanner(out)
	for killed := false; lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &written); err != nil {
			t.Errorf("the child says %q", lines.Text())
		}
		if written >= from+n && !killed {
			killed = true
			try(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil || written < from+n {
		t.Fatalf("the child ended with %v after %d records", err, written)
	}
	return written
}
