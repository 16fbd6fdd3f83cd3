package spread_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// seeds runs a scenario in worlds of several seeds.
func seeds(t *testing.T, size int, scenario func(t *testing.T, w *world)) {
	t.Helper()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { scenario(t, newWorld(t, seed, size)) })
	}
}

// failOn makes calls fail on some nodes, one after the other.
func (w *world) failOn(nodes ...*node) {
	for i := range 6 {
		nodes[i%len(nodes)].call(false)
		w.run(time.Millisecond)
	}
}

func TestTripReachesEverybody(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		w.failOn(w.nodes[0], w.nodes[1])
		w.until(20*time.Millisecond, "open everywhere", func() bool { return w.all(breaker.Open) })
		if got := w.sent["spread.WitnessAsk"]; got != 4 {
			t.Errorf("%d witness questions; want one for each of 4 members", got)
		}
	})
}

func TestOneNodeNeverTrips(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		for range 200 {
			w.nodes[2].call(false)
			w.run(5 * time.Millisecond)
		}
		if !w.all(breaker.Closed) {
			t.Error("the failures of one node opened the breaker")
		}
	})
}

func TestWitnessRefuses(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		for i := range 40 {
			w.nodes[i%2].call(false)
			w.run(10 * time.Millisecond)
			w.nodes[4].call(true) // the host is well, two machines are sick
			w.run(10 * time.Millisecond)
		}
		if !w.all(breaker.Closed) {
			t.Error("opened although another node's calls succeeded all along")
		}
		if rounds := w.sent["spread.WitnessAsk"] / 4; rounds > 2 {
			t.Errorf("%d rounds in 0.8 s; want at most one a second", rounds)
		}
	})
}

func TestLostPushIsRepeated(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		lose := 3
		w.lost = func(_, to string, m spread.Message) bool {
			_, push := m.(spread.Push)
			if _, digest := m.(spread.Digest); digest { // would repair it meanwhile
				return true
			}
			if push && to == "n2" && lose > 0 {
				lose--
				return true
			}
			return false
		}
		w.nodes[0].cool(20 * time.Second)
		if took := w.until(3*time.Second, "open everywhere", func() bool { return w.all(breaker.Open) }); took < 1700*time.Millisecond || took > 1800*time.Millisecond {
			t.Errorf("the third repeat arrived after %v; want 1.75s: 250 ms, then twice that, then twice that", took)
		}
		w.run(time.Second)
		before := w.sent["spread.Push"]
		w.run(5 * time.Second)
		if got := w.sent["spread.Push"]; got != before {
			t.Errorf("%d pushes after all were acknowledged", got-before)
		}
	})
}

// cool makes a node see a Retry-After.
func (n *node) cool(d time.Duration) {
	c := breaker.Cooldown{
		Setter: n.id, Stamp: n.moment().Stamp, Until: n.w.now.Add(d), Length: d, Reason: breaker.ReasonRetryAfter, Detail: "Retry-After",
	}
	n.do(func(now breaker.Instant) spread.Effects { return n.n.Cool(now, key, c) })
}

func TestRetryAfterNeedsNoOwner(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		owner := w.owner(w.nodes[0])
		owner.up = false // and nobody has noticed
		for _, n := range w.nodes {
			if n.up {
				n.cool(20 * time.Second)
				break
			}
		}
		w.until(5*time.Millisecond, "open everywhere", func() bool { return w.all(breaker.Open) })
	})
}

// TestHeldWordOutlivesWhoSpoke has a node die that was acknowledged by one
// other, before its own pushes left: the other passes its word on.
func TestHeldWordOutlivesWhoSpoke(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		dead, holder := w.nodes[0], w.nodes[1]
		c := breaker.Cooldown{
			Setter: dead.id, Stamp: dead.moment().Stamp, Until: w.now.Add(time.Minute), Length: time.Minute, Reason: breaker.ReasonCLIOpen,
		}
		dead.up = false
		word := breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}
		holder.do(func(now breaker.Instant) spread.Effects { return holder.n.Hold(now, dead.id, key, word) })
		w.until(5*time.Millisecond, "open everywhere", func() bool { return w.all(breaker.Open) })
		if owner := w.owner(holder); owner.up {
			m := owner.machine(key).Snapshot()
			if m.At(w.now).State != breaker.Open {
				t.Error("the owner's actor did not hear of it")
			}
		}
	})
}

