package sharetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// stamps lists the cooldowns that a handle finds, as milliseconds after the
// start, in order.
func (b bench) stamps(t *testing.T, s cooldownstore.Shared) []int {
	t.Helper()
	w, _, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	got := []int{}
	for _, c := range w.Snapshot.Cooldowns {
		got = append(got, int(c.Stamp.Wall().Sub(b.stamp(0).Wall())/time.Millisecond))
	}
	slices.Sort(got)
	return got
}

func setAgainstSet(t *testing.T, b bench) {
	for i, test := range []struct {
		first, second time.Duration // with stamps 5 and 7
		want          []int
	}{
		{time.Hour, 2 * time.Hour, []int{7}},
		{time.Hour, time.Minute, []int{5, 7}},
		{time.Hour, time.Hour, []int{7}},
	} {
		key := breaker.HostKey(fmt.Sprint("h", i))
		for order, words := range [][]cooldownstore.SharedWord{
			{b.word(key, b.set(5, test.first)), b.word(key, b.set(7, test.second))},
			{b.word(key, b.set(7, test.second)), b.word(key, b.set(5, test.first))},
		} {
			key := breaker.HostKey(fmt.Sprint(key.Name(), order))
			for j := range words {
				words[j].Key = key
			}
			for range 2 { // again changes nothing
				if err := b.a.Put(t.Context(), words[:1]); err != nil {
					t.Fatalf("Put: %v", err)
				}
				if err := b.b.Put(t.Context(), words); err != nil { // both in one call
					t.Fatalf("Put: %v", err)
				}
			}
			got := load(t, b.a, key)
			if len(got.Snapshot.Cooldowns) != len(test.want) {
				t.Errorf("%v and %v, order %d: %+v, want %v", test.first, test.second, order, got.Snapshot.Cooldowns, test.want)
			}
			if left := got.ToSnapshot(now, b.wall).Cooldowns[0].Until.Sub(now); left != max(test.first, test.second) {
				t.Errorf("%v and %v, order %d: %v left, want the longer", test.first, test.second, order, left)
			}
		}
	}
	again(t, b)
}

// again puts a cooldown again whose deadline a clock's step moved, alone, in
// one call with the first word and with an earlier cooldown that ends between
// the two deadlines: what is there stays, and the earlier one beside it, for
// that it ends later is true.
func again(t *testing.T, b bench) {
	const step = time.Hour
	first, stepped := b.set(7, time.Hour), b.set(7, time.Hour+step)
	between := b.set(5, time.Hour+step/2)
	for i, puts := range [][][]breaker.Snapshot{
		{{first}, {stepped}},
		{{first, stepped}},
		{{first}, {stepped}, {between}},
		{{first}, {stepped, between}},
		{{first, stepped, between}},
	} {
		key := breaker.HostKey(fmt.Sprint("again", i))
		for j, snapshots := range puts {
			var words []cooldownstore.SharedWord
			for _, s := range snapshots {
				words = append(words, b.word(key, s))
			}
			if err := []cooldownstore.Shared{b.a, b.b}[j%2].Put(t.Context(), words); err != nil {
				t.Fatalf("Put: %v", err)
			}
		}
		got, want := load(t, b.a, key), b.word(key, first)
		if i >= 2 {
			want = want.Merge(b.word(key, between))
		}
		if d := diff(want, got); d != "" {
			t.Errorf("case %d: put again after a step (-want +got):\n%s", i, d)
		}
	}
}

