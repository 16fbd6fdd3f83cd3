//go:build cgo

package sqlite_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const crowd = 100_000

// cpu is the processor time this process has used: on a machine that others
// use too the only time that says something.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs a benchmark that handles n things at a time.
func measure(b *testing.B, n int, what string, run func()) {
	before := cpu(b)
	for b.Loop() {
		run()
	}
	used := cpu(b) - before
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), what+"/s")
	b.ReportMetric(float64(used.Microseconds())/float64(n*b.N), "cpu-µs/"+what)
}

// pauses are the records of hosts that asked for a pause, which is what a
// fleet remembers most.
func pauses(from, n int) []cooldownstore.Record {
	records := make([]cooldownstore.Record, n)
	for i := range records {
		c := breaker.Cooldown{
			Setter: "01JA7Z3V9Q-node-a", Stamp: breaker.StampAt(time.Now()) + breaker.Stamp(from+i), Until: now.Add(time.Hour),
			Length: time.Hour, Reason: breaker.ReasonRetryAfter, Detail: "429 Too Many Requests",
		}
		key := breaker.HostKey(fmt.Sprintf("h%d.example.org", from+i))
		records[i] = cooldownstore.FromSnapshot(key, breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}, now, time.Now())
	}
	return records
}

// BenchmarkSave writes evidence: cooldowns alone, and a cooldown and a circuit
// for each key.
func BenchmarkSave(b *testing.B) {
	both := make([]cooldownstore.Record, 1000)
	for i := range both {
		both[i] = crashRecord(i)
	}
	for _, bench := range []struct {
		name    string
		records []cooldownstore.Record
		d       cooldownstore.Durability
	}{
		{"cooldowns", pauses(0, 1000), cooldownstore.SurvivesKill}, {"both", both, cooldownstore.SurvivesKill},
		{"one", both[:1], cooldownstore.SurvivesKill}, {"one/power-loss", both[:1], cooldownstore.SurvivesPowerLoss},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := open(b, b.TempDir())
			measure(b, len(bench.records), "record", func() {
				if err := s.Save(b.Context(), bench.records, bench.d); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkSaveNew writes records of ever new keys, in batches of a thousand.
func BenchmarkSaveNew(b *testing.B) {
	s := open(b, b.TempDir())
	at := 0
	measure(b, 1000, "record", func() {
		if err := s.Save(b.Context(), pauses(at, 1000), cooldownstore.SurvivesKill); err != nil {
			b.Fatal(err)
		}
		at += 1000
	})
}

func BenchmarkWithCrowd(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	for from := 0; from < crowd; from += 1000 {
		if err := s.Save(b.Context(), pauses(from, 1000), cooldownstore.SurvivesKill); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("Each", func(b *testing.B) { // what a node reads when it starts
		measure(b, crowd, "record", func() {
			n := 0
			if err := s.Each(b.Context(), func(cooldownstore.Record) bool { n++; return true }); err != nil || n != crowd {
				b.Fatal(n, err)
			}
		})
	})
	b.Run("News", func(b *testing.B) {
		measure(b, 1, "look", func() {
			if err := s.News(b.Context(), func(cooldownstore.Record) bool { b.Fatal("news"); return true }); err != nil {
				b.Fatal(err)
			}
		})
	})
	s.Close()
	b.Run("Open", func(b *testing.B) { // checks the file
		measure(b, 1, "start", func() { open(b, dir).Close() })
	})
}

func BenchmarkShared(b *testing.B) {
	s := openShared(b, sharedFile(b))
	put := func(from int) {
		words := make([]cooldownstore.SharedWord, 1000)
		for i, r := range pauses(from, 1000) {
			words[i] = cooldownstore.SharedWord{Record: r}
		}
		if err := s.Put(b.Context(), words); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("PutNew", func(b *testing.B) {
		at := crowd
		measure(b, 1000, "word", func() { put(at); at += 1000 })
	})
	s = openShared(b, sharedFile(b))
	for from := 0; from < crowd; from += 1000 {
		put(from)
	}
	b.Run("PutOver", func(b *testing.B) { // later words on the same keys
		at := 0
		measure(b, 1000, "word", func() { put(at); at = (at + 1000) % crowd })
	})
	b.Run("Each", func(b *testing.B) {
		measure(b, crowd, "word", func() {
			n := 0
			if err := s.Each(b.Context(), func(cooldownstore.SharedWord) bool { n++; return true }); err != nil || n != crowd {
				b.Fatal(n, err)
			}
		})
	})
}