func TestSuccessesCostNoMessage(t *testing.T) {
	w := newWorld(t, 1, 5)
	clear(w.sent)
	for i := range 100_000 {
		w.nodes[i%5].call(true)
	}
	w.run(time.Second)
	if len(w.sent) != 0 {
		t.Errorf("messages about breakers for 100,000 successful calls: %v", w.sent)
	}
}

func TestLostBatchIsAGap(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		owner := w.owner(w.nodes[0])
		from := w.other(owner)
		var gaps []bool
		w.lost = func(_, _ string, m spread.Message) bool {
			if b, ok := m.(spread.Batch); ok {
				gaps = append(gaps, b.Reports[0].Gap)
				return len(gaps) == 1
			}
			return false
		}
		from.call(false)
		w.run(50 * time.Millisecond)
		from.call(false) // waits: one batch is in flight
		if len(gaps) != 1 {
			t.Fatalf("%d batches in flight; want one", len(gaps))
		}
		w.run(100 * time.Millisecond)
		from.call(false)
		w.run(10 * time.Millisecond)
		if fmt.Sprint(gaps) != "[false true false]" {
			t.Errorf("gap marks %v; want one, on the report after the lost one, which waited", gaps)
		}
	})
}

func TestPartitionConverges(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		side := func(id string) int {
			if id == "n0" || id == "n1" {
				return 1
			}
			return 0
		}
		w.split(side)
		w.nodes[0].cool(time.Minute)
		for i := range 50 { // other keys, seen on either side
			k := breaker.HostKey(fmt.Sprintf("h%d.example.org", i))
			n := w.nodes[i%5]
			c := breaker.Cooldown{Setter: n.id, Stamp: n.moment().Stamp, Until: w.now.Add(time.Minute), Length: time.Minute, Reason: breaker.ReasonRetryAfter}
			n.do(func(now breaker.Instant) spread.Effects { return n.n.Cool(now, k, c) })
		}
		w.run(30 * time.Second)
		if w.agree() {
			t.Fatal("two sides that hear nothing of each other agree")
		}
		w.connect()
		w.until(500*time.Millisecond, "views equal", w.agree)
	})
}

func TestDigestsRepairWhatPushesMissed(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		c := breaker.Cooldown{Setter: "n0", Stamp: 5, Until: w.now.Add(time.Minute), Length: time.Minute, Reason: breaker.ReasonStore}
		n := w.nodes[0]
		n.do(func(now breaker.Instant) spread.Effects { // as if from disk: nobody is told
			return n.n.Recall(now, []spread.Entry{{Key: key, Snapshot: breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}}})
		})
		w.until(5*time.Second, "views equal", w.agree)
	})
}

// TestFloodIsNotSentTwice has one node see 2,000 Retry-Afters a second that take
// their time to the others: digests differ whenever they are compared, and
// nobody sends what the pushes bring anyway.
func TestFloodIsNotSentTwice(t *testing.T) {
	w := newWorld(t, 1, 3)
	w.delay = func() time.Duration { return time.Duration(1+w.rand.IntN(80)) * time.Millisecond }
	n := w.nodes[0]
	for i := range 10_000 {
		c := breaker.Cooldown{
			Setter: n.id, Stamp: n.moment().Stamp, Until: w.now.Add(time.Minute), Length: time.Minute, Reason: breaker.ReasonRetryAfter,
		}
		n.do(func(now breaker.Instant) spread.Effects {
			return n.n.Cool(now, breaker.Key(fmt.Sprint("host:h", i)), c)
		})
		w.run(500 * time.Microsecond)
	}
	w.until(time.Second, "equal views", w.agree)
	if got := w.sent["spread.Want"]; got != 0 {
		t.Errorf("%d digests had views sent that were on their way", got)
	}
}

