//go:build cgo

package eventlog_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/eventlog"
)

// cpu is the processor time this process has used: on a machine that others use
// too the only time that says something.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fresh is opened(i), with the time it is made at: what an owner hands in.
func fresh(i int) telemetry.Event {
	e := opened(i)
	e.Time = time.Now()
	return e
}

// BenchmarkAppend is what the caller waits for: with nobody following, and with
// a thousand who wait for every event. In memory, so that it is not the disk's.
func BenchmarkAppend(b *testing.B) {
	for name, followers := range map[string]int{"alone": 0, "1000-followers": 1000} {
		b.Run(name, func(b *testing.B) {
			l := open(b, "", eventlog.Options{})
			wait := crowd(b.Context(), l, followers)
			b.ReportAllocs()
			events := make([]telemetry.Event, 100_000)
			for i := range events {
				events[i] = opened(i)
			}
			worst, used := time.Duration(0), cpu(b)
			for i := 0; b.Loop(); i++ {
				e := events[i%len(events)]
				e.Stamp += breaker.Stamp(i) << 20 // each time another
				before := time.Now()
				l.Append(e)
				worst = max(worst, time.Since(before))
			}
			b.ReportMetric(float64((cpu(b)-used).Nanoseconds())/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(worst.Microseconds()), "worst-µs")
			b.StopTimer()
			shut(b, l)
			wait()
		})
	}
}

// crowd starts followers that read until the log is closed.
func crowd(ctx context.Context, l *eventlog.Log, n int) (wait func()) {
	var reading sync.WaitGroup
	for range n {
		r := l.Follow(l.Last())
		reading.Go(func() {
			for {
				if _, err := r.Next(ctx); err != nil {
					return
				}
			}
		})
	}
	return reading.Wait
}

// BenchmarkLatency is the time from before an Append to the event in the hands
// of a follower that waited, with the log otherwise at rest.
func BenchmarkLatency(b *testing.B) {
	for name, followers := range map[string]int{"1-follower": 1, "1000-followers": 1000} {
		b.Run(name, func(b *testing.B) {
			l := open(b, b.TempDir(), eventlog.Options{})
			wait := crowd(b.Context(), l, followers-1)
			r := l.Follow(l.Last())
			got := make(chan time.Time)
			go func() {
				for {
					if _, err := r.Next(b.Context()); err != nil {
						return
					}
					got <- time.Now()
				}
			}()
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				for l.Health().Waiting < followers {
					runtime.Gosched()
				}
				before := time.Now()
				l.Append(opened(i))
				took = append(took, (<-got).Sub(before))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
			shut(b, l)
			wait()
		})
	}
}

var (
	sustain = flag.Duration("sustain", 5*time.Second, "how long BenchmarkTenThousandASecond lasts")
	rate    = flag.Int("rate", 10_000, "events a second of BenchmarkTenThousandASecond")
)

// BenchmarkTenThousandASecond appends at a steady rate, with ten followers, and
// says whether anything was lost and what it cost. Run it with -benchtime=1x.
func BenchmarkTenThousandASecond(b *testing.B) {
	for b.Loop() {
		tenThousandASecond(b)
	}
}

func tenThousandASecond(b *testing.B) {
	dir := b.TempDir()
	l := open(b, dir, eventlog.Options{})
	for i := range 2 * eventlog.DefaultBuffer { // what is measured is a log that is full
		l.Append(fresh(-i - 1))
		if i%5000 == 0 {
			flush(b, l)
		}
	}
	flush(b, l)
	written := l.Health().Appended
	ctx, cancel := context.WithCancel(b.Context())
	wait := crowd(ctx, l, 10)
	total := int(sustain.Seconds() * float64(*rate))
	before, used, began := heap(), cpu(b), time.Now()
	worst, pending := pace(l, total)
	took := time.Since(began)
	flush(b, l)
	used = cpu(b) - used
	cancel()
	wait()
	after := heap()
	h := l.Health()
	b.ReportMetric(float64(total)/took.Seconds(), "events/s")
	b.ReportMetric(float64(uint64(total)-(h.Appended-written)+h.Dropped), "lost")
	b.ReportMetric(float64(used.Microseconds())/float64(total), "cpu-µs/event")
	b.ReportMetric(float64(worst.Microseconds()), "worst-append-µs")
	b.ReportMetric(float64(pending), "most-pending")
	b.ReportMetric(before, "heap-before-MB")
	b.ReportMetric(after, "heap-after-MB")
	b.ReportMetric(resident(b), "peak-rss-MB")
	b.ReportMetric(float64(h.Bytes)/1e6, "disk-MB")
	shut(b, l)
	if info, err := os.Stat(filepath.Join(dir, "telemetry.db")); err == nil {
		b.ReportMetric(float64(info.Size())/1e6, "file-MB")
	}
}

// pace appends events at the rate, a millisecond's worth at a time.
func pace(l *eventlog.Log, total int) (worst time.Duration, pending int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for n := 0; n < total; {
		<-tick.C
		due := min(total, int(time.Since(began).Seconds()*float64(*rate)))
		for ; n < due; n++ {
			e := fresh(n)
			before := time.Now()
			l.Append(e)
			worst = max(worst, time.Since(before))
		}
		pending = max(pending, l.Health().Pending)
	}
	return worst, pending
}

// heap is what is in use after a collection, in megabytes.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse) / 1e6
}

// resident is the most memory this process ever had, in megabytes.
func resident(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Maxrss) / 1e3
}

// BenchmarkOpen is a start with a file as large as is kept.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	l := open(b, dir, eventlog.Options{})
	for i := 0; l.Health().Bytes < 200<<20; i++ {
		l.Append(opened(i))
		if i%5000 == 0 {
			flush(b, l)
		}
	}
	shut(b, l)
	for b.Loop() {
		shut(b, open(b, dir, eventlog.Options{}))
	}
	l = open(b, dir, eventlog.Options{})
	b.StopTimer()
	began := time.Now()
	p, err := l.Query(b.Context(), eventlog.Filter{Key: "host:h7.example.org", Newest: true, Limit: 100})
	try(b, err)
	b.ReportMetric(float64(time.Since(began).Microseconds())/1e3, "query-key-ms")
	began = time.Now()
	last := p.Events[len(p.Events)-1].Time
	_, err = l.Query(b.Context(), eventlog.Filter{Since: last.Add(-20 * time.Second), Limit: 1000})
	try(b, err)
	b.ReportMetric(float64(time.Since(began).Microseconds())/1e3, "query-since-ms")
	began = time.Now()
	_, err = l.Query(b.Context(), eventlog.Filter{Since: start, Limit: 1000})
	try(b, err)
	b.ReportMetric(float64(time.Since(began).Microseconds())/1e3, "query-all-ms")
	shut(b, l)
}
