package simulation

import (
	"fmt"
	"testing"
	"time"
)

func TestCampaign(t *testing.T) {
	began := time.Now()
	calls := uint64(0)
	saw := [sometimesCount]uint64{}
	bad := map[string]int{}
	first := map[string]string{}
	for seed := range uint64(200) {
		w := New(Random(seed))
		w.Run()
		calls += w.Counts().Wanted
		for i, n := range w.saw {
			saw[i] += n
		}
		for _, v := range w.Violations() {
			bad[v.Check]++
			if first[v.Check] == "" {
				first[v.Check] = fmt.Sprint(seed, " ", v)
			}
		}
		h := w.Hash()
		w2 := New(Random(seed))
		if seed < 5 {
			w2.Run()
			if w2.Hash() != h {
				t.Error("hash differs", seed)
			}
		}
	}
	took := time.Since(began)
	fmt.Println(calls, took, float64(calls)/took.Seconds())
	for i, n := range saw {
		fmt.Println(Sometimes(i), n)
	}
	for k, n := range bad {
		fmt.Println(n, k, first[k])
	}
}
