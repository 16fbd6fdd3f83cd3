//go:build cgo

package eventlog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/telemetry"
	"fleetfuse/telemetry/eventlog"
)

// both runs a test with a log on disk and one in memory.
func both(t *testing.T, test func(t *testing.T, dir string)) {
	t.Run("disk", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("memory", func(t *testing.T) { test(t, "") })
}

func TestFollowFromTheStartAndLive(t *testing.T) {
	both(t, func(t *testing.T, dir string) {
		l := open(t, dir, eventlog.Options{})
		fill(t, l, 0, 1000)
		all, live := l.Follow(0), l.Follow(l.Last())
		want(t, take(t, all, 1000), 0, 1000)
		nothing(t, all)
		nothing(t, live)
		go func() {
			for i := range 1000 {
				l.Append(opened(1000 + i))
			}
		}()
		want(t, take(t, all, 1000), 1000, 2000)
		want(t, take(t, live, 1000), 1000, 2000)
	})
}

// What is read back is what was written, from memory, from disk and over a restart.
func TestSameFromMemoryAndDisk(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, eventlog.Options{Buffer: 512})
	write(t, l, 0, 512)
	memory := take(t, l.Follow(0), 512)
	write(t, l, 512, 2000)
	disk := take(t, l.Follow(0), 512)
	if diff := cmp.Diff(memory, disk[:512]); diff != "" {
		t.Errorf("memory -, disk +\n%s", diff)
	}
	shut(t, l)
	l = open(t, dir, eventlog.Options{})
	r := l.Follow(0)
	want(t, take(t, r, 2000), 0, 2000)
	fill(t, l, 2000, 2010)
	want(t, take(t, r, 10), 2000, 2010)
	want(t, take(t, l.Follow(memory[99].Seq), 1910), 100, 2010)
}

func TestDuplicatesAreKeptOnce(t *testing.T) {
	both(t, func(t *testing.T, dir string) {
		l := open(t, dir, eventlog.Options{})
		fill(t, l, 0, 10)
		e := opened(3)
		e.Owner, e.From = "node-b", "half_open" // another owner's words on it
		if at := l.Append(e); at != 0 {
			t.Errorf("a duplicate got position %d", at)
		}
		fill(t, l, 10, 11)
		want(t, take(t, l.Follow(0), 11), 0, 11)
		if h := l.Health(); h.Duplicates != 1 || h.Appended != 11 {
			t.Errorf("health %+v, want one duplicate of 12", h)
		}
	})
}

func TestDuplicatesOnDisk(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, eventlog.Options{Buffer: 512})
	write(t, l, 0, 2000)
	if l.Append(opened(7)) == 0 {
		t.Fatal("the log remembers more than it should: this test tests nothing")
	}
	write(t, l, 2000, 4000)
	want(t, take(t, l.Follow(0), 3500)[:3500], 0, 3500)
	shut(t, l)
	l = open(t, dir, eventlog.Options{})
	for _, i := range []int{7, 3999} {
		l.Append(opened(i))
	}
	flush(t, l)
	shut(t, l)
	l = open(t, dir, eventlog.Options{})
	p, err := l.Query(t.Context(), eventlog.Filter{Limit: 10_000})
	try(t, err)
	want(t, p.Events, 0, 4000)
}

func TestClose(t *testing.T) {
	both(t, func(t *testing.T, dir string) {
		l := open(t, dir, eventlog.Options{})
		fill(t, l, 0, 3)
		r, waits := l.Follow(0), l.Follow(l.Last())
		ended := make(chan error)
		go func() { _, err := waits.Next(context.Background()); ended <- err }()
		shut(t, l)
		shut(t, l)
		want(t, take(t, r, 3), 0, 3)
		if _, err := r.Next(t.Context()); !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("Next after Close: %v", err)
		}
		if err := <-ended; !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("Next during Close: %v", err)
		}
		if err := l.Flush(t.Context()); !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("Flush after Close: %v", err)
		}
		if l.Append(telemetry.Event{}) != 0 || l.Health().Dropped != 1 {
			t.Errorf("Append after Close was not dropped")
		}
	})
}

// An event goes to followers before it goes to the disk.
func TestFollowersDoNotWaitForTheDisk(t *testing.T) {
	l := open(t, t.TempDir(), eventlog.Options{Delay: time.Hour})
	flush(t, l)
	r := l.Follow(l.Last())
	fill(t, l, 0, 1)
	want(t, take(t, r, 1), 0, 1)
	if l.Health().Pending != 1 {
		t.Errorf("the event is on disk already")
	}
}
