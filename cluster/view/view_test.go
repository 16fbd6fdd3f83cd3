package view_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
)

// word is what somebody says of a key. Its stamp is its identity: two words
// with one stamp say the same.
type word struct {
	key  breaker.Key
	snap breaker.Snapshot
}

func drawWord(t *rapid.T) word {
	stamp := breaker.Stamp(rapid.IntRange(1, 30).Draw(t, "stamp"))
	until := breaker.Instant(time.Duration(stamp*7%13+1) * time.Minute)
	w := word{key: breaker.HostKey(fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "key")))}
	switch stamp % 4 {
	case 0:
		w.snap.Cooldowns = []breaker.Cooldown{{Setter: "n1", Stamp: stamp, Until: until, Length: time.Minute, Reason: breaker.ReasonRetryAfter}}
	case 1:
		w.snap.Circuit = breaker.Circuit{State: breaker.Open, Stamp: stamp, Until: until, Opens: 1, Reason: breaker.ReasonConsecutive}
	case 2:
		w.snap.Circuit = breaker.Circuit{Stamp: stamp, Keep: until}
	case 3:
		w.snap.Clear, w.snap.ClearKept = stamp, until
	}
	return w
}

func all(v *view.View) map[breaker.Key]breaker.Snapshot {
	m := map[breaker.Key]breaker.Snapshot{}
	v.Each(func(k breaker.Key, s breaker.Snapshot) bool {
		m[k] = s
		return true
	})
	return m
}

func TestViewsAgreeWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.Custom(drawWord)).Draw(t, "words")
		a, b := view.New(view.MaxExceptions), view.New(view.MaxExceptions)
		for _, w := range words {
			a.Merge(w.key, w.snap)
		}
		for _, w := range append(rapid.Permutation(words).Draw(t, "order"), words...) { // everything twice
			b.Merge(w.key, w.snap)
		}
		if diff := cmp.Diff(all(a), all(b)); diff != "" {
			t.Fatalf("views differ (-a +b):\n%s", diff)
		}
	})
}

func TestMergeSaysWhatChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := view.New(view.MaxExceptions)
		for _, w := range rapid.SliceOf(rapid.Custom(drawWord)).Draw(t, "words") {
			before := v.Of(w.key)
			merged, changed, evicted := v.Merge(w.key, w.snap)
			if now := v.Of(w.key); !cmp.Equal(now, merged) || changed == cmp.Equal(before, now) || evicted != "" {
				t.Fatalf("Merge said %+v, %v, %q; the entry went from %+v to %+v", merged, changed, evicted, before, now)
			}
		}
	})
}

// forget drops everything that is due.
func forget(v *view.View, now breaker.Instant) (changed []breaker.Key) {
	for range view.Turns {
		changed = append(changed, v.Forget(now)...)
	}
	return changed
}

func TestForget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := view.New(view.MaxExceptions)
		for _, w := range rapid.SliceOf(rapid.Custom(drawWord)).Draw(t, "words") {
			v.Merge(w.key, w.snap)
		}
		before := all(v)
		now := breaker.Instant(rapid.Int64Range(1, int64(40*time.Minute)).Draw(t, "now"))
		changed := map[breaker.Key]bool{}
		for _, k := range forget(v, now) {
			changed[k] = true
		}
		for k, was := range before {
			is := v.Of(k)
			if changed[k] == cmp.Equal(was, is) {
				t.Fatalf("%s went from %+v to %+v, said to have changed: %v", k, was, is, changed[k])
			}
			if is.Deadline(now) == 0 && !is.Empty() {
				t.Fatalf("%s keeps %+v for good", k, is)
			}
		}
		for k, s := range all(v) {
			if s.Empty() {
				t.Fatalf("%s is an entry with nothing in it", k)
			}
		}
		if again := forget(v, now); len(again) != 0 {
			t.Fatalf("a second Forget changed %v", again)
		}
	})
}

func TestLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 50).Draw(t, "limit") // small enough for the sample to be everything
		v := view.New(limit)
		for i := range 3 * limit {
			s := breaker.Snapshot{Circuit: breaker.Circuit{
				State: breaker.Open, Stamp: breaker.Stamp(i + 1), Until: breaker.Instant(rapid.IntRange(1, 1_000_000).Draw(t, "until")),
			}}
			_, _, evicted := v.Merge(breaker.HostKey(fmt.Sprint(i)), s)
			if (evicted != "") != (i >= limit) {
				t.Fatalf("entry %d of at most %d evicted %q", i+1, limit, evicted)
			}
			if gone := v.Of(evicted); !gone.Empty() {
				t.Fatalf("%s was evicted and still there", evicted)
			}
		}
		if v.Len() != limit || v.Dropped() != uint64(2*limit) {
			t.Fatalf("%d entries, %d dropped; want %d and %d", v.Len(), v.Dropped(), limit, 2*limit)
		}
	})
}

func TestTheEntryThatEndsSoonestGoes(t *testing.T) {
	v := view.New(3)
	for i, minutes := range []int{5, 2, 9} {
		v.Merge(breaker.HostKey(fmt.Sprint(minutes)), breaker.Snapshot{Circuit: breaker.Circuit{
			State: breaker.Open, Stamp: breaker.Stamp(i + 1), Until: breaker.Instant(time.Duration(minutes) * time.Minute),
		}})
	}
	_, _, evicted := v.Merge("host:new", breaker.Snapshot{Circuit: breaker.Circuit{
		State: breaker.Open, Stamp: 9, Until: breaker.Instant(time.Hour),
	}})
	if evicted != "host:2" {
		t.Errorf("%s was evicted, want host:2", evicted)
	}
}

// A clear rejects nothing and is what keeps an operator's close; it ends late.
func TestAClearIsNotTheFirstToGo(t *testing.T) {
	v := view.New(2)
	v.Merge("host:cleared", breaker.Snapshot{Clear: 1, ClearKept: now.Add(breaker.KeepClear)})
	v.Merge("host:open", cooldown("n1", 2, now.Add(time.Minute)))
	if _, _, evicted := v.Merge("host:new", cooldown("n1", 3, now.Add(time.Hour))); evicted != "host:open" {
		t.Errorf("%s was evicted, want host:open", evicted)
	}
}

// A full view must not be gone through at once, while everybody waits for it.
func TestForgetTakesTurns(t *testing.T) {
	const n = 5000
	v := view.New(n)
	for i := range n {
		v.Merge(breaker.HostKey(fmt.Sprint(i)), breaker.Snapshot{Clear: 1, ClearKept: 1})
	}
	for range view.Turns {
		if gone := len(v.Forget(now)); gone > 2*n/view.Turns {
			t.Errorf("one call dropped %d of %d", gone, n)
		}
	}
	if v.Len() != 0 {
		t.Errorf("%d entries are due and still there", v.Len())
	}
}

func TestOfIsACopy(t *testing.T) {
	v := view.New(1)
	v.Merge("host:a", breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n1", Stamp: 1, Until: 5}}})
	s := v.Of("host:a")
	s.Cooldowns[0].Until = 99
	if got := v.Of("host:a").Cooldowns[0].Until; got != 5 {
		t.Errorf("a change of the copy reached the view: until %d, want 5", got)
	}
}
