package tuner

import (
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// cpu is the time the process was given: the wall clock counts what others do.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// One pass is one tick of 100,000 hosts: each is shown a bucket and advised. Most are
// well; in "all at once" every one sends 429s, has opened four times, and had outages.
func BenchmarkFleet(b *testing.B) {
	const hosts = 100_000
	well := seen(Counts{Successes: 990, Server: 10})
	ill := seen(Counts{Successes: 3000, Limited: 300, Server: 30, ProbesFailed: 8, ProbesOK: 2})
	ill.Opens = []Open{falseOpen(0), trueOpen(2, 1), falseOpen(5), trueOpen(7, 1)}
	ill.RetryAfter = []Wait{{2 * time.Minute, 9}, {time.Minute, 4}}
	learned := *knows(0.02)
	for range 5 {
		learned.Outage(9*time.Minute, 10*time.Minute)
	}
	policy, settings := policyWith(nil), DefaultSettings()
	for _, run := range []struct {
		name string
		one  int // of so many is ill
	}{{"one in 100 ill", 100}, {"all at once", 1}} {
		b.Run(run.name, func(b *testing.B) {
			fleet := make([]Memory, hosts)
			for i := range fleet {
				fleet[i] = learned
			}
			at, advised, start := learned.last, 0, cpu()
			for b.Loop() {
				at++
				for i := range fleet {
					m := well
					if i%run.one == 0 {
						m = ill
					}
					fleet[i].Observe(Bucket{At: at, Judged: 20, Failures: uint64(i % 50 / 49), LatencyLogs: -30, LatencyCalls: 20})
					advised += len(Advise(m, policy, &fleet[i], settings).Suggestions)
				}
			}
			spent := cpu() - start
			if advised == 0 {
				b.Fatal("nobody was advised")
			}
			b.ReportMetric(spent.Seconds()/float64(b.N), "cpu-s/100k-hosts")
			b.ReportMetric(float64(unsafe.Sizeof(Memory{}))/4, "B/signal")
		})
	}
}
