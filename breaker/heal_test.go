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
