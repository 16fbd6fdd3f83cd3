package view_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
)

// whole is the digest computed afresh: the sums are kept up to date entry by
// entry, so a new view of the same entries must come to the same.
func whole(v *view.View) []uint64 {
	fresh := view.New(view.MaxExceptions)
	for k, s := range all(v) {
		fresh.Merge(k, s)
	}
	return fresh.Digest()
}

func TestDigestFollowsTheView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := view.New(rapid.IntRange(1, 5).Draw(t, "limit"))
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "step") == 0 {
				forget(v, breaker.Instant(rapid.Int64Range(1, int64(30*time.Minute)).Draw(t, "now")))
			} else {
				w := drawWord(t)
				v.Merge(w.key, w.snap)
			}
			if got, want := v.Digest(), whole(v); !slices.Equal(got, want) {
				t.Fatalf("the digest is not that of the entries %+v", all(v))
			}
		}
		forget(v, 1<<62)
		if got := v.Digest(); len(got) != view.Buckets || !slices.Equal(got, make([]uint64, view.Buckets)) {
			t.Fatalf("an empty view's digest is not zero: %v", got)
		}
	})
}

// What is a machine's own does not show: deadlines, where they were read from,
// renewals.
func TestDigestIsTheSameOnEveryMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.Custom(drawWord)).Draw(t, "words")
		later := breaker.Instant(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "another origin"))
		a, b := view.New(view.MaxExceptions), view.New(view.MaxExceptions)
		for _, w := range words {
			a.Merge(w.key, w.snap)
		}
		for _, w := range rapid.Permutation(words).Draw(t, "order") {
			s := w.snap.Clone()
			s.Renewed = later
			s.Circuit.Until, s.Circuit.Keep, s.Circuit.FirstTrip = s.Circuit.Until+later, s.Circuit.Keep+later, later
			s.ClearKept += later
			for i := range s.Cooldowns {
				s.Cooldowns[i].Until += later
			}
			b.Merge(w.key, s)
		}
		if !slices.Equal(a.Digest(), b.Digest()) {
			t.Fatalf("the digests differ:\n%+v\n%+v", all(a), all(b))
		}
	})
}

// One identity more or less, or another, changes the bucket of its key only.
func TestDigestShowsEveryDifference(t *testing.T) {
	circuit := breaker.Circuit{State: breaker.Open, Stamp: 7, Until: 9, Opens: 2, Reason: "r", Role: "ab", Detail: "c"}
	with := func(change func(*breaker.Circuit)) breaker.Snapshot {
		c := circuit
		change(&c)
		return breaker.Snapshot{Circuit: c}
	}
	cooldown := func(setter string, stamp breaker.Stamp) breaker.Snapshot {
		return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: setter, Stamp: stamp, Until: 9}}}
	}
	seen := map[uint64]int{}
	for i, s := range []breaker.Snapshot{
		with(func(*breaker.Circuit) {}),
		with(func(c *breaker.Circuit) { c.Stamp++ }),
		with(func(c *breaker.Circuit) { c.Opens++ }),
		with(func(c *breaker.Circuit) { c.State = breaker.Closed }),
		with(func(c *breaker.Circuit) { c.Reason = "s" }),
		with(func(c *breaker.Circuit) { c.Role, c.Detail = "a", "bc" }),
		with(func(c *breaker.Circuit) { c.Detail = "d" }),
		with(func(c *breaker.Circuit) { c.Disk = true }), // a living copy elsewhere is to replace it
		cooldown("n1", 7), cooldown("n2", 7), cooldown("n1", 8), {Clear: 7, ClearKept: 9},
	} {
		v := view.New(1)
		v.Merge("host:a", s)
		for b, sum := range v.Digest() {
			if (sum != 0) != (b == view.BucketOf("host:a")) {
				t.Errorf("%+v: bucket %d has the sum %d", s, b, sum)
			}
			if other, there := seen[sum]; there && sum != 0 {
				t.Errorf("%d and %d have the same sum", other, i)
			}
			seen[sum] = i
		}
	}
}

func TestKeysIn(t *testing.T) {
	v := view.New(view.MaxExceptions)
	const n = 5000
	for i := range n {
		v.Merge(breaker.HostKey(fmt.Sprint(i)), breaker.Snapshot{Clear: 1, ClearKept: 1})
	}
	total := 0
	for b := range view.Buckets {
		keys := v.KeysIn([]int{b, b})
		for _, k := range keys {
			if view.BucketOf(k) != b {
				t.Fatalf("%s is in bucket %d, found in %d", k, view.BucketOf(k), b)
			}
		}
		if len(keys) > 3*n/view.Buckets {
			t.Errorf("bucket %d has %d of %d keys", b, len(keys), n)
		}
		total += len(keys)
	}
	if total != n || len(v.KeysIn([]int{-1, view.Buckets})) != 0 {
		t.Errorf("%d keys in all buckets, want %d and none elsewhere", total, n)
	}
}

// All nodes must agree, also those of another version.
func TestDigestNeverChanges(t *testing.T) {
	v := view.New(1)
	v.Merge("host:api.example.org", breaker.Snapshot{
		Cooldowns: []breaker.Cooldown{{Setter: "n1", Stamp: 5, Until: 9}},
		Circuit:   breaker.Circuit{State: breaker.Open, Stamp: 6, Until: 9, Opens: 2, Reason: breaker.ReasonRolling, Role: "x"},
		Clear:     4, ClearKept: 9,
	})
	b := view.BucketOf("host:api.example.org")
	if got := fmt.Sprintf("%d %x", b, v.Digest()[b]); got != "62 d959f2cd56a53c64" {
		t.Errorf("bucket and sum are %s", got)
	}
}

func TestMergeOfWhatIsKnownDoesNotAllocate(t *testing.T) {
	v := view.New(1)
	s := breaker.Snapshot{Circuit: breaker.Circuit{State: breaker.Open, Stamp: 6, Until: 9}}
	v.Merge("host:a", s)
	if n := testing.AllocsPerRun(100, func() { v.Merge("host:a", s) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
