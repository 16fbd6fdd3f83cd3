package breaker_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

// healer is a machine that holds a circuit, and its time.
type healer struct {
	*breaker.Machine
	mo breaker.Moment
}

func newHealer(members int) *healer {
	p := breaker.DefaultPolicy()
	return &healer{breaker.New(&p), breaker.Moment{Now: origin, Stamp: 1000, Members: members}}
}

func (h *healer) after(d time.Duration) breaker.Moment {
	h.mo.Now, h.mo.Stamp, h.mo.Rand = h.mo.Now.Add(d), h.mo.Stamp+1, h.mo.Rand+1
	return h.mo
}

// open is a circuit that somebody else counted.
func (h *healer) open(firstTrip breaker.Instant) breaker.Snapshot {
	return breaker.Snapshot{Circuit: breaker.Circuit{
		State: breaker.Open, Stamp: h.mo.Stamp, Until: h.mo.Now.Add(time.Minute), FirstTrip: firstTrip, Opens: 1,
		Reason: breaker.ReasonConsecutive,
	}}
}

// Where nobody knows when it first tripped, it was before it was adopted: a
// success since then is newer.
func TestHealingWithoutAFirstTrip(t *testing.T) {
	h := newHealer(3)
	adopted := origin.Add(time.Millisecond)
	e := h.Adopt(h.after(time.Millisecond), h.open(0))
	if q := e.AskWitnesses; q == nil || !q.Heal || q.From != adopted || q.To != adopted {
		t.Fatalf("asked %+v", q)
	}
	e = h.EndRound(h.after(50*time.Millisecond), e.AskWitnesses.Round)
	if want := h.mo.Now.Add(time.Second); e.WakeAt != want {
		t.Fatalf("wakes at %d, want %d", e.WakeAt, want)
	}
	e = h.Tick(h.after(time.Second))
	q := e.AskWitnesses
	if q == nil || q.From != adopted || q.To != h.mo.Now {
		t.Fatalf("asked %+v", q)
	}
	h.Witness(h.after(0), breaker.WitnessAnswer{Round: q.Round, Node: "n2", Success: adopted + 1})
	if st := h.Inspect(h.mo.Now).Status.State; st != breaker.Closed {
		t.Errorf("%v after a member's success", st)
	}
}

// It is asked at most three times in two seconds and a bit, whatever wakes the
// machine meanwhile.
func TestHealingEnds(t *testing.T) {
	h := newHealer(3)
	e := h.Adopt(h.after(0), h.open(origin))
	rounds := 0
	for range 600 {
		if q := e.AskWitnesses; q != nil {
			if rounds++; h.mo.Now.Sub(origin) > 2500*time.Millisecond {
				t.Errorf("asked after %v", h.mo.Now.Sub(origin))
			}
			e = h.EndRound(h.after(50*time.Millisecond), q.Round)
			continue
		}
		e = h.Tick(h.after(50 * time.Millisecond))
	}
	if rounds != 3 {
		t.Errorf("%d rounds, want 3", rounds)
	}
	if e = h.Adopt(h.after(time.Second), h.open(origin)); e.AskWitnesses == nil {
		t.Error("another's newer circuit was not asked about")
	}
}

// TestHealingGoesOnWhileHalfOpen: the answers to the first round are lost, and the
// circuit becomes half-open, before it or between the rounds. A probe may take long.
func TestHealingGoesOnWhileHalfOpen(t *testing.T) {
	for name, left := range map[string]time.Duration{"before": 0, "in the round": 20 * time.Millisecond, "between": 100 * time.Millisecond} {
		h := newHealer(3)
		s := h.open(origin)
		s.Circuit.Until = h.mo.Now.Add(left)
		e := h.Adopt(h.after(0), s)
		if e.AskWitnesses == nil {
			t.Fatalf("%s: nobody was asked", name)
		}
		h.Tick(h.after(30 * time.Millisecond))
		h.EndRound(h.after(20*time.Millisecond), e.AskWitnesses.Round)
		h.Tick(h.after(50 * time.Millisecond))
		e = h.Tick(h.after(time.Second))
		if e.AskWitnesses == nil || h.Inspect(h.mo.Now).Status.State != breaker.HalfOpen {
			t.Fatalf("%s: half-open, members were not asked again", name)
		}
		for _, node := range []string{"n2", "n3"} {
			h.Witness(h.after(time.Millisecond), breaker.WitnessAnswer{Round: e.AskWitnesses.Round, Node: node, Success: origin + 1})
		}
		if st := h.Inspect(h.mo.Now).Status.State; st != breaker.Closed {
			t.Errorf("%s: %v after the successes of members", name, st)
		}
	}
}

