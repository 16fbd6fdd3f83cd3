package client

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

func newReports() *reports {
	return &reports{signal: make(chan struct{}, 1), tallies: map[breaker.Key]*tallies{}, dates: map[dated]string{}}
}

// many are n hosts, each with a success that waits.
func many(n int) (*reports, []breaker.Key) {
	r, keys := newReports(), make([]breaker.Key, n)
	for i := range keys {
		keys[i] = breaker.HostKey(fmt.Sprintf("api-%07d.svc.example.com.net", i))
		r.succeeded(keys[i], "", 1, 1, 2)
	}
	return r, keys
}

// What a failure sends before itself are the successes of its host, those of
// all roles, and of no other.
func TestTalliesOfAHostGoBeforeItsFailure(t *testing.T) {
	r, _ := many(3)
	key := breaker.HostKey("a.example")
	for i, role := range []string{"metadata", "", "artifact", "metadata"} {
		r.succeeded(key, role, i+1, breaker.Instant(10+i), breaker.Instant(20+i))
	}
	r.flushTally(key)
	r.flushTally(key)
	list := r.batch()
	slices.SortFunc(list, func(a, b report) int { return a.outcome.Count - b.outcome.Count })
	want := []api.Outcome{
		{Host: "a.example", Status: 200, Count: 2, NoPermit: true},
		{Host: "a.example", Role: "artifact", Status: 200, Count: 3, NoPermit: true},
		{Host: "a.example", Role: "metadata", Status: 200, Count: 5, NoPermit: true},
	}
	if len(list) != len(want) {
		t.Fatalf("got %+v, want %+v", list, want)
	}
	for i := range want {
		if list[i].outcome != want[i] {
			t.Errorf("got %+v, want %+v", list[i].outcome, want[i])
		}
	}
	if list[2].began != 13 || list[2].ended != 23 {
		t.Errorf("the times are those of the success that began last; got %v to %v", list[2].began, list[2].ended)
	}
	if r.flushTallies(); len(r.batch()) != 3 {
		t.Error("the successes of other hosts are not sent")
	}
}

// What waits has a limit; the oldest go, in time that does not grow with it.
func TestWhatWaitsHasALimit(t *testing.T) {
	r := newReports()
	for i := range 3 * maxWaiting {
		r.add(report{began: breaker.Instant(i)})
		if len(r.waiting) > maxWaiting || r.waiting[len(r.waiting)-1].began != breaker.Instant(i) {
			t.Fatalf("after %d: %d wait, at most %d; the last is %v", i, len(r.waiting), maxWaiting, r.waiting[len(r.waiting)-1].began)
		}
	}
	if len(r.waiting) < maxWaiting-batchSize || r.waiting[0].began != breaker.Instant(3*maxWaiting-len(r.waiting)) {
		t.Errorf("%d wait, from the one of %v", len(r.waiting), r.waiting[0].began)
	}
}

// A failure looks neither at all hosts nor at all that waits: every success waits
// for the lock meanwhile. A thousand of either took half a second and more.
func TestAFailureCostsTheSameAmongMany(t *testing.T) {
	r, _ := many(50_000)
	for range maxWaiting {
		r.add(report{})
	}
	for what, fail := range map[string]func(){
		"the successes of its host": func() { r.flushTally("host:a.example") },
		"room for it":               func() { r.add(report{}) },
	} {
		began := processCPU(t)
		for range 1000 {
			fail()
		}
		if took := processCPU(t) - began; took > 100*time.Millisecond {
			t.Errorf("%s: a thousand failures took %v", what, took)
		}
	}
}

// processCPU is not wall time, which a busy machine lengthens.
func processCPU(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkReports is what reports.mu is held for: 10,000 hosts, of which some
// calls fail.
func BenchmarkReports(b *testing.B) {
	for _, failing := range []int{0, 10, 100} {
		b.Run(fmt.Sprintf("%d%% failing", failing), func(b *testing.B) {
			r, keys := many(10_000)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				key := keys[i%len(keys)]
				if i%100 >= failing {
					r.succeeded(key, "", 1, 1, 2)
					continue
				}
				r.flushTally(key)
				r.add(report{key: key})
				if i%batchSize == 0 {
					_ = r.batch()
				}
			}
		})
	}
	b.Run("away", func(b *testing.B) { // nothing is sent
		r, keys := many(10_000)
		for range maxWaiting {
			r.add(report{})
		}
		for i := 0; b.Loop(); i++ {
			r.add(report{key: keys[i%len(keys)]})
		}
	})
}
