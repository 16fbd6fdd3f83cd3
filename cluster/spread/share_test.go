package spread_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// share hands a node what a place to share says of the key.
func (n *node) share(s breaker.Snapshot, covered ...breaker.Instant) {
	_ = n.clock.Observe(s.MaxStamp(), time.Unix(0, int64(n.w.now)))
	stamp := n.moment().Stamp
	n.do(func(now breaker.Instant) spread.Effects {
		return n.n.Share(now, stamp, []spread.Shared{{Entry: spread.Entry{Key: key, Snapshot: s}, Covered: covered}})
	})
}

// elsewhere is a cooldown of another cluster, as it is read from a place.
func (w *world) elsewhere(left time.Duration) breaker.Cooldown {
	return breaker.Cooldown{
		Setter: "elsewhere", Stamp: breaker.StampAt(time.Unix(0, int64(w.now))), Until: w.now.Add(left), Length: left,
		Reason: breaker.ReasonRetryAfter, Disk: true,
	}
}

func TestShareReachesAllAndNeverMoves(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		owner := w.owner(w.nodes[0])
		c := w.elsewhere(time.Minute)
		owner.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
		w.until(50*time.Millisecond, "open everywhere", func() bool { return w.all(breaker.Open) })
		sent := w.sent["spread.Push"]
		for range 20 { // read again and again, each time placed a little later
			c.Until++
			owner.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
		}
		w.run(time.Millisecond)
		if got := w.sent["spread.Push"]; got != sent {
			t.Errorf("%d pushes for what was known", got-sent)
		}
		for _, n := range w.nodes {
			if s := n.n.View().Of(key); s.Cooldowns[0].Until != c.Until-20 {
				t.Errorf("%s: the deadline moved by %v", n.id, s.Cooldowns[0].Until.Sub(c.Until-20))
			}
		}
	})
}

func TestASharedClearEndsCooldownsAlone(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		owner := w.owner(w.nodes[0])
		owner.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{w.elsewhere(5 * time.Minute)}})
		w.until(50*time.Millisecond, "open everywhere", func() bool { return w.all(breaker.Open) })
		tripped := breaker.Snapshot{Circuit: breaker.Circuit{
			State: breaker.Open, Stamp: owner.moment().Stamp, Until: w.now.Add(time.Minute), FirstTrip: w.now, Opens: 1, Reason: breaker.ReasonConsecutive,
		}}
		owner.do(func(now breaker.Instant) spread.Effects { return owner.n.Announce(now, key, tripped, false) })
		w.run(10 * time.Millisecond)
		w.until(50*time.Millisecond, "still open", func() bool { return w.all(breaker.Open) })

		cleared := breaker.Snapshot{Clear: breaker.StampAt(time.Unix(0, int64(w.now.Add(time.Second)))), ClearKept: w.now.Add(breaker.KeepClear)}
		owner.share(cleared)
		w.run(20 * time.Millisecond)
		if s := owner.n.View().Of(key); len(s.Cooldowns) != 1 {
			t.Errorf("the owner holds %+v; want the cooldown: the clear may be this cluster's own, which would close the circuit too", s)
		}
		w.run(15 * time.Second)
		owner.share(cleared)
		w.run(20 * time.Millisecond)
		for _, n := range w.nodes {
			s := n.n.View().Of(key)
			if len(s.Cooldowns) != 0 {
				t.Errorf("%s holds %+v; want no cooldown: another cluster's operator cleared it", n.id, s.Cooldowns)
			}
			if s.At(w.now).State != breaker.Open || s.Circuit.Until != tripped.Circuit.Until {
				t.Errorf("%s: circuit %+v; want this cluster's, untouched", n.id, s.Circuit)
			}
		}
	})
}

func TestASharedClearOfNothingHereIsNotTaken(t *testing.T) {
	w := newWorld(t, 1, 1)
	n := w.nodes[0]
	n.share(breaker.Snapshot{Clear: breaker.StampAt(time.Unix(0, int64(w.now))), ClearKept: w.now.Add(time.Hour)})
	if s := n.n.View().Of(key); !s.Empty() {
		t.Errorf("the view holds %+v; want nothing: it would empty rings and fill the view", s)
	}
}

