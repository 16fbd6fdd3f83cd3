package replay_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/replay"
)

// A comparison plays each record 34 times: two policies, 8 draws of two
// imputations and one of the third.
func BenchmarkCompare(b *testing.B) {
	l := outages(20*time.Minute, 8*time.Minute, 1).live()
	p := breaker.DefaultPolicy()
	c := replay.Case{Tape: l.tape, Old: p, Proposed: with(p, failMax(8)), Seed: 1}
	records := len(l.tape.Outcomes) + replay.MaxBlocked
	b.ReportAllocs()
	for b.Loop() {
		if got := replay.Compare(&c); got.Episodes == 0 {
			b.Fatal(show(got))
		}
	}
	b.ReportMetric(float64(records), "records")
	b.ReportMetric(float64(records)*34*float64(b.N)/b.Elapsed().Seconds(), "replayed/s")
}
