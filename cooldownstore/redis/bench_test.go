package redis_test

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// fill returns words of n hosts, i tells apart what is put over each other.
func fill(n, i int) []cooldownstore.SharedWord {
	const now = breaker.Instant(1_000 * time.Hour)
	wall := time.Now()
	words := make([]cooldownstore.SharedWord, n)
	for j := range words {
		left := time.Hour + time.Duration(i)*time.Minute
		words[j] = cooldownstore.ShareSnapshot(breaker.HostKey(fmt.Sprintf("host%d.example.org", j)), breaker.Snapshot{
			Cooldowns: []breaker.Cooldown{{
				Setter: "node-a", Stamp: breaker.StampAt(wall) + breaker.Stamp(i), Until: now.Add(left), Length: left, Reason: breaker.ReasonRetryAfter,
			}},
		}, now, wall)
	}
	return words
}

// BenchmarkPut puts words of 10,000 keys: such that are not there yet, and such
// that are and change.
func BenchmarkPut(b *testing.B) {
	const n = 10_000
	for _, name := range []string{"new", "changed"} {
		b.Run(name, func(b *testing.B) {
			server := start(b)
			s := open(b, server.url())
			i := 0
			for b.Loop() {
				b.StopTimer()
				if name == "new" {
					server.do(b, "FLUSHALL")
				}
				words := fill(n, i)
				i++
				b.StartTimer()
				if err := s.Put(b.Context(), words); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "words/s")
		})
	}
}

// BenchmarkEach lists 100,000 keys among 100,000 others.
func BenchmarkEach(b *testing.B) {
	const n = 100_000
	server := start(b)
	s := open(b, server.url())
	if err := s.Put(b.Context(), fill(n, 0)); err != nil {
		b.Fatal(err)
	}
	server.do(b, "EVAL", "for i = 1, 100000 do redis.call('SET', 'other:' .. i, i) end", 0)
	for b.Loop() {
		got := 0
		err := s.Each(b.Context(), func(cooldownstore.SharedWord) bool { got++; return true })
		if err != nil || got != n {
			b.Fatalf("%d words, %v", got, err)
		}
	}
}