func setAgainstClear(t *testing.T, b bench) {
	for i, test := range []struct {
		set, clear int
		want       bool // the cooldown is there
	}{{5, 3, true}, {5, 5, false}, {5, 7, false}} {
		for _, order := range []string{"set, clear", "clear, set", "set, clear, set", "clear, set, clear"} {
			key := breaker.HostKey(fmt.Sprint("h", i, order))
			set, clear := b.word(key, b.set(test.set, time.Hour)), b.word(key, b.clear(test.clear))
			words := map[string][]cooldownstore.SharedWord{
				"set, clear": {set, clear}, "clear, set": {clear, set},
				"set, clear, set": {set, clear, set}, "clear, set, clear": {clear, set, clear},
			}[order]
			for j, w := range words {
				s := []cooldownstore.Shared{b.a, b.b}[j%2]
				if err := s.Put(t.Context(), []cooldownstore.SharedWord{w}); err != nil {
					t.Fatalf("Put: %v", err)
				}
			}
			got := load(t, b.b, key)
			if there := len(got.Snapshot.Cooldowns) == 1; there != test.want || got.Snapshot.Clear != b.stamp(test.clear) {
				t.Errorf("set %d, clear %d, %s: %+v, want the clear, and the cooldown: %v", test.set, test.clear, order, got.Snapshot, test.want)
			}
		}
	}
	b.put(t, b.a, b.clear(5))
	b.put(t, b.b, b.clear(3), b.set(4, time.Hour))
	if got := load(t, b.a, key).Snapshot; got.Clear != b.stamp(5) || len(got.Cooldowns) != 0 {
		t.Errorf("after an older clear: %+v, want the later one", got)
	}
}

// clearAmong ends the older of two cooldowns, whichever of the two words comes
// first.
func clearAmong(t *testing.T, b bench) {
	sets := breaker.Snapshot{Cooldowns: []breaker.Cooldown{b.cooldown(5, 2*time.Hour), b.cooldown(9, time.Hour)}}
	for i, words := range [][]breaker.Snapshot{{sets, b.clear(7)}, {b.clear(7), sets}} {
		key := breaker.HostKey(fmt.Sprint("h", i))
		for j, snapshot := range words {
			s := []cooldownstore.Shared{b.a, b.b}[j]
			if err := s.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, snapshot)}); err != nil {
				t.Fatalf("Put: %v", err)
			}
		}
		for _, s := range []cooldownstore.Shared{b.a, b.b} {
			got := load(t, s, key).ToSnapshot(now, b.wall)
			if len(got.Cooldowns) != 1 || got.Cooldowns[0].Stamp != b.stamp(9) || got.At(now).Until.Sub(now) != time.Hour || got.Clear != b.stamp(7) {
				t.Errorf("order %d: a clear of 7 among 5 and 9 leaves %+v, want 9 alone, and the clear", i, got)
			}
		}
		if got := b.shown(t, key.Name()); got != time.Hour {
			t.Errorf("order %d: other programs read %v, want the hour that is left", i, got)
		}
	}
}

// concurrent puts cooldowns none of which dominates another: all survive.
func concurrent(t *testing.T, b bench) {
	const writers, rounds = 8, 10
	var group sync.WaitGroup
	for i := range writers {
		s := []cooldownstore.Shared{b.a, b.b}[i%2]
		group.Go(func() {
			for round := range rounds {
				stamp := i*rounds + round // of one writer the last round dominates
				left := time.Hour - time.Duration(i)*time.Minute + time.Duration(round)*time.Second
				words := []cooldownstore.SharedWord{
					b.word(key, b.set(stamp, left)), b.word(breaker.HostKey(fmt.Sprint("h", i)), b.set(stamp, left)),
				}
				if err := s.Put(t.Context(), words); err != nil {
					t.Errorf("Put: %v", err)
				}
			}
		})
	}
	group.Wait()
	var want []int
	for i := range writers {
		want = append(want, i*rounds+rounds-1)
	}
	if got := b.stamps(t, b.a); !slices.Equal(got, want) {
		t.Errorf("after the writers the key has the stamps %v, want the last of each, %v", got, want)
	}
	if got := all(t, b.b); len(got) != writers+1 {
		t.Errorf("after the writers there are %d keys, want %d", len(got), writers+1)
	}
}

