package gate

import (
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// seed makes a table's hash unpredictable, so that nobody can choose names
// that collide.
type seed [3]uint64

func newSeed() seed { return seed{rand.Uint64(), rand.Uint64() | 1, rand.Uint64() | 1} }

// hash is wyhash for short strings, as the runtime's own where the processor
// has no AES. hash/maphash costs three calls more, a fifth of a decision.
func (k *seed) hash(s string) uint64 {
	p, n := unsafe.Pointer(unsafe.StringData(s)), uintptr(len(s))
	h := k[0] ^ uint64(n)
	for n > 16 {
		h = mum(at64(p, 0)^k[1]^h, at64(p, 8)^k[2])
		p, n = unsafe.Add(p, 16), n-16
	}
	var a, b uint64
	switch {
	case n >= 8:
		a, b = at64(p, 0), at64(p, n-8)
	case n >= 4:
		a, b = uint64(at32(p, 0)), uint64(at32(p, n-4))
	case n > 0:
		a = uint64(at8(p, 0))<<16 | uint64(at8(p, n>>1))<<8 | uint64(at8(p, n-1))
	}
	return mum(mum(a^k[1]^h, b^k[2]), k[1]^h)
}

func mum(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func at64(p unsafe.Pointer, i uintptr) uint64 { return *(*uint64)(unsafe.Add(p, i)) }
func at32(p unsafe.Pointer, i uintptr) uint32 { return *(*uint32)(unsafe.Add(p, i)) }
func at8(p unsafe.Pointer, i uintptr) uint8   { return *(*uint8)(unsafe.Add(p, i)) }