// TestHealingOutlivesOtherNews: in the middle of a round a member tells of an earlier
// close and of a Retry-After that is over. The answers count all the same.
func TestHealingOutlivesOtherNews(t *testing.T) {
	for name, news := range map[string]breaker.Snapshot{
		"an earlier close": {Clear: 5, ClearKept: origin.Add(breaker.KeepClear)},
		"a Retry-After":    {Cooldowns: []breaker.Cooldown{{Setter: "n2", Stamp: 999, Until: origin.Add(20 * time.Millisecond), Length: time.Second, Reason: breaker.ReasonRetryAfter}}},
	} {
		h := newHealer(3)
		e := h.Adopt(h.after(time.Millisecond), h.open(origin))
		h.Adopt(h.after(time.Millisecond), news)
		h.after(50 * time.Millisecond)
		for _, node := range []string{"n2", "n3"} {
			h.Witness(h.after(time.Millisecond), breaker.WitnessAnswer{Round: e.AskWitnesses.Round, Node: node, Success: origin.Add(30 * time.Millisecond)})
		}
		if st := h.Inspect(h.mo.Now).Status.State; st != breaker.Closed {
			t.Errorf("%s: %v after the successes of members, want closed", name, st)
		}
	}
}

// TestHealingOfACircuitThatIsGone: an operator closed it, but not a Retry-After that ran
// out since. Answers about the circuit do not end that, and nobody is asked again.
func TestHealingOfACircuitThatIsGone(t *testing.T) {
	for name, during := range map[string]bool{"in the round": true, "between rounds": false} {
		h := newHealer(3)
		e := h.Adopt(h.after(0), h.open(origin))
		if !during {
			h.EndRound(h.after(time.Millisecond), e.AskWitnesses.Round)
		}
		mo := h.after(time.Second / 2)
		h.Adopt(mo, breaker.Snapshot{
			Clear: mo.Stamp, ClearKept: mo.Now.Add(breaker.KeepClear),
			Cooldowns: []breaker.Cooldown{{Setter: "n2", Stamp: mo.Stamp + 1, Until: mo.Now.Add(-time.Millisecond), Length: time.Second, Reason: breaker.ReasonRetryAfter}},
		})
		if during {
			h.Witness(h.after(time.Millisecond), breaker.WitnessAnswer{Round: e.AskWitnesses.Round, Node: "n2", Success: origin + 1})
		} else if e = h.Tick(h.after(time.Second)); e.AskWitnesses != nil {
			t.Errorf("%s: asked %+v", name, e.AskWitnesses)
		}
		if st := h.Inspect(h.mo.Now).Status.State; st != breaker.HalfOpen {
			t.Errorf("%s: %v, want half_open: the Retry-After ran out without a probe", name, st)
		}
	}
}

// TestHealingThatIsDisproved: while half-open, a success from before a failed probe, or
// before the end of a Retry-After, says nothing.
func TestHealingThatIsDisproved(t *testing.T) {
	for name, disprove := range map[string]func(h *healer){
		"a failed probe": func(h *healer) {
			a, _ := h.Ask(h.after(200*time.Millisecond), breaker.Question{ID: 1, Node: "n1"})
			h.Report(h.after(time.Millisecond), breaker.Outcome{Node: "n1", Kind: breaker.Failure, Permit: a.Permit, Began: h.mo.Now, Ended: h.mo.Now})
		},
		"a Retry-After": func(h *healer) {
			h.Cool(h.after(time.Millisecond), breaker.Cooldown{Setter: "n2", Stamp: h.mo.Stamp, Until: h.mo.Now.Add(time.Second / 2), Length: time.Second / 2, Reason: breaker.ReasonRetryAfter})
		},
	} {
		h := newHealer(3)
		s := h.open(origin)
		s.Circuit.Until = origin.Add(200 * time.Millisecond)
		e := h.Adopt(h.after(time.Millisecond), s)
		disprove(h)
		if e.AskWitnesses != nil {
			h.EndRound(h.after(time.Millisecond), e.AskWitnesses.Round)
		}
		e = h.Tick(h.after(1100 * time.Millisecond))
		if e.AskWitnesses != nil {
			h.Witness(h.after(time.Millisecond), breaker.WitnessAnswer{Round: e.AskWitnesses.Round, Node: "n2", Success: origin + 1})
			h.Witness(h.after(time.Millisecond), breaker.WitnessAnswer{Round: e.AskWitnesses.Round, Node: "n3", Success: origin + 1})
		}
		if st := h.Inspect(h.mo.Now).Status.State; st != breaker.HalfOpen {
			t.Errorf("%s: %v after an older success, want half_open", name, st)
		}
	}
}

