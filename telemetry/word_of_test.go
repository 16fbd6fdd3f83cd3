package telemetry

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

const (
	keyA   = breaker.Key("host:a.example")
	origin = breaker.Instant(time.Hour)
)

func moment(at breaker.Instant) breaker.Moment {
	return breaker.Moment{Now: at, Stamp: breaker.Stamp(at), Members: 1}
}

// told is the events of a step.
func told(t *testing.T, e breaker.Effects) (list []Event) {
	t.Helper()
	if e.Announce == nil {
		t.Fatal("nothing was announced")
	}
	for _, x := range e.Announce.Transitions {
		list = append(list, EventOf(keyA, x, e.Announce.Snapshot))
	}
	return list
}

func oneTold(t *testing.T, e breaker.Effects) Event {
	t.Helper()
	list := told(t, e)
	if len(list) != 1 {
		t.Fatalf("%d events: %+v", len(list), list)
	}
	return list[0]
}

// A close by hand is an operator's; that a later trip of the same breaker is
// forgotten is not, although the clear is still remembered.
func TestForgettingIsNoOperatorsClose(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.FailMax = 1
	m := breaker.New(&p)
	byHand := oneTold(t, m.Close(moment(origin), "ann", ""))
	if byHand.Kind != KindOperator || byHand.Author != "ann" {
		t.Errorf("a close by hand is %+v", byHand)
	}
	at := origin.Add(time.Minute)
	trip := oneTold(t, m.Report(moment(at), breaker.Outcome{Node: "n1", Kind: breaker.Failure, Began: at, Ended: at}))
	half := oneTold(t, m.Tick(moment(at.Add(p.ResetTimeout))))
	gone := oneTold(t, m.Tick(moment(at.Add(p.ResetTimeout+11*time.Minute))))
	if gone.Kind != KindTransition || gone.To != "closed" || gone.ID() == byHand.ID() || gone.Stamp != trip.Stamp || half.Stamp != trip.Stamp {
		t.Errorf("forgotten: %+v after %+v and %+v; want a transition of the circuit that tripped", gone, trip, half)
	}
}

// A Retry-After that comes while the circuit is open for longer is told with who
// saw it and how long it is, and so is the next one.
func TestACooldownDuringALongerOneKeepsItsIdentity(t *testing.T) {
	p := breaker.DefaultPolicy()
	m := breaker.New(&p)
	oneTold(t, m.OpenUntil(moment(origin), "n1", time.Hour, "ann", "maintenance"))
	ids := map[ID]bool{}
	for i, setter := range []string{"n2", "n3"} {
		at, length := origin.Add(time.Duration(i+1)*time.Second), time.Duration(i+1)*time.Minute
		e := oneTold(t, m.Cool(moment(at), breaker.Cooldown{
			Setter: setter, Stamp: breaker.Stamp(at), Until: at.Add(length), Length: length, Reason: breaker.ReasonRetryAfter, Detail: "Retry-After: 60",
		}))
		if e.Kind != KindCooldown || e.Node != setter || e.Length != length || e.Evidence.RetryAfter != "60" || e.Stamp != breaker.Stamp(at) {
			t.Errorf("told %+v", e)
		}
		ids[e.ID()] = true
	}
	if len(ids) != 2 {
		t.Errorf("two cooldowns have %d identities", len(ids))
	}
}

// What another owner counted, or a disk kept, is the same event.
func TestAnAdoptedTripIsTheSameEvent(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.FailMax = 1
	first := breaker.New(&p)
	e := first.Report(moment(origin), breaker.Outcome{Node: "n1", Kind: breaker.Failure, Began: origin, Ended: origin})
	trip := oneTold(t, e)
	second := breaker.New(&p)
	adopted := oneTold(t, second.Adopt(moment(origin.Add(time.Second)), e.Announce.Snapshot))
	if adopted.ID() != trip.ID() {
		t.Errorf("adopted as %v, tripped as %v", adopted.ID(), trip.ID())
	}
}
