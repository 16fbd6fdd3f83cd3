package placement_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fleetfuse/cluster/placement"
)

func nodes(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("node-%d", i)
	}
	return ids
}

// TestRanked: the first owns the key, and each next one does when those before it
// are gone.
func TestRanked(t *testing.T) {
	for i := range 200 {
		left := nodes(7)
		for _, id := range placement.New(left).Ranked(keyOf(i)) {
			if owner := placement.New(left).Owner(keyOf(i)); owner != id {
				t.Fatalf("%s of %v is owned by %s, ranked is %s", keyOf(i), left, owner, id)
			}
			left = slices.DeleteFunc(left, func(x string) bool { return x == id })
		}
		if len(left) > 0 {
			t.Fatalf("%v are not ranked", left)
		}
	}
}

func keyOf(i int) string { return fmt.Sprintf("host:h%d.example.org", i) }

const keys = 100_000

func TestSpread(t *testing.T) {
	for _, ids := range [][]string{
		{"a", "b", "c", "d", "e"},
		nodes(5),
		{"6f9619ff8b86d011", "6f9619ff8b86d012", "6f9619ff8b86d013", "7f9619ff8b86d011", "0"},
	} {
		r := placement.New(ids)
		owned := map[string]int{}
		for i := range keys {
			owned[r.Owner(keyOf(i))]++
		}
		for _, id := range ids {
			if share := keys / len(ids); 10*owned[id] > 11*share || 10*owned[id] < 9*share {
				t.Errorf("of %q, %s owns %d keys; want about %d", ids, id, owned[id], share)
			}
		}
	}
}

// A join moves keys only to the new member, a leave only from the one that left.
func TestJoinMovesLittle(t *testing.T) {
	for _, n := range []int{1, 2, 5, 20} {
		before, after := placement.New(nodes(n)), placement.New(nodes(n+1))
		moved := 0
		for i := range keys {
			was, is := before.Owner(keyOf(i)), after.Owner(keyOf(i))
			if was == is {
				continue
			}
			if moved++; is != nodes(n + 1)[n] {
				t.Fatalf("%s moved from %s to %s, which was there before", keyOf(i), was, is)
			}
		}
		if got, limit := float64(moved)/keys, 1/float64(n+1)+0.02; got > limit {
			t.Errorf("a join to %d members moved %.3f of the keys; want at most %.3f", n, got, limit)
		}
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	ids := nodes(7)
	r := placement.New(ids)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		mixed := append(slices.Clone(ids), ids[3], ids[0]) // mentioned twice
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		other := placement.New(mixed)
		if !slices.Equal(other.Members(), r.Members()) || other.Len() != len(ids) {
			t.Fatalf("members of %q = %q", mixed, other.Members())
		}
		for i := range 1000 {
			if a, b := r.Owner(keyOf(i)), other.Owner(keyOf(i)); a != b {
				t.Fatalf("%s is owned by %s, or %s in the order %q", keyOf(i), a, b, mixed)
			}
		}
	}
}

// All nodes must agree, also those of another version.
func TestOwnersNeverChange(t *testing.T) {
	r := placement.New(nodes(5))
	got := ""
	for i := range 24 {
		got += strings.TrimPrefix(r.Owner(keyOf(i)), "node-")
	}
	if want := "220102021413344120402211"; got != want {
		t.Errorf("owners = %s, want %s", got, want)
	}
}

func TestRingKeepsItsMembers(t *testing.T) {
	ids := []string{"b", "a"}
	r := placement.New(ids)
	owner := r.Owner("host:x")
	ids[0], ids[1] = "c", "c"
	r.Members()[0] = "z"
	if got := r.Members(); !slices.Equal(got, []string{"a", "b"}) || r.Owner("host:x") != owner {
		t.Errorf("a change of its input made the ring %q", got)
	}
}

func TestNoMembers(t *testing.T) {
	for _, r := range []placement.Ring{{}, placement.New(nil)} {
		if got := r.Owner("host:a"); got != "" || r.Len() != 0 || len(r.Members()) != 0 {
			t.Errorf("owner without members = %q, %d members", got, r.Len())
		}
	}
}

func TestOwnerDoesNotAllocate(t *testing.T) {
	r, key := placement.New(nodes(5)), keyOf(1)
	if n := testing.AllocsPerRun(100, func() { r.Owner(key) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkOwner(b *testing.B) {
	for _, n := range []int{5, 128} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r, key := placement.New(nodes(n)), "host:api.example.org"
			b.ReportAllocs()
			for b.Loop() {
				r.Owner(key)
			}
		})
	}
}
