//go:build cgo

package eventlog_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"fleetfuse/telemetry/eventlog"
)

const crashDirEnv = "FLEETFUSE_TEST_EVENTLOG_DIR"

// A follower whose log crashed resumes at its position: it is told of the crash,
// and gets what comes after it at positions that were never used.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, eventlog.Options{Delay: time.Hour})
	fill(t, l, 0, 10)
	flush(t, l)
	fill(t, l, 10, 20)
	events := take(t, l.Follow(0), 20)

	again := open(t, crash(t, dir), eventlog.Options{})
	fill(t, again, 20, 30)
	for name, from := range map[string]int{"all on disk": 5, "the last on disk": 9, "in the lost part": 14, "the last lost": 19} {
		t.Run(name, func(t *testing.T) {
			r := again.Follow(events[from].Seq)
			if from < 9 {
				want(t, take(t, r, 9-from), from+1, 10)
			}
			g := gap(t, r)
			if g.Reason != eventlog.GapCrash || g.First != max(events[9].Seq, events[from].Seq)+1 || g.Events != 0 || g.Time.IsZero() {
				t.Errorf("the gap is %+v", g)
			}
			for _, e := range take(t, r, 10) {
				if e.Seq <= events[19].Seq {
					t.Errorf("position %d was given out before", e.Seq)
				}
			}
		})
	}
	p, err := again.Query(t.Context(), eventlog.Filter{})
	try(t, err)
	if len(p.Events) != 20 || len(p.Gaps) != 1 {
		t.Errorf("a query finds %d events and the gaps %+v", len(p.Events), p.Gaps)
	}
}

// Nothing is lost by a Close, and nobody is told that.
func TestNoGapAfterClose(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		l := open(t, dir, eventlog.Options{})
		fill(t, l, i*10, i*10+10)
		want(t, take(t, l.Follow(0), i*10+10), 0, i*10+10)
		shut(t, l)
	}
}

// Positions grow although the clock goes back, with and without a Close.
func TestPositionsWhenTheClockGoesBack(t *testing.T) {
	dir, last := t.TempDir(), uint64(0)
	clock := start
	for i := range 6 {
		l := open(t, dir, eventlog.Options{Now: func() time.Time { return clock }})
		fill(t, l, i*10, i*10+5)
		flush(t, l)
		fill(t, l, i*10+5, i*10+10)
		first := l.Last() - 9
		if first <= last {
			t.Fatalf("start %d begins at %d, not behind %d", i, first, last)
		}
		last = l.Last()
		if i%2 == 0 {
			dir = crash(t, dir)
		}
		shut(t, l)
		clock = clock.Add(-24 * time.Hour)
	}
}

// Where the file is lost the clock alone keeps positions apart, and a follower
// is told that the past is gone.
func TestPositionsWhenTheFileIsLost(t *testing.T) {
	l := open(t, t.TempDir(), eventlog.Options{})
	fill(t, l, 0, 10)
	last := l.Last()
	shut(t, l)
	l = open(t, t.TempDir(), eventlog.Options{})
	fill(t, l, 10, 20)
	r := l.Follow(last)
	if g := gap(t, r); g.Reason != eventlog.GapPruned || g.First != last+1 {
		t.Errorf("the gap is %+v", g)
	}
	want(t, take(t, r, 10), 10, 20)
	r = l.Follow(l.Last() + 5)
	if g := gap(t, r); g.Reason != eventlog.GapUnknown || g.Last != l.Last()+5 {
		t.Errorf("the gap is %+v", g)
	}
	fill(t, l, 20, 21)
	want(t, take(t, r, 1), 20, 21)
}

// logUntilKilled is the child of TestKill: it says the number of events that
// Flush has written.
func logUntilKilled(dir string) {
	ctx := context.Background()
	l, err := eventlog.Open(ctx, dir, eventlog.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	first, _ := strconv.Atoi(os.Getenv(crashFromEnv))
	for i := first; ; i++ {
		l.Append(opened(i))
		if i%50 == 49 {
			if err := l.Flush(ctx); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Println(i, l.Last())
		}
	}
}

const crashFromEnv = "FLEETFUSE_TEST_EVENTLOG_FROM"

// TestKill kills a writing process with SIGKILL: what Flush acknowledged is
// there, and positions go on.
func TestKill(t *testing.T) {
	dir, next := t.TempDir(), 0
	var positions uint64
	for round := range 5 {
		written, last := killAfter(t, dir, next, 300+100*round)
		if positions >= last {
			t.Fatalf("round %d: position %d after %d", round, last, positions)
		}
		l := open(t, dir, eventlog.Options{})
		if aside := l.Health().SetAside; aside != "" {
			t.Fatalf("the file was found damaged after a kill, and set aside as %s", aside)
		}
		p, err := l.Query(t.Context(), eventlog.Filter{Newest: true, Limit: 10_000})
		try(t, err)
		n := len(p.Events)
		if n == 0 || number(&p.Events[n-1]) < written {
			t.Fatalf("round %d: %d events, the last is not %d", round, n, written)
		}
		for i := 1; i < n; i++ {
			if a, b := number(&p.Events[i-1]), number(&p.Events[i]); a >= b {
				t.Fatalf("round %d: event %d before %d", round, a, b)
			}
		}
		if l.Last() < p.Events[n-1].Seq {
			t.Fatalf("round %d: the log is at %d, an event at %d", round, l.Last(), p.Events[n-1].Seq)
		}
		positions, next = l.Last(), number(&p.Events[n-1])+1
		shut(t, l)
	}
}

// killAfter runs the child, kills it once it wrote n events, and returns the
// last number and position it said.
func killAfter(t *testing.T, dir string, from, n int) (number int, position uint64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDirEnv+"="+dir, fmt.Sprintf("%s=%d", crashFromEnv, from))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	try(t, err)
	try(t, child.Start())
	lines := bufio.NewScanner(out)
	for killed := false; lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &number, &position); err != nil {
			t.Errorf("the child says %q", lines.Text())
		}
		if number >= from+n && !killed {
			killed = true
			try(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil || number < from+n {
		t.Fatalf("the child ended with %v after event %d", err, number)
	}
	return number, position
}