// A round of one's own circuit says so; alone nobody is asked until somebody
// joins.
func TestHealIsSaidOfHealingOnly(t *testing.T) {
	h := newHealer(2)
	var q *breaker.WitnessQuestion
	for i := range 10 {
		e := h.Report(h.after(time.Millisecond), breaker.Outcome{
			Node: []string{"n1", "n2"}[i%2], Kind: breaker.Failure, Began: h.mo.Now, Ended: h.mo.Now,
		})
		if e.AskWitnesses != nil {
			q = e.AskWitnesses
		}
	}
	if q == nil || q.Heal {
		t.Fatalf("asked %+v", q)
	}
	h = newHealer(1)
	if e := h.Adopt(h.after(0), h.open(origin)); e.AskWitnesses != nil {
		t.Fatalf("alone, and asked %+v", e.AskWitnesses)
	}
	h.mo.Members = 2
	if e := h.Joined(h.after(time.Second)); e.AskWitnesses == nil || !e.AskWitnesses.Heal {
		t.Fatalf("asked who joined %+v", e.AskWitnesses)
	}
}

// TestAnothersCircuitYields: what this machine only heard of, or read from disk,
// a later word replaces; what it counted itself it says again.
func TestAnothersCircuitYields(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.FailMax = 1
	closed := func(stamp breaker.Stamp) breaker.Snapshot {
		return breaker.Snapshot{Circuit: breaker.Circuit{Stamp: stamp, Keep: 1 << 60}}
	}
	mo := func(now breaker.Instant) breaker.Moment {
		return breaker.Moment{Now: now, Stamp: breaker.Stamp(now) + 100, Members: 1}
	}
	m := breaker.New(&p)
	m.Adopt(mo(1000), breaker.Snapshot{Circuit: breaker.Circuit{State: breaker.Open, Stamp: 5, Until: 1 << 50, FirstTrip: 900, Opens: 1}})
	m.Adopt(mo(1001), closed(6))
	if got := m.Snapshot(); got.At(1002).State != breaker.Closed {
		t.Errorf("a circuit from elsewhere stays %v over a later close", got.At(1002))
	}
	m.Report(mo(2000), breaker.Outcome{Node: "n1", Kind: breaker.Failure, Began: 2000, Ended: 2000})
	if got := m.Snapshot(); got.At(2001).State != breaker.Open {
		t.Fatalf("after a failure it is %v; want open", got.At(2001))
	}
	e := m.Adopt(mo(2001), closed(2150)) // later than the trip's stamp, 2100
	if got := m.Snapshot(); got.At(2002).State != breaker.Open || e.Announce == nil || got.Circuit.Stamp <= 2100 {
		t.Errorf("its own circuit is %+v after another's close; want it said again", got.Circuit)
	}
}

// A healing round that closes an open circuit ends no Retry-After that still
// ran then and that the owner had not heard of.
func TestHealingEndsNoRetryAfterThatRan(t *testing.T) {
	h := newHealer(3)
	unheard := breaker.Cooldown{Setter: "n2", Stamp: h.mo.Stamp, Until: origin.Add(30 * time.Second), Reason: breaker.ReasonRetryAfter}
	e := h.Adopt(h.after(time.Millisecond), h.open(origin))
	h.Witness(h.after(time.Second), breaker.WitnessAnswer{Round: e.AskWitnesses.Round, Node: "n2", Success: origin.Add(2)})
	if st := h.Inspect(h.mo.Now).Status.State; st != breaker.Closed {
		t.Fatalf("%v after a member's success", st)
	}
	h.Adopt(h.after(0), breaker.Snapshot{Cooldowns: []breaker.Cooldown{unheard}})
	s := h.Snapshot()
	if st := s.At(unheard.Until - 1); st.State != breaker.Open {
		t.Errorf("%v while the Retry-After runs", st.State)
	}
	if st := s.At(unheard.Until); st.State != breaker.HalfOpen {
		t.Errorf("%v when it ran out, want a probe first", st.State)
	}
}

// With fewer members than success_threshold all but one are enough: one sick
// machine keeps nothing open.
func TestHealingWithFewMembers(t *testing.T) {
	for _, c := range []struct {
		members int
		healthy []string
		want    breaker.State
	}{
		{2, nil, breaker.Open}, {2, []string{"n1"}, breaker.Closed}, {3, []string{"n1"}, breaker.Open}, {3, []string{"n1", "n2"}, breaker.Closed},
	} {
		h := newHealer(c.members)
		p := breaker.DefaultPolicy()
		p.SuccessThreshold = 5
		h.Replace(h.mo, &p)
		round := h.Adopt(h.after(time.Millisecond), h.open(origin)).AskWitnesses.Round
		for _, n := range c.healthy {
			h.Witness(h.after(time.Second), breaker.WitnessAnswer{Round: round, Node: n, Success: origin.Add(2)})
		}
		if st := h.Inspect(h.mo.Now).Status.State; st != c.want {
			t.Errorf("%d members, %v called with success: %v, want %v", c.members, c.healthy, st, c.want)
		}
	}
}
