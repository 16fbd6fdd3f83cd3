package view

import "fleetfuse/breaker"

// Buckets is how many parts a digest has: views are compared part by part.
const Buckets = 256

// BucketOf is the part of the digest a key belongs to.
func BucketOf(key breaker.Key) int { return int(hashOf(key).mix() % Buckets) }

// Digest is a sum for each bucket over what its entries are on every node:
// identities and stamps, not the deadlines and renewals, which are this
// machine's own, but for whether a disk said them: a member with a living copy
// then tells it. An empty bucket has the sum zero.
func (v *View) Digest() []uint64 {
	sums := v.sums
	return sums[:]
}

// KeysIn lists the keys in some buckets.
func (v *View) KeysIn(buckets []int) []breaker.Key {
	var keys []breaker.Key
	var listed [Buckets]bool
	for _, b := range buckets {
		if b < 0 || b >= Buckets || listed[b] {
			continue
		}
		listed[b] = true
		for k := range v.buckets[b] {
			keys = append(keys, k)
		}
	}
	return keys
}

// sumOf is what an entry adds to its bucket: the sum over its parts, because
// the order of its cooldowns depends on this machine's deadlines.
func sumOf(key breaker.Key, s *breaker.Snapshot) uint64 {
	var sum uint64
	start := hashOf(key)
	for i := range s.Cooldowns {
		c := &s.Cooldowns[i]
		sum += start.number('d').text(c.Setter).number(uint64(c.Stamp)).from(c.Disk).mix()
	}
	if c := &s.Circuit; c.Stamp != 0 || c.State != breaker.Closed {
		sum += start.number('c').number(uint64(c.Stamp)).number(uint64(c.State)).number(uint64(c.Opens)).
			text(string(c.Reason)).text(c.Role).text(c.Detail).from(c.Disk).mix()
	}
	if s.Clear != 0 {
		sum += start.number('x').number(uint64(s.Clear)).mix()
	}
	for i := range s.Overlays {
		o := &s.Overlays[i]
		sum += start.number('o').number(uint64(o.Register)).number(uint64(o.Stamp)).text(o.Fields).text(o.Temporary).from(o.Disk && o.Temporary != "").mix()
	}
	return sum
}

// hash is FNV-1a in progress. All nodes must agree on it, whatever their
// version.
type hash uint64

func hashOf(key breaker.Key) hash { return hash(14695981039346656037).text(string(key)) }

// text adds a string and its length, so that two texts do not run together.
func (h hash) text(s string) hash {
	for i := range len(s) {
		h = (h ^ hash(s[i])) * 1099511628211
	}
	return h.number(uint64(len(s)))
}

func (h hash) number(n uint64) hash { return (h ^ hash(hash(n).mix())) * 1099511628211 }

// from adds that a disk said it; what is living is as versions before knew it.
func (h hash) from(disk bool) hash {
	if disk {
		return h.number('w')
	}
	return h
}

// mix spreads the bits (the finaliser of SplitMix64).
func (h hash) mix() uint64 {
	x := uint64(h)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