func TestAnotherProgramsDeadlineIsOneWhoeverReadIt(t *testing.T) {
	w := newWorld(t, 1, 1)
	n := w.nodes[0]
	c := w.elsewhere(time.Minute)
	c.Setter, c.Reason = "store", breaker.ReasonStore
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
	c.Stamp, c.Until = c.Stamp+5, c.Until+1000
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
	if s := n.n.View().Of(key); len(s.Cooldowns) != 1 {
		t.Errorf("the view holds %+v; want one deadline", s.Cooldowns)
	}
	c.Until = w.now.Add(2 * time.Minute)
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
	if s := n.n.View().Of(key); s.LastDeadline() != c.Until {
		t.Errorf("the view holds %+v; want the later deadline too", s.Cooldowns)
	}
}

// TestASharedClearReachesWhatItCovers: this cluster's clock is a minute ahead of
// that of the operator's.
func TestASharedClearReachesWhatItCovers(t *testing.T) {
	w := newWorld(t, 1, 2)
	n := w.owner(w.nodes[0])
	ahead := func(c breaker.Cooldown, by time.Duration) breaker.Cooldown {
		c.Stamp = breaker.StampAt(time.Unix(0, int64(w.now.Add(by))))
		return c
	}
	theirs := ahead(w.elsewhere(10*time.Minute), time.Minute)
	theirs.Setter, theirs.Reason = "store", breaker.ReasonStore
	own := ahead(w.elsewhere(5*time.Minute), 59*time.Second)
	own.Setter = n.id
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{own}})
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{theirs}})
	w.until(50*time.Millisecond, "open everywhere", func() bool { return w.all(breaker.Open) })

	clear := breaker.Snapshot{Clear: breaker.StampAt(time.Unix(0, int64(w.now.Add(time.Second)))), ClearKept: w.now.Add(breaker.KeepClear)}
	n.share(clear, theirs.Until.Add(time.Millisecond))
	w.run(20 * time.Millisecond)
	for _, n := range w.nodes {
		if s := n.n.View().Of(key); len(s.Cooldowns) != 1 || s.Cooldowns[0].Until != own.Until {
			t.Errorf("%s holds %+v; want its own Retry-After alone, with its deadline", n.id, s.Cooldowns)
		}
	}
}

// TestASharedClearSparesWhatCameWithIt: the word holds a cooldown that was set
// after the clear, but before what the clear covers was seen here.
func TestASharedClearSparesWhatCameWithIt(t *testing.T) {
	w := newWorld(t, 1, 1)
	n := w.nodes[0]
	at := func(by time.Duration) breaker.Stamp { return breaker.StampAt(time.Unix(0, int64(w.now.Add(by)))) }
	theirs, later := w.elsewhere(10*time.Minute), w.elsewhere(5*time.Minute)
	theirs.Setter, theirs.Reason, theirs.Stamp = "store", breaker.ReasonStore, at(time.Minute)
	later.Stamp = at(30 * time.Second)
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{theirs}})
	n.share(breaker.Snapshot{
		Clear: at(time.Second), ClearKept: w.now.Add(breaker.KeepClear), Cooldowns: []breaker.Cooldown{later},
	}, theirs.Until)
	if s := n.n.View().Of(key); len(s.Cooldowns) != 1 || s.Cooldowns[0].Until != later.Until {
		t.Errorf("the view holds %+v; want the cooldown set after the clear, and nothing else", s.Cooldowns)
	}
}

