//go:build cgo

package sqlite_test

import (
	"testing"

	"fleetfuse/cooldownstore"
)

// BenchmarkSave writes a full batch of evidence: one cooldown and one circuit
// for each of 1,000 keys.
func BenchmarkSave(b *testing.B) {
	s := open(b, b.TempDir())
	records := make([]cooldownstore.Record, 1000)
	for i := range records {
		records[i] = crashRecord(i)
	}
	for _, d := range []cooldownstore.Durability{cooldownstore.SurvivesKill, cooldownstore.SurvivesPowerLoss} {
		for _, n := range []int{1, 1000} {
			name := map[cooldownstore.Durability]string{cooldownstore.SurvivesKill: "kill", cooldownstore.SurvivesPowerLoss: "power-loss"}[d]
			b.Run(name+"/"+map[int]string{1: "one", 1000: "thousand"}[n], func(b *testing.B) {
				for b.Loop() {
					if err := s.Save(b.Context(), records[:n], d); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