func TestStartingNodeSyncs(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		w.nodes[0].cool(time.Minute)
		w.run(100 * time.Millisecond)
		late := w.start("late")
		w.nodes = append(w.nodes, late)
		w.connect()
		var id uint64
		late.do(func(now breaker.Instant) spread.Effects {
			n, e := late.n.Sync(now, now.Add(time.Second))
			id = n
			return e
		})
		w.until(100*time.Millisecond, "synced", func() bool { return late.done[id] != nil })
		late.do(late.n.ClaimAll)
		if _, ok := late.done[id].(spread.Synced); !ok || late.state() != breaker.Open {
			t.Errorf("sync ended with %v and the key %v; want Synced and open", late.done[id], late.state())
		}
	})
}

// TestCutOffPairHeals: two machines whose network is broken trip on their own
// side. When they come back, the healthy ones may reject for a moment.
func TestCutOffPairHeals(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		sick := func(id string) int {
			if id == "n0" || id == "n1" {
				return 1
			}
			return 0
		}
		w.split(sick)
		var rejecting time.Duration
		traffic := func(d time.Duration, healed bool) {
			for end := w.now.Add(d); w.now < end; w.run(5 * time.Millisecond) {
				for _, n := range w.nodes {
					switch {
					case sick(n.id) == 1 && !healed:
						if n.state() == breaker.Closed {
							n.call(false)
						}
					case n.state() == breaker.Closed:
						n.call(true)
					case sick(n.id) == 0:
						rejecting += 5 * time.Millisecond / 3
					}
				}
			}
		}
		traffic(5*time.Second, false)
		if w.nodes[0].state() != breaker.Open || w.nodes[3].state() != breaker.Closed {
			t.Fatal("the side that is cut off is not protected by itself, or the other one is touched")
		}
		w.connect()
		traffic(10*time.Second, true)
		if !w.all(breaker.Closed) || rejecting > 2*time.Second {
			t.Errorf("after healing: healthy nodes rejected for %v, closed everywhere: %v; want at most 2s", rejecting, w.all(breaker.Closed))
		}
	})
}

func TestPermits(t *testing.T) {
	seeds(t, 3, func(t *testing.T, w *world) {
		w.failOn(w.nodes[0], w.nodes[1])
		w.until(50*time.Millisecond, "open", func() bool { return w.all(breaker.Open) })
		w.run(10 * time.Second)
		owner := w.owner(w.nodes[0])
		ids := map[*node]uint64{}
		for _, n := range w.nodes {
			if n == owner {
				continue
			}
			n.do(func(now breaker.Instant) spread.Effects {
				id, e := n.n.Ask(now, key, breaker.Question{ID: 1, Node: n.id})
				ids[n] = id
				return e
			})
		}
		w.run(20 * time.Millisecond)
		granted := 0
		for n, id := range ids {
			a, ok := n.done[id].(breaker.Answer)
			if !ok {
				t.Fatalf("%s was answered %v", n.id, n.done[id])
			}
			if a.Permit == 0 {
				continue
			}
			granted++
			o := breaker.Outcome{Node: n.id, Kind: breaker.Success, Count: 1, Permit: a.Permit, Began: w.now, Ended: w.now}
			n.do(func(now breaker.Instant) spread.Effects { return n.n.Report(now, key, []breaker.Outcome{o}) })
		}
		if granted != 1 {
			t.Fatalf("%d permits for two nodes; want one", granted)
		}
		w.until(20*time.Millisecond, "closed", func() bool { return w.all(breaker.Closed) })
	})
}