// TestASharedClearSparesAnotherDeadlineOfThatProgram: it goes on as this
// node's, for the place covers it with the clear that reached further here, and
// brings both back.
func TestASharedClearSparesAnotherDeadlineOfThatProgram(t *testing.T) {
	w := newWorld(t, 1, 1)
	n := w.nodes[0]
	at := func(by time.Duration) breaker.Stamp { return breaker.StampAt(time.Unix(0, int64(w.now.Add(by)))) }
	theirs := func(left, seen time.Duration) breaker.Cooldown {
		c := w.elsewhere(left)
		c.Setter, c.Reason, c.Stamp = breaker.ForeignSetter, breaker.ReasonStore, at(seen)
		return c
	}
	long, ended := theirs(10*time.Minute, 2*time.Second), theirs(5*time.Minute, 3*time.Second)
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{long}})
	n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{ended}})
	n.share(breaker.Snapshot{Clear: at(time.Second), ClearKept: w.now.Add(breaker.KeepClear)}, ended.Until)
	spared := n.n.View().Of(key)
	if len(spared.Cooldowns) != 1 || spared.LastDeadline() != long.Until || spared.Clear < ended.Stamp {
		t.Fatalf("the view holds %+v; want the deadline that was not covered", spared)
	}
	again := spared.Clone() // beside a copy that the place did not cover yet
	again.Cooldowns = append(again.Cooldowns, theirs(10*time.Minute, 4*time.Second))
	n.share(again, ended.Until)
	if s := n.n.View().Of(key); len(s.Cooldowns) != 1 || s.LastDeadline() != long.Until {
		t.Errorf("told it once more as that program's, the view holds %+v; want the same", s)
	}
	n.share(spared.Clone(), long.Until, ended.Until)
	if s := n.n.View().Of(key); len(s.Cooldowns) != 1 || s.LastDeadline() != long.Until {
		t.Errorf("told what it wrote, the view holds %+v; want the same", s)
	}
}

// TestASharedClearBringsWhatTakesTheEndedOnesPlace: another cluster spared a
// program's deadline under its own name; the clear beside it ends ours.
func TestASharedClearBringsWhatTakesTheEndedOnesPlace(t *testing.T) {
	for name, covers := range map[string]bool{"reached by its stamp": false, "covered": true} {
		w := newWorld(t, 1, 1)
		n := w.nodes[0]
		at := func(by time.Duration) breaker.Stamp { return breaker.StampAt(time.Unix(0, int64(w.now.Add(by)))) }
		c := w.elsewhere(5 * time.Minute)
		c.Setter, c.Reason, c.Stamp = breaker.ForeignSetter, breaker.ReasonStore, at(0)
		n.share(breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
		word := breaker.Snapshot{Clear: at(time.Second), ClearKept: w.now.Add(breaker.KeepClear)}
		var covered []breaker.Instant
		if covers {
			word.Clear, covered = at(-time.Second), []breaker.Instant{c.Until}
		}
		theirs := c
		theirs.Setter, theirs.Stamp = "elsewhere", at(2*time.Second)
		word.Cooldowns = []breaker.Cooldown{theirs}
		n.share(word, covered...)
		if s := n.n.View().Of(key); len(s.Cooldowns) != 1 || s.Cooldowns[0].Setter != "elsewhere" {
			t.Errorf("%s: the view holds %+v; want theirs in the place of ours", name, s)
		}
	}
}

func TestAnOperatorsCloseOfThisClusterIsNotUndoneByThePlace(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		owner := w.owner(w.nodes[0])
		both := breaker.Snapshot{Cooldowns: []breaker.Cooldown{w.elsewhere(5 * time.Minute)}, Circuit: breaker.Circuit{
			State: breaker.Open, Stamp: owner.moment().Stamp, Until: w.now.Add(time.Minute), FirstTrip: w.now, Opens: 1, Reason: breaker.ReasonConsecutive,
		}}
		owner.do(func(now breaker.Instant) spread.Effects { return owner.n.Announce(now, key, both, false) })
		w.until(50*time.Millisecond, "open everywhere", func() bool { return w.all(breaker.Open) })
		// Another node stood in for the owner, and the place is faster than its push.
		closed := breaker.Snapshot{Clear: breaker.StampAt(time.Unix(0, int64(w.now.Add(time.Second)))), ClearKept: w.now.Add(breaker.KeepClear)}
		owner.share(closed)
		other := w.nodes[0]
		if other == owner {
			other = w.nodes[1]
		}
		other.do(func(now breaker.Instant) spread.Effects { return other.n.Announce(now, key, closed, false) })
		w.run(100 * time.Millisecond)
		owner.share(closed)
		w.run(100 * time.Millisecond)
		for _, n := range w.nodes {
			if s := n.n.View().Of(key); s.At(w.now).State != breaker.Closed {
				t.Errorf("%s holds %+v; want closed", n.id, s)
			}
		}
	})
}
