package gate

import (
	"fmt"
	"strings"
	"testing"
)

func TestHashSpreads(t *testing.T) {
	k := newSeed()
	const n, buckets = 100_000, 1 << 12
	seen := map[uint64]string{}
	var count [buckets]int
	for i := range n {
		name := strings.Repeat("x", i%40) + fmt.Sprint(i)
		h := k.hash(name)
		if other, dup := seen[h]; dup {
			t.Fatalf("%q and %q have the same hash", name, other)
		}
		if again := k.hash(strings.Clone(name)); again != h {
			t.Fatalf("hash of %q = %x, then %x", name, h, again)
		}
		seen[h] = name
		count[h%buckets]++
	}
	for b, c := range count { // 24 are expected in each
		if c > 80 {
			t.Errorf("bucket %d holds %d names, want about %d", b, c, n/buckets)
		}
	}
}
