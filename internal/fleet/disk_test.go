package fleet_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"fleetfuse/api"
)

// TestAFullDisk fills the disk of a node's data directory, a small one in
// memory, and makes room again.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "n1", "data")
	succeed(t, os.MkdirAll(data, 0o700))
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("a disk of its own needs root: mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(data, syscall.MNT_DETACH) })
	n := startNode(t, dir, "n1")
	f := followAt(t, n, "")
	filler := filepath.Join(data, "filler")
	fillDisk(t, filler)

	for _, host := range []string{"a.example.org", "b.example.org"} {
		report(t, n, retryAfter(host, "600"))
		awaitAll(t, "a cooldown while the disk is full", host, rejectedFor("retry-after"), n)
	}
	r := must(n.Open(t.Context(), "opened.example.org", time.Hour))(t)
	if r.Durable || r.State != "open" || r.Detail == "" {
		t.Errorf("open on a full disk: %+v; want it open, not durable, and why", r)
	}
	awaitProblem(t, n, "free space on this disk")
	awaitMetric(t, n, "fleetfuse_store_ok", 0)
	awaitProblem(t, n, "the event log is not written")
	awaitMetric(t, n, "fleetfuse_events_ok", 0)
	part := func(kind, part string) func(api.Event) bool {
		return func(e api.Event) bool { return e.Kind == kind && e.To == part }
	}
	awaitEvent(t, f, "that the store fails", part("degraded", "store"))
	awaitEvent(t, f, "that the event log fails", part("degraded", "event log"))

	succeed(t, os.Remove(filler))
	awaitMetric(t, n, "fleetfuse_store_ok", 1)
	awaitEvent(t, f, "that the store works", part("recovered", "store"))
	awaitEvent(t, f, "that the event log works", part("recovered", "event log"))
	awaitMetric(t, n, "fleetfuse_events_pending", 0)
	for _, host := range []string{"a.example.org", "b.example.org", "opened.example.org"} {
		awaitListed(t, "durable", n, host, func(b api.Breaker) bool { return b.Durable })
	}
	n.Kill()
	n = startNode(t, dir, "n1")
	for _, host := range []string{"a.example.org", "b.example.org"} {
		if k := countEvents(eventsAt(t, n).Events, "cooldown", host); k != 1 {
			t.Errorf("the cooldown of %s, set while the disk was full, is in the log %d times", host, k)
		}
	}
	for _, host := range []string{"a.example.org", "b.example.org", "opened.example.org"} {
		awaitAll(t, "what waited for room", host, rejected, n)
	}
}

// fillDisk writes a file until there is no room for more.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f := must(os.Create(path))(t)
	defer f.Close()
	for size := 1 << 16; size > 0; size /= 2 {
		for _, err := f.Write(make([]byte, size)); err == nil; _, err = f.Write(make([]byte, size)) {
		}
	}
}
