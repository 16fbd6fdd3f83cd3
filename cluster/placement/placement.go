// Package placement says who owns a key: 64-bit rendezvous hashing over the
// members (Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit
// Rates", 1998). It is pure.
package placement

import (
	"cmp"
	"slices"
)

// A Ring is a set of members that own keys. The zero Ring has none. It never
// changes and may be copied and used by several goroutines.
type Ring struct {
	ids    []string // sorted
	hashes []uint64 // of the ids
}

// New returns the ring of these members. Neither their order nor a second
// mention matters.
func New(ids []string) Ring {
	r := Ring{ids: slices.Compact(slices.Sorted(slices.Values(ids)))}
	r.hashes = make([]uint64, len(r.ids))
	for i, id := range r.ids {
		r.hashes[i] = hash(id)
	}
	return r
}

// Owner is the member with the highest score for the key, "" in an empty ring.
func (r Ring) Owner(key string) string {
	k := hash(key)
	owner, best := "", uint64(0)
	for i, h := range r.hashes {
		if s := mix(h ^ k); s > best || owner == "" { // of equal ones the first id
			owner, best = r.ids[i], s
		}
	}
	return owner
}

// Ranked lists the members in the order in which they would own the key, if
// those before them went.
func (r Ring) Ranked(key string) []string {
	k := hash(key)
	order := make([]int, len(r.ids))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(mix(r.hashes[b]^k), mix(r.hashes[a]^k)) })
	ranked := make([]string, len(order))
	for i, at := range order {
		ranked[i] = r.ids[at]
	}
	return ranked
}

// Len is the number of members.
func (r Ring) Len() int { return len(r.ids) }

// Members lists them, sorted.
func (r Ring) Members() []string { return slices.Clone(r.ids) }

// hash is FNV-1a with its bits mixed: it alone spreads poorly for rendezvous
// hashing. All nodes must agree on it, whatever their version.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix spreads the bits (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
