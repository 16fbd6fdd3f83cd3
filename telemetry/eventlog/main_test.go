//go:build cgo

package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/eventlog"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		logUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string, opt eventlog.Options) *eventlog.Log {
	t.Helper()
	l, err := eventlog.Open(t.Context(), dir, opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	return l
}

func flush(t testing.TB, l *eventlog.Log) {
	t.Helper()
	try(t, l.Flush(t.Context()))
}

func shut(t testing.TB, l *eventlog.Log) {
	t.Helper()
	try(t, l.Close(t.Context()))
}

func try(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// opened is the i-th event of a test: a breaker that opened.
func opened(i int) telemetry.Event {
	at := start.Add(time.Duration(i) * time.Millisecond)
	return telemetry.Event{
		Time: at, Kind: telemetry.KindTransition, Key: breaker.HostKey(fmt.Sprintf("h%d.example.org", i%100)), Role: "artifact",
		From: "closed", To: "open", Reason: breaker.ReasonConsecutive, Owner: "node-a", Stamp: breaker.StampAt(at) + breaker.Stamp(i%1000),
		Evidence: telemetry.Evidence{Failures: 5, Status: 503, RetryAfter: "120", Witnesses: []string{"node-a", "node-b"}},
	}
}

// fill appends the events from one number up to another.
func fill(t testing.TB, l *eventlog.Log, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if l.Append(opened(i)) == 0 {
			t.Fatalf("event %d was not taken", i)
		}
	}
}

// write appends and writes, in steps that the smallest memory can hold.
func write(t testing.TB, l *eventlog.Log, from, to int) {
	t.Helper()
	for ; from < to; from += 256 {
		fill(t, l, from, min(from+256, to))
		flush(t, l)
	}
}

// number is which of opened an event is.
func number(e *telemetry.Event) int { return int(e.Time.Sub(start) / time.Millisecond) }

// want checks that events are those from one number up to another, at ascending
// positions.
func want(t testing.TB, events []telemetry.Event, from, to int) {
	t.Helper()
	if len(events) != to-from {
		t.Fatalf("%d events, want %d to %d", len(events), from, to)
	}
	var last uint64
	for i := range events {
		e := events[i]
		if e.Seq <= last {
			t.Fatalf("event %d is at position %d after %d", i, e.Seq, last)
		}
		last = e.Seq
		if n := number(&e); n != from+i {
			t.Fatalf("event %d is number %d, want %d", i, n, from+i)
		}
	}
}

// take reads n events, and no gap.
func take(t testing.TB, r *eventlog.Reader, n int) []telemetry.Event {
	t.Helper()
	var events []telemetry.Event
	for len(events) < n {
		b, err := r.Next(t.Context())
		try(t, err)
		if b.Gap != nil {
			t.Fatalf("a gap %+v after %d events", *b.Gap, len(events))
		}
		events = append(events, b.Events...)
	}
	return events
}

// gap reads a gap.
func gap(t testing.TB, r *eventlog.Reader) eventlog.Gap {
	t.Helper()
	b, err := r.Next(t.Context())
	try(t, err)
	if b.Gap == nil {
		t.Fatalf("%d events from number %d on, want a gap", len(b.Events), number(&b.Events[0]))
	}
	return *b.Gap
}

// nothing checks that a reader has everything.
func nothing(t testing.TB, r *eventlog.Reader) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if b, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v; want nothing", b, err)
	}
}

// quickDir is a directory in memory, where there is such a file system: for tests
// that open hundreds of logs, none of which has to survive power loss.
func quickDir(t testing.TB) string {
	t.Helper()
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "eventlog")
	try(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// crash copies the files of a log as they are now: what a process leaves that is
// killed.
func crash(t testing.TB, dir string) string {
	t.Helper()
	to := quickDir(t)
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, "telemetry.db"+suffix))
		try(t, err)
		try(t, os.WriteFile(filepath.Join(to, "telemetry.db"+suffix), content, 0o600))
	}
	return to
}