// boundary reads a deadline just before and at its end, and just before and
// when it is forgotten.
func boundary(t *testing.T, b bench) {
	const left = 20 * time.Minute
	b.put(t, b.a, b.set(1, left))
	w := load(t, b.b, key)
	for _, at := range []struct {
		after time.Duration
		want  breaker.State
		empty bool
	}{
		{-time.Hour, breaker.Open, false}, // the wall clock was set back
		{0, breaker.Open, false},
		{left - 1, breaker.Open, false},
		{left, breaker.HalfOpen, false},
		{left + 10*time.Minute - 1, breaker.HalfOpen, false},
		{left + 10*time.Minute, breaker.Closed, true},
	} {
		got := w.ToSnapshot(now, b.wall.Add(at.after))
		if st := got.At(now); st.State != at.want || got.Empty() != at.empty || st.Until > now.Add(left) {
			t.Errorf("after %v it is %v until %v, empty %v; want %v, %v", at.after, st.State, st.Until.Sub(now), got.Empty(), at.want, at.empty)
		}
	}
}

// clearBoundary reads a clear just before and when it is forgotten.
func clearBoundary(t *testing.T, b bench) {
	b.put(t, b.a, b.clear(1))
	w := load(t, b.b, key)
	for _, at := range []struct {
		after time.Duration
		there bool
	}{{-time.Hour, true}, {0, true}, {breaker.KeepClear - 1, true}, {breaker.KeepClear, false}, {2 * breaker.KeepClear, false}} {
		got := w.ToSnapshot(now, b.wall.Add(at.after))
		if (got.Clear == b.stamp(1)) != at.there || got.Empty() == at.there || got.ClearKept > now.Add(breaker.KeepClear) {
			t.Errorf("after %v the clear reads %+v, want it there: %v", at.after, got, at.there)
		}
	}
}

// timeToLive holds what is written to the time it is of interest.
func timeToLive(t *testing.T, b bench) {
	is := func(what string, want time.Duration) {
		t.Helper()
		_, ttl, ok := b.Value(t, cooldownstore.SharedName(key))
		if d := want - ttl; !ok || d < -time.Second || d > 30*time.Second {
			t.Errorf("%s: lives %v, %v; want %v", what, ttl, ok, want)
		}
	}
	b.put(t, b.a, b.set(1, 20*time.Minute))
	is("a cooldown", 20*time.Minute+cooldownstore.KeepEnded)
	b.put(t, b.b, b.set(2, time.Minute))
	is("with a shorter one", 20*time.Minute+cooldownstore.KeepEnded)
	b.put(t, b.b, b.set(3, time.Hour))
	is("with a longer one", time.Hour+cooldownstore.KeepEnded)
	b.put(t, b.b, b.clear(4))
	is("cleared", 2*time.Hour+cooldownstore.KeepEnded)
	b.put(t, b.a, b.clear(4))
	is("cleared again with the same stamp", 2*time.Hour+cooldownstore.KeepEnded)
	b.put(t, b.a, b.set(5, breaker.MaxOpen))
	is("the longest open", breaker.MaxOpen+cooldownstore.KeepEnded)
	b.put(t, b.a, b.clear(6))
	is("the longest, cleared", breaker.KeepClear)

	const other = "never.seen"
	if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{b.word(breaker.HostKey(other), b.set(1, -cooldownstore.KeepEnded))}); err != nil {
		t.Fatalf("Put: %v", err)
	}
	if text, _, ok := b.Value(t, other); ok {
		t.Errorf("a word that ended so long ago was written: %s", text)
	}
}

// takenAway has one cluster know that a cooldown ended long ago which the clock of
// the other shows as running.
func takenAway(t *testing.T, b bench) {
	b.put(t, b.a, b.set(1, 20*time.Minute))
	_, before, _ := b.Value(t, cooldownstore.SharedName(key))
	b.put(t, b.b, b.set(1, -cooldownstore.KeepEnded))
	if w, ok, err := b.a.Load(t.Context(), key); err != nil || len(w.Snapshot.Cooldowns) != 0 {
		t.Errorf("read %+v, %v, %v; want nothing", w, ok, err)
	}
	if _, ttl, ok := b.Value(t, cooldownstore.SharedName(key)); ok && (b.shown(t, cooldownstore.SharedName(key)) != 0 || before-ttl > 30*time.Second) {
		t.Errorf("other programs read a deadline in %v for %v, want none for %v", b.shown(t, cooldownstore.SharedName(key)), ttl, before)
	}
}
