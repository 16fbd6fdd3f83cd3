package telemetry_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
)

const key = breaker.Key("host:h.example.org")

// An owner is a machine whose moments pass a second at a time.
type owner struct {
	*breaker.Machine
	now   breaker.Instant
	stamp breaker.Stamp
}

func newOwner(change func(*breaker.Policy)) *owner {
	p := breaker.DefaultPolicy()
	p.FailMax, p.ResetTimeout, p.Witnesses = 2, time.Minute, 1
	if change != nil {
		change(&p)
	}
	return &owner{breaker.New(&p), breaker.Instant(time.Hour), breaker.StampAt(at)}
}

func (o *owner) moment(later time.Duration) breaker.Moment {
	o.now, o.stamp = o.now.Add(later), o.stamp+breaker.Stamp(later.Milliseconds()<<16)+1
	return breaker.Moment{Now: o.now, Stamp: o.stamp, Members: 1, Rand: 7}
}

// told are the events of a step.
func told(t *testing.T, e breaker.Effects) (events []telemetry.Event) {
	t.Helper()
	if e.Announce == nil {
		t.Fatal("nothing was announced")
	}
	for _, tr := range e.Announce.Transitions {
		events = append(events, telemetry.EventOf(key, tr, e.Announce.Snapshot))
	}
	return events
}

func one(t *testing.T, e breaker.Effects) telemetry.Event {
	t.Helper()
	events := told(t, e)
	if len(events) != 1 {
		t.Fatalf("%d events: %+v; want one", len(events), events)
	}
	return events[0]
}

func (o *owner) fail(later time.Duration, node string) breaker.Effects {
	mo := o.moment(later)
	return o.Report(mo, breaker.Outcome{Node: node, Kind: breaker.Failure, Began: mo.Now, Ended: mo.Now, Evidence: breaker.Evidence{Status: 503}})
}

func (o *owner) trip(t *testing.T) telemetry.Event {
	t.Helper()
	o.fail(time.Second, "a")
	return one(t, o.fail(time.Second, "a"))
}

func cooldown(mo breaker.Moment, setter string, d time.Duration) breaker.Cooldown {
	return breaker.Cooldown{
		Setter: setter, Stamp: mo.Stamp, Until: mo.Now.Add(d), Length: d, Reason: breaker.ReasonRetryAfter, Detail: "Retry-After: 120",
	}
}

func TestEventOfATrip(t *testing.T) {
	o := newOwner(nil)
	e := o.trip(t)
	if e.Kind != telemetry.KindTransition || e.From != "closed" || e.To != "open" || e.Reason != breaker.ReasonConsecutive ||
		e.Length != time.Minute || e.Stamp != o.stamp || e.Evidence.Failures != 2 || e.Evidence.Status != 503 {
		t.Errorf("a trip is %+v", e)
	}
	half := one(t, o.Tick(o.moment(2*time.Minute)))
	if half.Kind != telemetry.KindTransition || half.To != "half_open" || half.Stamp != e.Stamp || half.Length != 0 {
		t.Errorf("running out is %+v; want the stamp of the trip, %d", half, e.Stamp)
	}
	answer, _ := o.Ask(o.moment(time.Second), breaker.Question{ID: 1, Node: "a"})
	mo := o.moment(time.Second)
	closed := one(t, o.Report(mo, breaker.Outcome{Node: "a", Kind: breaker.Success, Permit: answer.Permit, Began: mo.Now, Ended: mo.Now}))
	if closed.Kind != telemetry.KindTransition || closed.From != "half_open" || closed.To != "closed" || closed.Stamp != mo.Stamp {
		t.Errorf("a recovery is %+v", closed)
	}
}

func TestEventOfARetryAfter(t *testing.T) {
	o := newOwner(nil)
	mo := o.moment(time.Second)
	e := one(t, o.Cool(mo, cooldown(mo, "a", 2*time.Minute)))
	if e.Kind != telemetry.KindCooldown || e.Node != "a" || e.Length != 2*time.Minute || e.Evidence.RetryAfter != "120" || e.Stamp != mo.Stamp || e.To != "open" {
		t.Errorf("a Retry-After is %+v", e)
	}
	mo = o.moment(time.Second)
	longer := one(t, o.Cool(mo, cooldown(mo, "b", 10*time.Minute)))
	if longer.Kind != telemetry.KindCooldown || longer.From != "open" || longer.Node != "b" || longer.Length != 10*time.Minute || longer.ID() == e.ID() {
		t.Errorf("a longer one is %+v", longer)
	}
}

func TestEventsOfAnOperator(t *testing.T) {
	o := newOwner(nil)
	open := one(t, o.OpenUntil(o.moment(time.Second), "a", 10*time.Minute, "alice", "maintenance"))
	if open.Kind != telemetry.KindOperator || open.To != "open" || open.Author != "alice" || open.Length != 10*time.Minute || open.Detail != "maintenance" {
		t.Errorf("an open is %+v", open)
	}
	shut := one(t, o.Close(o.moment(time.Second), "bob", "fixed"))
	if shut.Kind != telemetry.KindOperator || shut.From != "open" || shut.To != "closed" || shut.Author != "bob" || shut.Stamp != o.stamp {
		t.Errorf("a close is %+v", shut)
	}
	if again := one(t, o.Close(o.moment(time.Second), "bob", "")); again.Kind != telemetry.KindOperator || again.ID() == shut.ID() {
		t.Errorf("a close of what is closed is %+v", again)
	}
}

// What one owner did has the same ID when another adopts it, or the same one after
// a restart: the snapshot tells.
func TestAnAdoptedEventHasTheSameID(t *testing.T) {
	for name, do := range map[string]func(*owner) breaker.Effects{
		"a trip": func(o *owner) breaker.Effects { o.fail(time.Second, "a"); return o.fail(time.Second, "a") },
		"a Retry-After": func(o *owner) breaker.Effects {
			mo := o.moment(time.Second)
			return o.Cool(mo, cooldown(mo, "a", time.Minute))
		},
		"an open": func(o *owner) breaker.Effects {
			return o.OpenUntil(o.moment(time.Second), "a", time.Minute, "alice", "x")
		},
		"a close": func(o *owner) breaker.Effects {
			o.OpenUntil(o.moment(time.Second), "a", time.Hour, "alice", "x")
			return o.Close(o.moment(time.Second), "bob", "y")
		},
	} {
		first, second := newOwner(nil), newOwner(nil)
		e := one(t, do(first))
		if name == "a close" { // of what the other knows to be open
			second.OpenUntil(second.moment(time.Second), "a", time.Hour, "alice", "x")
		}
		second.now, second.stamp = first.now, first.stamp+1<<20
		adopted := one(t, second.Adopt(second.moment(time.Second), first.Snapshot()))
		if adopted.ID() != e.ID() {
			t.Errorf("%s is %v, adopted it is %v", name, e.ID(), adopted.ID())
		}
		if name == "a close" {
			continue
		}
		ended := one(t, first.Tick(first.moment(2*time.Minute)))
		second.now = first.now
		if also := one(t, second.Tick(second.moment(time.Second))); also.ID() != ended.ID() || also.ID() == e.ID() {
			t.Errorf("%s that ran out is %v at one owner, %v at the other", name, ended.ID(), also.ID())
		}
	}
}
