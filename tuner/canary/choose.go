package canary

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"

	"fleetfuse/breaker"
)

// MaxShare is the largest part of the hosts on which a change is tried.
const MaxShare = 0.1

// Choose picks the hosts on which a change is tried first: the share of them, at
// most MaxShare, rounded down, but at least one. It depends on the set of hosts
// and the seed (the id of the plan) alone, so every node chooses the same, and
// another plan others. The answer is sorted.
func Choose(hosts []breaker.Key, share float64, seed string) []breaker.Key {
	type ranked struct {
		rank [sha256.Size]byte
		key  breaker.Key
	}
	if !(share > 0) {
		share = 0
	}
	var order []ranked
	for _, k := range slices.Compact(slices.Sorted(slices.Values(hosts))) {
		order = append(order, ranked{sha256.Sum256([]byte(seed + "\x00" + string(k))), k})
	}
	slices.SortFunc(order, func(a, b ranked) int {
		return cmp.Or(bytes.Compare(a.rank[:], b.rank[:]), cmp.Compare(a.key, b.key))
	})
	// A little more than the share, as 0.1 of 30 is 2.9999… in floats.
	n := int(min(share, MaxShare)*float64(len(order)) + 1e-9)
	n = min(max(n, 1), len(order))
	var chosen []breaker.Key
	for _, r := range order[:n] {
		chosen = append(chosen, r.key)
	}
	slices.Sort(chosen)
	return chosen
}
