//go:build cgo

package eventlog_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"fleetfuse/telemetry/eventlog"
)

// clock is a wall clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	var c clock
	c.at.Store(start.UnixNano())
	return &c
}

func (c *clock) now() time.Time            { return time.Unix(0, c.at.Load()) }
func (c *clock) add(d time.Duration)       { c.at.Add(int64(d)) }
func (c *clock) options() eventlog.Options { return eventlog.Options{Now: c.now, Buffer: 512} }

func TestPruneByAge(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	opt := c.options()
	opt.MaxAge = time.Hour
	l := open(t, dir, opt)
	write(t, l, 0, 5000)
	r := l.Follow(0)
	first := take(t, r, 256)
	want(t, first, 0, len(first))
	c.add(50 * time.Minute)
	write(t, l, 5000, 6000)
	c.add(20 * time.Minute)
	flush(t, l)
	if g := gap(t, r); g.Reason != eventlog.GapPruned || g.Last != l.Last()-1000 {
		t.Errorf("the gap is %+v, the last event at %d", g, l.Last())
	}
	want(t, take(t, r, 1000), 5000, 6000)
	nothing(t, r)
	c.add(time.Hour)
	flush(t, l)
	fill(t, l, 6000, 6001)
	want(t, take(t, r, 1), 6000, 6001)
	if n := rows(t, dir); n != 0 {
		t.Errorf("%d events are on disk, want none that are old", n)
	}
	shut(t, l)
	l = open(t, dir, opt)
	want(t, take(t, l.Follow(0), 1), 6000, 6001)
}

func TestPruneBySize(t *testing.T) {
	dir := t.TempDir()
	const limit = 2 << 20
	l := open(t, dir, eventlog.Options{Buffer: 512, MaxBytes: limit})
	write(t, l, 0, 20_000)
	kept := rows(t, dir)
	if kept < 2000 || kept > 15_000 {
		t.Errorf("%d events are kept in %d bytes", kept, limit)
	}
	if h := l.Health(); h.Bytes > limit || h.Dropped != 0 {
		t.Errorf("health %+v, want at most %d bytes", h, limit)
	}
	want(t, take(t, l.Follow(0), kept), 20_000-kept, 20_000)
	shut(t, l)
	if info, err := os.Stat(filepath.Join(dir, "telemetry.db")); err != nil || info.Size() > limit*3/2 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}

// A limit that was lowered gives its room back.
func TestLowerLimit(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, eventlog.Options{})
	fill(t, l, 0, 40_000)
	shut(t, l)
	l = open(t, dir, eventlog.Options{MaxBytes: 1 << 20})
	flush(t, l)
	if h := l.Health(); h.Bytes > 1<<20 {
		t.Errorf("%d bytes are kept", h.Bytes)
	}
	shut(t, l)
	if info, err := os.Stat(filepath.Join(dir, "telemetry.db")); err != nil || info.Size() > 6<<20 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}

func TestMemoryKeepsItsBuffer(t *testing.T) {
	l := open(t, "", eventlog.Options{Buffer: 1024})
	fill(t, l, 0, 10)
	r := l.Follow(0)
	want(t, take(t, r, 10), 0, 10)
	fill(t, l, 10, 5000)
	g := gap(t, r)
	kept := int(l.Last() - g.Last)
	if g.Reason != eventlog.GapPruned || kept > 1024 || kept < 768 {
		t.Errorf("the gap is %+v, %d are kept", g, kept)
	}
	want(t, take(t, r, kept), 5000-kept, 5000)
	want(t, take(t, l.Follow(0), kept), 5000-kept, 5000)
}

// rows counts the events in a file.
func rows(t *testing.T, dir string) (n int) {
	t.Helper()
	try(t, raw(t, dir).QueryRow("SELECT count(*) FROM events").Scan(&n))
	return n
}
