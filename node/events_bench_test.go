package node

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry/eventlog"
)

var sustain = flag.Duration("events-sustain", 2*time.Second, "how long BenchmarkTenThousandTransitions lasts")

// newChronicle is one that writes into a directory, or with "" in memory only.
func newChronicle(t testing.TB, dir string) *chronicle {
	t.Helper()
	log, err := eventlog.Open(t.Context(), dir, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &chronicle{log: log, clock: clock.New(), node: "n1", name: func(id string) string { return "name of " + id }}
	t.Cleanup(func() {
		c.clock.Stop()
		if err := log.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return c
}

// asked is what an owner announces of a Retry-After.
func (c *chronicle) asked(key breaker.Key) breaker.Announcement {
	p := breaker.DefaultPolicy()
	m, mo := breaker.New(&p), c.clock.Moment(1)
	e := m.Cool(mo, breaker.Cooldown{
		Setter: "id1", Stamp: mo.Stamp, Until: mo.Now.Add(time.Minute), Length: time.Minute, Reason: breaker.ReasonRetryAfter, Detail: "Retry-After: 60",
	})
	return *e.Announce
}

// BenchmarkAnnounced is what writing a transition down costs its actor, while the
// log is written to a disk.
func BenchmarkAnnounced(b *testing.B) {
	c := newChronicle(b, b.TempDir())
	list := make([]breaker.Announcement, 10_000)
	keys := make([]breaker.Key, len(list))
	for i := range list {
		keys[i] = breaker.HostKey(fmt.Sprintf("h%d.example.org", i))
		list[i] = c.asked(keys[i])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		a := list[i%len(list)]
		cooldown := slices.Clone(a.Snapshot.Cooldowns)
		cooldown[0].Stamp = c.clock.Stamp() // each time another
		a.Snapshot.Cooldowns = cooldown
		c.announced(keys[i%len(list)], a)
	}
	if h := c.log.Health(); h.Duplicates > 0 {
		b.Errorf("%d were duplicates", h.Duplicates)
	}
}

// BenchmarkTenThousandTransitions has one owner announce 10,000 transitions a
// second, for as long as -events-sustain says: none may be lost, and memory stays.
func BenchmarkTenThousandTransitions(b *testing.B) {
	const rate, tick = 10_000, 10 * time.Millisecond
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	for b.Loop() {
		c := newChronicle(b, b.TempDir())
		total, said := int(sustain.Seconds()*rate), 0
		began, worst, pending := time.Now(), time.Duration(0), 0
		var half float64
		beat := time.NewTicker(tick)
		for said < total {
			<-beat.C
			for due := min(total, int(time.Since(began).Seconds()*rate)); said < due; said++ {
				key := breaker.HostKey(fmt.Sprintf("h%d.example.org", said%50_000))
				a := c.asked(key)
				before := time.Now()
				c.announced(key, a)
				worst = max(worst, time.Since(before))
				if said == total/2 {
					half = heap()
				}
			}
			pending = max(pending, c.log.Health().Pending)
		}
		beat.Stop()
		took := time.Since(began)
		if err := c.log.Flush(b.Context()); err != nil {
			b.Error(err)
		}
		h := c.log.Health()
		if h.Appended != uint64(total) || h.Dropped > 0 || h.Duplicates > 0 {
			b.Errorf("of %d: %+v", total, h)
		}
		b.ReportMetric(float64(total)/took.Seconds(), "transitions/s")
		b.ReportMetric(float64(h.Dropped), "lost")
		b.ReportMetric(float64(pending), "most-pending")
		b.ReportMetric(float64(worst.Microseconds()), "worst-µs")
		b.ReportMetric(half, "heap-half-MiB")
		b.ReportMetric(heap(), "heap-end-MiB")
	}
}