// TestLatePermitGoesBack: the answer comes when nobody waits any more.
func TestLatePermitGoesBack(t *testing.T) {
	w := newWorld(t, 3, 3)
	w.failOn(w.nodes[0], w.nodes[1])
	w.run(11 * time.Second)
	owner := w.owner(w.nodes[0])
	asker := w.other(owner)
	w.delay = func() time.Duration { return 150 * time.Millisecond }
	var id uint64
	asker.do(func(now breaker.Instant) spread.Effects {
		n, e := asker.n.Ask(now, key, breaker.Question{ID: 1, Node: asker.id})
		id = n
		return e
	})
	w.run(150 * time.Millisecond)
	if err, ok := asker.done[id].(error); !ok || !errors.Is(err, spread.ErrNoOwner) {
		t.Fatalf("after 150 ms the question ended with %v; want no owner", asker.done[id])
	}
	w.until(time.Second, "permit granted and back", func() bool {
		return w.sent["spread.Settle"] > 0 && len(owner.machines[key].Inspect(w.now).Permits) == 0
	})
}

// TestWhatAClearDoesNotSettle: a cooldown that this node set after the clear was made,
// with an earlier stamp because its clock is behind, goes on; a deadline of another
// program that it ended is told.
func TestWhatAClearDoesNotSettle(t *testing.T) {
	w := newWorld(t, 1, 2)
	n := w.nodes[0]
	set := func(setter string, stamp breaker.Stamp, ago time.Duration, disk bool) breaker.Cooldown {
		return breaker.Cooldown{Setter: setter, Stamp: stamp, Until: w.now.Add(time.Minute - ago), Length: time.Minute, Reason: breaker.ReasonRetryAfter, Disk: disk}
	}
	clear := func(ago time.Duration) breaker.Snapshot {
		return breaker.Snapshot{Clear: 10, ClearKept: w.now.Add(breaker.KeepClear - ago)}
	}
	for i, tt := range []struct {
		what           string
		cooldown       breaker.Cooldown
		clear          breaker.Snapshot
		again, covered int
	}{
		{"set before the clear", set(n.id, 5, 20*time.Second, false), clear(10 * time.Second), 0, 0},
		{"set after it by a clock that is behind", set(n.id, 5, 5*time.Second, false), clear(10 * time.Second), 1, 0},
		{"set after it, with a later stamp", set(n.id, 15, 5*time.Second, false), clear(10 * time.Second), 0, 0},
		{"another node's: it does that itself", set("n1", 5, 5*time.Second, false), clear(10 * time.Second), 0, 0},
		{"from a disk: when it was set is not known so well", set(n.id, 5, 5*time.Second, true), clear(10 * time.Second), 0, 0},
		{"another program's", set(breaker.ForeignSetter, 5, 5*time.Second, false), clear(10 * time.Second), 0, 1},
	} {
		k := breaker.HostKey(fmt.Sprintf("h%d.example.org", i))
		n.n.Announce(w.now, k, breaker.Snapshot{Cooldowns: []breaker.Cooldown{tt.cooldown}}, false)
		e := n.n.Announce(w.now, k, tt.clear, false)
		if len(e.Again) != tt.again || len(e.Covered) != tt.covered {
			t.Errorf("%s: again %v, covered %v; want %d and %d", tt.what, e.Again, e.Covered, tt.again, tt.covered)
		}
		if again := n.n.Announce(w.now, k, tt.clear, false); len(again.Again)+len(again.Covered) > 0 {
			t.Errorf("%s: heard again it says %v, %v", tt.what, again.Again, again.Covered)
		}
	}
}

// TestEndsOfPermitsBackOff: an owner that does not acknowledge is not asked ever
// more often, and one that does ends all repeats.
func TestEndsOfPermitsBackOff(t *testing.T) {
	const ends = 100
	w := newWorld(t, 3, 2)
	owner := w.owner(w.nodes[0])
	other := w.nodes[0]
	if other == owner {
		other = w.nodes[1]
	}
	w.lost = func(from, _ string, m spread.Message) bool {
		_, ack := m.(spread.Ack)
		return ack && from == owner.id
	}
	other.do(func(now breaker.Instant) spread.Effects {
		var list []breaker.Outcome
		for i := range ends {
			list = append(list, breaker.Outcome{Node: other.id, Kind: breaker.Neutral, Permit: breaker.PermitID(i + 1), Began: now, Ended: now})
		}
		return other.n.Report(now, key, list)
	})
	w.run(20 * time.Second)
	if got := w.sent["spread.Settle"]; got < 4*ends || got > 10*ends {
		t.Errorf("in 20 s without an answer each was sent %d times; want about 8", got/ends)
	}
	w.lost = func(string, string, spread.Message) bool { return false }
	w.run(5 * time.Second)
	if before := w.sent["spread.Settle"]; !other.n.Idle() {
		t.Error("an end is still under way after it was acknowledged")
	} else if w.run(20 * time.Second); w.sent["spread.Settle"] != before {
		t.Error("what was acknowledged was repeated")
	}
}

