package sharing_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sharing"
)

var (
	begin   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errAway = errors.New("away")
)

const now = breaker.Instant(time.Hour)

func at(d time.Duration) time.Time { return begin.Add(d) }

func wants(t *testing.T, r *sharing.Reader, when time.Duration, want sharing.Reading) time.Time {
	t.Helper()
	got, next := r.Next(at(when))
	if got != want {
		t.Errorf("at %v the reader wants %v, want %v", when, got, want)
	}
	return next
}

func TestListsNowAndThen(t *testing.T) {
	r := sharing.NewReader(begin)
	wants(t, &r, 0, sharing.Nothing)
	wants(t, &r, 250*time.Millisecond, sharing.Everything)
	r.Listed(at(time.Second), 10*time.Millisecond, nil)
	if next := wants(t, &r, time.Second, sharing.Nothing); next != at(6*time.Second) {
		t.Errorf("the next listing is at %v, want after 5 s", next)
	}
	r.Relist()
	if next := wants(t, &r, time.Second, sharing.Nothing); next != at(1200*time.Millisecond) {
		t.Errorf("what was asked for is at %v, want after 20 times as long as a listing takes", next)
	}
	wants(t, &r, 1200*time.Millisecond, sharing.Everything)
	r.Listed(at(2*time.Second), time.Minute, nil) // the process was stopped
	if next := wants(t, &r, 3*time.Second, sharing.Nothing); next != at(7*time.Second) {
		t.Errorf("after one slow listing the next is at %v, want after 5 s", next)
	}
	wants(t, &r, 7*time.Second, sharing.Everything)
	r.Listed(at(8*time.Second), time.Second, nil)
	if next := wants(t, &r, 9*time.Second, sharing.Nothing); next != at(28*time.Second) {
		t.Errorf("after another the next is at %v, want after 20 s", next)
	}
}

func TestListingsThatFailBackOff(t *testing.T) {
	r := sharing.NewReader(begin)
	for i, want := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		r.Listed(begin, time.Millisecond, errAway)
		r.Relist() // brings nothing forward
		if next := wants(t, &r, 0, sharing.Nothing); next != at(want) {
			t.Errorf("after failure no. %d the next is at %v, want after %v", i+1, next, want)
		}
	}
}

// TestAPlaceWithTooMuch is not read again and again, though it answers.
func TestAPlaceWithTooMuch(t *testing.T) {
	r := sharing.NewReader(begin)
	r.Listed(begin, 10*time.Second, fmt.Errorf("more than there may be: %w", cooldownstore.ErrTooMany))
	if next := wants(t, &r, 0, sharing.Nothing); next != at(200*time.Second) {
		t.Errorf("the next listing is at %v, want 200 s after one that took 10 s", next)
	}
}

func TestHints(t *testing.T) {
	r := sharing.NewReader(begin)
	r.Listed(begin, 0, nil)
	r.Hint("host:b", true)
	r.Hint("host:a", true)
	r.Hint("host:other", false)
	wants(t, &r, 0, sharing.Hinted)
	if keys := r.TakeHints(); !slices.Equal(keys, []breaker.Key{"host:a", "host:b"}) {
		t.Errorf("hinted at %v, want a and b", keys)
	}
	wants(t, &r, 0, sharing.Nothing)
	r.Loaded(errAway)
	wants(t, &r, 0, sharing.Everything)
	r.Listed(begin, 0, nil)
	r.Hint("", false)
	wants(t, &r, 0, sharing.Everything)
	r.Listed(begin, 0, nil)
	for i := range 1001 {
		r.Hint(breaker.HostKey(fmt.Sprint("h", i)), true)
	}
	wants(t, &r, 0, sharing.Everything)
}

func TestPatience(t *testing.T) {
	p, look := sharing.NewPatience(begin)
	for heard := int64(1); ; heard++ {
		next, more := p.More(look, heard)
		if !more {
			break
		}
		look = next
	}
	if look != at(10*time.Second) {
		t.Errorf("a place that says something is waited for until %v, want 10 s", look)
	}
	p, look = sharing.NewPatience(begin)
	if _, more := p.More(look, 0); more || look != at(3*time.Second) {
		t.Errorf("one that says nothing is waited for until %v, more %v; want 3 s", look, more)
	}
}

func TestCondition(t *testing.T) {
	ok := cooldownstore.Health{OK: true, Since: begin}
	c := sharing.NewCondition(begin)
	if v := c.Judge(ok); !v.OK || c.Changed(v) {
		t.Errorf("at first %+v; want that it works, which is no news", v)
	}
	c.Read(at(time.Minute), errAway, nil, 0)
	c.Read(at(2*time.Minute), errAway, nil, 0)
	c.Read(at(3*time.Minute), context.Canceled, nil, 0)
	v := c.Judge(ok)
	if v.OK || v.Since != at(time.Minute) || !errors.Is(v.Err, errAway) || !c.Changed(v) || c.Changed(v) {
		t.Errorf("away: %+v; want degraded since a minute, said once", v)
	}
	full := errors.New("full")
	if v := c.Judge(cooldownstore.Health{Since: at(time.Second), Err: full}); v.Since != at(time.Second) || !errors.Is(v.Err, full) {
		t.Errorf("writing failed first: %+v", v)
	}
	if news := c.Read(at(4*time.Minute), nil, []string{"it may evict"}, 7); !slices.Equal(news, []string{"it may evict"}) {
		t.Errorf("news %v", news)
	}
	if news := c.Read(at(4*time.Minute), nil, []string{"it may evict"}, 7); len(news) > 0 {
		t.Errorf("said again: %v", news)
	}
	c.Deaf(errAway)
	if v := c.Judge(ok); !v.OK || v.Entries != 7 || v.ListedAt != at(4*time.Minute) || len(v.Warnings) != 2 || !c.Changed(v) {
		t.Errorf("it works again: %+v", v)
	}
}

