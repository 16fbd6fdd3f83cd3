package rollup_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// busy is a table whose 2,000 hosts of one role were all called in every bucket
// of an hour, with latencies spread over eight buckets.
func busy(hosts int) *rollup.Table {
	table := rollup.NewTable(rollup.Limits{Hosts: hosts})
	for i := range 360 {
		fill(table, hosts)
		table.Close(rollup.Bucket(1000 + i))
	}
	return table
}

func fill(table *rollup.Table, hosts int) {
	var c rollup.Counts
	for k := range 8 {
		c.Latency.Observe(time.Duration(20<<k)*time.Millisecond, uint64(100+k))
	}
	for h := range hosts {
		c.Successes = uint64(900 + h)
		table.Add(rollup.Series{Key: host(h), Role: "metadata"}, &c)
	}
}

func BenchmarkTable(b *testing.B) {
	const hosts = 2000
	b.Run("close", func(b *testing.B) {
		table := busy(hosts)
		at := rollup.Bucket(2000)
		for b.Loop() {
			fill(table, hosts)
			at++
			table.Close(at)
		}
	})
	b.Run("window 600 s", func(b *testing.B) {
		table := busy(hosts)
		for b.Loop() {
			if rows := table.Window(600 * time.Second); len(rows) != hosts {
				b.Fatal(len(rows))
			}
		}
	})
	b.Run("memory", func(b *testing.B) {
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		for b.Loop() {
			before := heap()
			table := busy(hosts)
			b.ReportMetric(float64(heap()-before)/(1<<20), "MB")
			runtime.KeepAlive(table)
		}
	})
}

func BenchmarkLog(b *testing.B) {
	var log rollup.Log
	o := breaker.Outcome{Kind: breaker.Failure, Count: 1, Evidence: breaker.Evidence{Status: 503}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o.Ended = breaker.Instant(i) * breaker.Instant(time.Second)
		o.Began = o.Ended.Add(-300 * time.Millisecond)
		log.Add(o)
	}
	b.ReportMetric(float64(len(log.Outcomes("n1"))), "records")
	if n := log.Bytes(); n > 4096 {
		b.Fatal(fmt.Sprint(n, " B"))
	}
}
