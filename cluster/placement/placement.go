// Package placement says who owns a key: 64-bit rendezvous hashing over the
// members (Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit
// Rates", 1998). It is pure.
package placement

import "hash/fnv"

// Owner returns the member that owns a key: the one with the highest score.
// It is "" without members. The order of members does not matter.
func Owner(members []string, key string) string {
	var owner string
	var best uint64
	for _, m := range members {
		if s := score(m, key); owner == "" || s > best || s == best && m > owner {
			owner, best = m, s
		}
	}
	return owner
}

// score hashes a pair. FNV alone spreads poorly for rendezvous hashing, so its
// bits are mixed once more (the finaliser of SplitMix64).
func score(member, key string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(member))
	h.Write([]byte{0})
	h.Write([]byte(key))
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