func TestOperatorsCloseIsNotUndone(t *testing.T) {
	seeds(t, 5, func(t *testing.T, w *world) {
		off := w.nodes[4]
		w.nodes[0].cool(time.Hour)
		w.run(100 * time.Millisecond)
		w.split(func(id string) int { // n4 is off
			if id == off.id {
				return 1
			}
			return 0
		})
		n := w.nodes[0]
		owner := w.owner(n)
		owner.effects(key, owner.machine(key).Close(owner.moment(), "op", ""))
		w.run(time.Second)
		w.connect()
		w.until(time.Second, "closed everywhere", func() bool { return w.all(breaker.Closed) })
		w.run(20 * time.Second)
		if !w.all(breaker.Closed) {
			t.Error("a node that was off brought the cooldown back")
		}
	})
}

func TestClockDaysOff(t *testing.T) {
	w := newWorld(t, 1, 3)
	odd, other := w.nodes[0], w.nodes[1]
	w.lost = func(from, _ string, _ spread.Message) bool { return from == odd.id } // it would be refused
	for _, n := range w.nodes[1:] {
		n.do(func(now breaker.Instant) spread.Effects { return n.n.Refuse(now, odd.id, 72*time.Hour) })
	}
	w.run(10 * time.Millisecond)
	if skews, apart := odd.n.Skews(); !apart || skews["n1"] != -72*time.Hour {
		t.Errorf("the odd node knows %v, apart %v; want that it is 72 h ahead of all", skews, apart)
	}
	if skews, apart := other.n.Skews(); apart || skews["n0"] != 72*time.Hour {
		t.Errorf("another node knows %v, apart %v; want that only n0 is off", skews, apart)
	}
}

func TestRepeatedBatchCountsOnce(t *testing.T) {
	w := newWorld(t, 1, 3)
	owner := w.owner(w.nodes[0])
	b := spread.Batch{Seq: 7, Reports: []spread.Report{{Key: key, Outcomes: []breaker.Outcome{{Kind: breaker.Failure, Count: 1, Began: w.now, Ended: w.now}}}}}
	from := w.other(owner).id
	for range 3 { // replayed
		owner.do(func(now breaker.Instant) spread.Effects { return owner.n.Receive(now, from, b) })
	}
	if got := owner.machines[key].Inspect(w.now).Runs[0].Failures; got != 1 {
		t.Errorf("a batch that came three times counts %d failures; want 1", got)
	}
}

// TestMuteMember: gossip reaches a member, frames do not.
func TestMuteMember(t *testing.T) {
	w := newWorld(t, 1, 3)
	w.lost = func(from, to string, _ spread.Message) bool { return from == "n2" || to == "n2" }
	n := w.nodes[0]
	if mute := n.n.Mute(w.now, 5*time.Second); len(mute) != 0 {
		t.Fatalf("mute before anything was sent: %v", mute)
	}
	n.cool(time.Minute)
	w.run(6 * time.Second)
	if mute := n.n.Mute(w.now, 5*time.Second); len(mute) != 1 || mute[0] != "n2" {
		t.Errorf("after 6 s without an acknowledgement of n2 mute are %v; want n2", mute)
	}
	w.lost = func(string, string, spread.Message) bool { return false }
	w.run(5 * time.Second)
	if mute := n.n.Mute(w.now, 5*time.Second); len(mute) != 0 {
		t.Errorf("mute after it answered: %v", mute)
	}
}
