package planner_test

import (
	"syscall"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
)

// cpu is the time the process was given: the wall clock counts what others do.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// One pass is one bucket of 100,000 hosts, observed and advised. Of 20,000 the planner
// knows what is usual; the others are advised without.
func BenchmarkFleet(b *testing.B) {
	const hosts = 100_000
	p, policy := planner.New(settings()), breaker.DefaultPolicy()
	seen, metrics := make([]planner.Seen, hosts), make([]tuner.HostMetrics, hosts)
	at := int64(1_000_000)
	tick := func() {
		at++
		for i := range seen {
			seen[i].At = at
		}
		p.Observe(seen, at)
	}
	for i := range seen {
		key := host(i)
		seen[i] = planner.Seen{Key: key, Bucket: tuner.Bucket{Judged: 20, Failures: uint64(i % 50 / 49), LatencyLogs: -30, LatencyCalls: 20}}
		metrics[i] = tuner.HostMetrics{
			Key: key, Window: 10 * time.Minute, All: tuner.Counts{Successes: 990, Server: 10}, Nodes: []string{"n1", "n2", "n3"}, Members: 3,
		}
		if i%100 == 0 {
			metrics[i].All = tuner.Counts{Successes: 3000, Limited: 300, Server: 30, ProbesFailed: 8, ProbesOK: 2}
		}
	}
	for range 40 {
		tick()
	}
	advised, start := 0, cpu(b)
	for b.Loop() {
		tick()
		for _, a := range p.Advise(metrics, func(breaker.Key) *breaker.Policy { return &policy }) {
			advised += len(a.Suggestions)
		}
	}
	spent := cpu(b) - start
	if advised == 0 {
		b.Fatal("nobody was advised")
	}
	b.ReportMetric(spent.Seconds()/float64(b.N), "cpu-s/100k-hosts")
}
