package canary_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/tuner/canary"
)

func hosts(n int) (keys []breaker.Key) {
	for i := range n {
		keys = append(keys, breaker.HostKey(fmt.Sprintf("h%d.example.org", i)))
	}
	return keys
}

func TestChooseCount(t *testing.T) {
	for _, c := range []struct {
		hosts int
		share float64
		want  int
	}{
		{0, 0.1, 0}, {1, 0.1, 1}, {9, 0.1, 1}, {10, 0.1, 1}, {19, 0.1, 1}, {20, 0.1, 2}, {30, 0.1, 3}, {70, 0.1, 7}, {1000, 0.05, 50},
		{1000, 0, 1}, {1000, -1, 1}, {1000, math.NaN(), 1}, {1000, 1, 100}, {1000, math.Inf(1), 100}, {1000, math.Inf(-1), 1},
	} {
		if got := canary.Choose(hosts(c.hosts), c.share, "plan"); len(got) != c.want {
			t.Errorf("%v of %d: %d, want %d", c.share, c.hosts, len(got), c.want)
		}
	}
}

func TestChooseDependsOnTheSetAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := hosts(rapid.IntRange(0, 50).Draw(t, "hosts"))
		share, seed := rapid.Float64().Draw(t, "share"), rapid.String().Draw(t, "seed")
		want := canary.Choose(keys, share, seed)
		shuffled := rapid.Permutation(append(slices.Clone(keys), keys...)).Draw(t, "order")
		if diff := cmp.Diff(want, canary.Choose(shuffled, share, seed)); diff != "" {
			t.Fatal(diff)
		}
		for _, k := range want {
			if !slices.Contains(keys, k) {
				t.Fatalf("%s was never a host", k)
			}
		}
		if len(want) > max(1, len(keys)/10) || len(keys) > 0 && len(want) == 0 || !slices.IsSorted(want) {
			t.Fatalf("%v of %d", want, len(keys))
		}
	})
}

// Which hosts go first is the same on all nodes and in all versions.
func TestChooseIsFixed(t *testing.T) {
	got := canary.Choose(hosts(30), 0.1, "plan-7")
	if diff := cmp.Diff([]breaker.Key{"host:h0.example.org", "host:h14.example.org", "host:h9.example.org"}, got); diff != "" {
		t.Error(diff)
	}
}

// Each host goes first about as often as any other.
func TestChooseIsFair(t *testing.T) {
	count := map[breaker.Key]int{}
	for seed := range 2000 {
		for _, k := range canary.Choose(hosts(50), 0.1, fmt.Sprint(seed)) {
			count[k]++
		}
	}
	for _, k := range hosts(50) { // 200 expected, deviation 13
		if count[k] < 140 || count[k] > 260 {
			t.Errorf("%s was chosen %d times of 2000", k, count[k])
		}
	}
}