func cooled(stamp breaker.Stamp) breaker.Snapshot {
	return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: stamp, Until: now.Add(time.Minute), Length: time.Minute, Reason: breaker.ReasonRetryAfter}}}
}

func TestOwed(t *testing.T) {
	circuit := breaker.Snapshot{Circuit: breaker.Circuit{State: breaker.Open, Stamp: 3, Until: now.Add(time.Minute)}}
	if _, owed, relist := sharing.Owed("host:a", circuit); owed || relist {
		t.Error("a circuit is owed to the place")
	}
	both := cooled(4)
	both.Circuit = circuit.Circuit
	if part, owed, relist := sharing.Owed("host:a", both); !owed || relist || part.Circuit.Stamp != 0 || len(part.Cooldowns) != 1 {
		t.Errorf("of a cooldown and a circuit %+v is owed (%v, %v)", part, owed, relist)
	}
	if _, owed, relist := sharing.Owed("host:a", breaker.Snapshot{Clear: 5}); !owed || !relist {
		t.Errorf("a clear: owed %v, relist %v", owed, relist)
	}
}

func TestMissing(t *testing.T) {
	own := []spread.Entry{{Key: "host:a", Snapshot: cooled(1)}, {Key: "host:b", Snapshot: cooled(1)}, {Key: "host:c", Snapshot: breaker.Snapshot{Clear: 1}}}
	missing := sharing.Missing(map[breaker.Key]struct{}{"host:a": {}}, own, now)
	if len(missing) != 1 || missing[0].Key != "host:b" {
		t.Errorf("missing are %+v; want b: a is there, and a clear of what nobody knows is no news", missing)
	}
}

func TestHear(t *testing.T) {
	word := func(key breaker.Key, s breaker.Snapshot) cooldownstore.SharedWord {
		return cooldownstore.ShareSnapshot(key, s, now, begin)
	}
	outdated := word("host:c", cooled(2))
	outdated.Outdated = true
	words := []cooldownstore.SharedWord{word("host:a", cooled(2)), word("host:b", cooled(2)), outdated, word("host:other", cooled(2)), word("host:far", cooled(99))}
	h := sharing.Hear(words, now, begin, func(k breaker.Key) bool { return k != "host:other" }, func(s breaker.Stamp) error {
		if s == 99 {
			return breaker.ErrStampAhead
		}
		return nil
	})
	if len(h.Entries) != 3 || !h.Entries[0].Snapshot.Cooldowns[0].Disk {
		t.Fatalf("heard %+v; want a, b and c", h.Entries)
	}
	answer := h.Answer(now, true, func(k breaker.Key) breaker.Snapshot {
		s := cooled(2)
		if k == "host:b" {
			s = cooled(3)
		}
		return s
	})
	if len(answer) != 2 || answer[0].Key != "host:b" || answer[1].Key != "host:c" {
		t.Errorf("the answer is %+v; want b, which the place lacks, and c, which others read less of", answer)
	}
}

// A clear there ended a deadline of another program that this node believes in until
// it is sure whose clear that is: to put it again changes nothing, again and again.
func TestWhatAClearEndedThereIsNotPutAgain(t *testing.T) {
	theirs := breaker.Cooldown{Setter: cooldownstore.ForeignSetter, Stamp: 9, Reason: breaker.ReasonStore, Until: now.Add(time.Minute), Length: time.Minute}
	word := cooldownstore.ShareSnapshot("host:a", breaker.Snapshot{Clear: 5, ClearKept: now.Add(time.Hour)}, now, begin)
	word.Covered = []float64{cooldownstore.EpochSeconds(begin.Add(time.Minute))}
	h := sharing.Hear([]cooldownstore.SharedWord{word}, now, begin, func(breaker.Key) bool { return true }, func(breaker.Stamp) error { return nil })
	answer := h.Answer(now, true, func(breaker.Key) breaker.Snapshot {
		return breaker.Snapshot{Clear: 5, ClearKept: now.Add(time.Hour), Cooldowns: []breaker.Cooldown{theirs}}
	})
	if len(answer) != 0 {
		t.Errorf("the answer is %+v, want none", answer)
	}
}

func TestWhatEndedIsTakenAwayWithListings(t *testing.T) {
	word := cooldownstore.ShareSnapshot("host:a", cooled(2), now, begin)
	h := sharing.Hear([]cooldownstore.SharedWord{word}, now, begin, func(breaker.Key) bool { return true }, func(breaker.Stamp) error { return nil })
	ended := func(breaker.Key) breaker.Snapshot {
		s := cooled(2)
		s.Cooldowns[0].Until = now.Add(-cooldownstore.KeepEnded)
		return s
	}
	if answer := h.Answer(now, true, ended); len(answer) != 1 {
		t.Errorf("the answer to a listing is %+v, want what ended", answer)
	}
	if answer := h.Answer(now, false, ended); len(answer) != 0 {
		t.Errorf("the answer to a hint is %+v, want nothing: another cluster may think otherwise", answer)
	}
}
