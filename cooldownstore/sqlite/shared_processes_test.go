//go:build cgo

package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
)

const (
	sharedFileEnv   = "FLEETFUSE_TEST_SHARED_FILE"
	sharedWriterEnv = "FLEETFUSE_TEST_SHARED_WRITER"
	sharedRounds    = 150
)

// sharedWords are what a writer puts in a round: a word on a key of its own and
// one on a key of all, on which the last of each writer survives, because a
// later one of the same writer dominates it, and those of others end earlier
// the later they were stamped.
func sharedWords(writer, round int, wall time.Time) []cooldownstore.SharedWord {
	stamp := breaker.StampAt(wall.Add(time.Duration(writer*sharedRounds+round) * time.Millisecond))
	c := cooldown(stamp, time.Hour-time.Duration(writer)*time.Minute+time.Duration(round)*time.Millisecond)
	c.Setter = fmt.Sprint("n", writer)
	s := breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}
	own := breaker.HostKey(fmt.Sprintf("h%d-%d", writer, round))
	return []cooldownstore.SharedWord{cooldownstore.ShareSnapshot(own, s, now, wall), cooldownstore.ShareSnapshot("host:all", s, now, wall)}
}

// writeShared is the child of TestSharedProcesses. It says the number of each
// round that Put has acknowledged.
func writeShared(file, writer string) {
	err := func() error {
		var id int
		var start int64
		if _, err := fmt.Sscanf(writer, "%d %d", &id, &start); err != nil {
			return err
		}
		s, err := sqlite.OpenShared(file)
		if err != nil {
			return err
		}
		defer s.Close()
		for round := range sharedRounds {
			if err := s.Put(context.Background(), sharedWords(id, round, time.Unix(0, start))); err != nil {
				return err
			}
			fmt.Println(round)
		}
		return nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runWriter runs a child, kills it once it acknowledged this round, if that is
// not negative, and returns the last round that it did.
func runWriter(t *testing.T, file string, writer int, wall time.Time, killAt int) (last int) {
	child := osexec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), sharedFileEnv+"="+file, fmt.Sprintf("%s=%d %d", sharedWriterEnv, writer, wall.UnixNano()))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Error(err)
		return -1
	}
	if err := child.Start(); err != nil {
		t.Error(err)
		return -1
	}
	last = -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Errorf("writer %d says %q", writer, lines.Text())
		}
		if last == killAt {
			child.Process.Kill()
		}
	}
	if err := child.Wait(); (err == nil) != (killAt < 0) || err == nil && last != sharedRounds-1 {
		t.Errorf("writer %d ended with %v after round %d", writer, err, last)
	}
	return last
}

// TestSharedProcesses makes one file with several processes, and writes it with
// them and with two handles here, all at once; one process is killed. Nothing
// that was acknowledged is lost, and nobody fails because another writes.
func TestSharedProcesses(t *testing.T) {
	file, wall := sharedFile(t), time.Now().Round(0)
	const children, killed = 3, 0
	last := make([]int, children+2)
	var group sync.WaitGroup
	for writer := range last {
		group.Go(func() {
			if writer < children {
				last[writer] = runWriter(t, file, writer, wall, map[bool]int{true: sharedRounds / 3, false: -1}[writer == killed])
				return
			}
			s := openShared(t, file)
			for last[writer] = range sharedRounds {
				if err := s.Put(t.Context(), sharedWords(writer, last[writer], wall)); err != nil {
					t.Errorf("writer %d: Put: %v", writer, err)
				}
				if err := s.Each(t.Context(), func(cooldownstore.SharedWord) bool { return true }); err != nil {
					t.Errorf("writer %d: Each: %v", writer, err)
				}
			}
		})
	}
	group.Wait()
	got := map[breaker.Key]breaker.Snapshot{}
	s := openShared(t, file)
	if err := s.Each(t.Context(), func(w cooldownstore.SharedWord) bool { got[w.Key] = w.Snapshot; return true }); err != nil {
		t.Fatal(err)
	}
	for writer := range last {
		for round := range last[writer] + 1 {
			w := sharedWords(writer, round, wall)[0]
			if s := got[w.Key]; s.MaxStamp() != w.Snapshot.MaxStamp() {
				t.Errorf("writer %d, round %d: %+v, want what was acknowledged", writer, round, s)
			}
		}
	}
	all := got["host:all"]
	for _, c := range all.Cooldowns {
		var writer int
		if _, err := fmt.Sscanf(c.Setter, "n%d", &writer); err != nil {
			t.Fatal(err)
		}
		if least := sharedWords(writer, last[writer], wall)[1].Snapshot.MaxStamp(); c.Stamp < least {
			t.Errorf("on the key of all, writer %d's is older than its last", writer)
		}
	}
	if len(all.Cooldowns) != len(last) {
		t.Errorf("on the key of all there are %+v, want one of each of %d writers", all.Cooldowns, len(last))
	}
}
