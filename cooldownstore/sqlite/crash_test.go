//go:build cgo

package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"strconv"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
)

const crashDirEnv = "FLEETFUSE_TEST_CRASH_DIR"

// writeUntilKilled is the child of TestKill: it saves one record after the
// other and says the number of each that Save has acknowledged.
func writeUntilKilled(dir string) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		batch := []cooldownstore.Record{crashRecord(i), crashRecord(i + 1_000_000)}
		if err := s.Save(ctx, batch, cooldownstore.Durability(i%2)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

func crashRecord(i int) cooldownstore.Record {
	snapshot := breaker.Snapshot{
		Cooldowns: []breaker.Cooldown{cooldown(breaker.Stamp(i+1), time.Hour)},
		Circuit:   breaker.Circuit{State: breaker.Open, Stamp: breaker.Stamp(i + 1), Until: now.Add(time.Minute)},
	}
	return cooldownstore.FromSnapshot(breaker.HostKey(fmt.Sprintf("h%d", i)), snapshot, now, time.Now())
}

// TestKill kills a writing process with SIGKILL: what Save acknowledged must be
// there, what it did not must be there in whole or not at all.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 8 {
		acknowledged := killAfter(t, dir, 20+10*round)
		s := open(t, dir)
		if s.SetAside() != "" {
			t.Fatalf("the file was found damaged after a kill")
		}
		there := map[breaker.Key]bool{}
		err := s.Each(t.Context(), func(r cooldownstore.Record) bool {
			there[r.Key] = len(r.Wall) == 1 && r.Snapshot.Circuit.State == breaker.Open
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range acknowledged + 1 {
			if a, b := there[crashRecord(i).Key], there[crashRecord(i+1_000_000).Key]; !a || !b {
				t.Fatalf("round %d: of the acknowledged pair %d there are %v, %v", round, i, a, b)
			}
		}
		for key, whole := range there {
			if !whole {
				t.Errorf("round %d: %s is there in part", round, key)
			}
		}
		if len(there)%2 != 0 {
			t.Errorf("round %d: %d records, want whole pairs", round, len(there))
		}
		s.Close()
	}
}

// killAfter runs the child, kills it once it acknowledged n saves, and returns
// the last number it said.
func killAfter(t *testing.T, dir string, n int) int {
	t.Helper()
	child := osexec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDirEnv+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	last := -1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Errorf("the child says %q", lines.Text())
		}
		if last == n {
			time.Sleep(rand.N(2 * time.Millisecond)) // to hit it in the middle of a save, or between two
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := child.Wait(); err == nil || last < n {
		t.Fatalf("the child ended with %v after %d saves, want it killed after %d", err, last, n)
	}
	return last
}
