package placement_test

import (
	"fmt"
	"testing"

	"fleetfuse/cluster/placement"
)

func TestSpread(t *testing.T) {
	const keys = 100_000
	members := []string{"a", "b", "c", "d", "e"}
	owned := map[string]int{}
	moved := 0
	for i := range keys {
		k := fmt.Sprintf("host:h%d.example.org", i)
		o := placement.Owner(members, k)
		owned[o]++
		if placement.Owner(append(members[:5:5], "f"), k) != o {
			moved++
		}
	}
	for m, n := range owned {
		if float64(n) > 1.1*keys/5 {
			t.Errorf("member %s owns %d of %d keys; want at most 1.1 times its share", m, n, keys)
		}
	}
	if got, limit := float64(moved)/keys, 1.0/6+0.02; got > limit {
		t.Errorf("a join moved %.3f of the keys; want at most %.3f", got, limit)
	}
}

func TestNoMembers(t *testing.T) {
	if got := placement.Owner(nil, "host:a"); got != "" {
		t.Errorf("Owner without members = %q, want none", got)
	}
}
