package planner_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// told are orders as records that a planner hears of, so many at once.
func told(r *rig, n int, key func(int) breaker.Key) (records []planner.Record) {
	for i := range n {
		x := planner.Record{Done: []planner.Change{failMaxChange(5, 8)}}
		x.ID, x.Kind, x.At, x.Key, x.Plan = fmt.Sprint("x", i), guard.Enforced, r.now().UnixMilli()+int64(i), key(i), fmt.Sprint("p", i)
		records = append(records, x)
	}
	return records
}

// What is watched is bounded, whatever is told: and nothing new is begun then.
func TestTrialsAreBounded(t *testing.T) {
	r := newRig(t, 1)
	r.Recall(r.now(), told(r, 3000, func(i int) breaker.Key { return host(10 + i) }))
	if n := len(r.Trials()); n != 1000 {
		t.Errorf("%d trials, want 1000", n)
	}
	plan := r.Draw(r.now(), time.Minute, cases(1))
	if c := plan.Hosts[0].Changes[0]; c.Verdict != planner.Refused {
		t.Errorf("one more: %+v", c)
	}
}

// A plan changes no more than the fleet's budget of the day, however many hosts need a
// change each of its own; what would wait for one beyond it does not.
func TestAPlanKeepsTheFleetsBudget(t *testing.T) {
	s := settings()
	s.Guard.FleetCount = 3
	r := newRig(t, 25)
	r.Use(s)
	var list []planner.Case
	for i := range 25 {
		c := failMax(host(i), 8)
		if i < 5 {
			c.Advice.Suggestions[0].Role = fmt.Sprint("r", i) // a kind of its own
		}
		list = append(list, c)
	}
	plan := r.Draw(r.now(), time.Minute, list)
	by := map[planner.Verdict]int{}
	for _, h := range plan.Hosts {
		by[h.Changes[0].Verdict]++
	}
	if by[planner.Now] != 3 || by[planner.Later] != 0 || by[planner.Refused] != 22 {
		t.Errorf("verdicts %v, want 3 now and none later: nobody tries what they would wait for", by)
	}
	if orders, err := r.Enforce(r.now(), plan.ID, "ann"); err != nil || len(orders) != 3 {
		t.Errorf("%d orders, %v", len(orders), err)
	}
}

// The same host twice in a plan, or twice among those that wait, is changed once.
func TestOneOrderAHost(t *testing.T) {
	r := newRig(t, 2)
	list := cases(1)
	list = append(list, failMax(host(0), 7))
	plan := r.Draw(r.now(), time.Minute, list)
	if orders, err := r.Enforce(r.now(), plan.ID, "ann"); err != nil || len(orders) != 1 {
		t.Errorf("orders %+v, %v", orders, err)
	}

	r = newRig(t, 3)
	record := told(r, 1, func(int) breaker.Key { return host(0) })[0]
	record.Trial = canary.State{Verdict: canary.Promote}
	waits := planner.Waiting{Key: host(1), Changes: []planner.Change{failMaxChange(5, 8)}}
	record.Waiting = []planner.Waiting{
		waits, waits,
		{Key: host(2), Changes: []planner.Change{failMaxChange(5, 30)}},                     // out of bounds
		{Key: host(2), Changes: []planner.Change{failMaxChange(8, 5)}},                      // of another kind
		{Key: host(2), Changes: []planner.Change{failMaxChange(5, 8), failMaxChange(5, 9)}}, // two in one
		{Key: host(2)}, {Key: "no key", Changes: []planner.Change{failMaxChange(5, 8)}}, // nothing, nobody
		{Key: host(9), Changes: []planner.Change{failMaxChange(5, 8)}},                         // never called
		{Key: host(2), Changes: []planner.Change{failMaxChange(math.NaN(), 8)}, Before: "x:1"}, // no number
	}
	r.Recall(r.now(), []planner.Record{record})
	if orders, _ := r.Judge(r.now(), true); len(orders) != 1 || orders[0].Key != host(1) {
		t.Errorf("orders %+v, want one for %s", orders, host(1))
	}
}

// Hosts are bounded also where all are called all the time: those that are known stay.
func TestHostsAreBounded(t *testing.T) {
	r := emptyRig(0)
	observe := func(from, to int) {
		r.bucket++
		var seen []planner.Seen
		for i := from; i < to; i++ {
			s := planner.Seen{Key: host(i)}
			s.At, s.Judged, s.Failures = r.bucket, 20, 1
			seen = append(seen, s)
		}
		r.Observe(seen, r.bucket)
	}
	const most = 20_000
	for range 31 * 6 {
		observe(most-1, most) // one that is known
	}
	observe(0, most+5000)
	if n := r.Hosts(); n != most {
		t.Errorf("%d hosts are known, want %d", n, most)
	}
	if c := r.Draw(r.now(), time.Minute, []planner.Case{failMax(host(most-1), 8)}).Hosts[0].Changes[0]; c.Verdict != planner.Now {
		t.Errorf("the host that was known before: %+v", c)
	}
	for range 40 {
		observe(0, 1000)
	}
	observe(most, most+5000) // the others were quiet
	if n := r.Hosts(); n > most || n < 5000 {
		t.Errorf("%d hosts are known after most were quiet", n)
	}
}

// Counts that cannot be do not wrap around: a host that only fails costs all it can, and
// not nothing.
func TestAbsurdCountsDoNotWrap(t *testing.T) {
	r := newRig(t, 1)
	r.enforce(cases(1))
	delete(r.lost, host(0))
	var orders []planner.Order
	for range 180 {
		for range 6 {
			r.bucket++
			s := planner.Seen{Key: host(0), Rejected: 1 << 63, ProbesFailed: math.MaxUint64, Opens: math.MaxUint64}
			s.At, s.Judged, s.Failures, s.LatencyLogs, s.LatencyCalls = r.bucket, 1<<63, 1<<63, math.Inf(1), math.MaxUint64
			r.Observe([]planner.Seen{s}, r.bucket)
		}
		if orders, _ = r.Judge(r.now(), true); len(orders) > 0 {
			break
		}
	}
	if len(orders) != 1 || !orders[0].Undo || !strings.Contains(orders[0].Cause.Why, "worse") {
		t.Errorf("orders %+v, want it undone: it is worse", orders)
	}
}

// A node that was suspended catches up at once, and a trial whose time is over meanwhile
// is undone.
func TestSuspendedForLong(t *testing.T) {
	for _, gone := range []time.Duration{5 * time.Hour, 30 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		r := newRig(t, 1)
		r.enforce(cases(1))
		r.bucket += int64(gone / (bucketSeconds * time.Second))
		began := time.Now()
		r.pass(time.Minute)
		orders, _ := r.Judge(r.now(), true)
		if took := time.Since(began); took > time.Second {
			t.Errorf("after %v it took %v", gone, took)
		}
		if want := gone > 24*time.Hour; want != (len(orders) == 1) {
			t.Errorf("after %v: orders %+v", gone, orders)
		}
	}
	r := newRig(t, 1)
	record := told(r, 1, func(int) breaker.Key { return host(0) })[0]
	record.At, record.IntervalMS = 1, 10_000 // in 1970
	record.Trial = canary.State{
		Verdict: canary.Continue, Cap: 1, High: 1, Usual: 0.5, Block: 1, Slow: 1, NeedWorse: 3, NeedFine: 3, LimitSeconds: 30 * 24 * 3600, Seconds: -1e100,
	}
	r.Recall(r.now(), []planner.Record{record})
	began := time.Now()
	if orders, _ := r.Judge(r.now(), true); time.Since(began) > time.Second || len(orders) != 1 || !orders[0].Undo {
		t.Errorf("orders %+v after %v", orders, time.Since(began))
	}
}

// When the clock is set back counting goes on: at once after more than an hour, and
// within that hour otherwise. A trial is judged by what comes after.
func TestClockSetBack(t *testing.T) {
	for _, back := range []time.Duration{2 * time.Hour, 10 * 365 * 24 * time.Hour, 40 * time.Minute} {
		r := newRig(t, 1)
		r.enforce(cases(1))
		r.pass(10 * time.Minute)
		r.bucket -= int64(back / (bucketSeconds * time.Second))
		r.bucket = max(r.bucket, 1000)
		r.lost[host(0)] = 20
		var orders []planner.Order
		for range 180 {
			r.pass(time.Minute)
			if orders, _ = r.Judge(r.now(), true); len(orders) > 0 {
				break
			}
		}
		if len(orders) != 1 || !strings.Contains(orders[0].Cause.Why, "worse") {
			t.Errorf("set back by %v: orders %+v", back, orders)
			continue
		}
		r.done(orders)
		r.lost[host(0)] = 1
		r.pass(time.Hour)
		if got := verdicts(r.Draw(r.now(), time.Minute, cases(1)))[0]; strings.Contains(got, "spans of") {
			t.Errorf("set back by %v, an hour later: %s", back, got)
		}
	}
}

// A plan is enforced near the time when it was made, also by a clock that was set back.
func TestPlanOfTheFuture(t *testing.T) {
	r := newRig(t, 1)
	plan := r.Draw(r.now(), time.Minute, cases(1))
	if _, err := r.Enforce(r.now().Add(-time.Hour), plan.ID, "ann"); err != planner.ErrUnknownPlan {
		t.Errorf("an hour before it was made: %v", err)
	}
}

// A trial is judged to its end by intervals of the length it began with, here and by the
// next tuner; meanwhile none begins.
func TestIntervalChangesDuringATrial(t *testing.T) {
	takes := 0 * time.Minute // that of a trial whose intervals nobody changes
	for _, length := range []time.Duration{time.Minute, 10 * time.Second, 10 * time.Minute} {
		r := newRig(t, 2)
		records := r.enforce(cases(1))
		other := settings()
		other.Trial.Interval = length
		next := &rig{Planner: planner.New(other), t: t, bucket: r.bucket, lost: r.lost, opens: r.opens}
		next.Recall(next.now(), records)
		next.Recalled()
		r.Use(other)
		r.lost[host(0)] = 12
		for _, x := range []*rig{r, next} {
			var orders []planner.Order
			passed := time.Duration(0)
			for ; passed < 2*time.Hour && len(orders) == 0; passed += time.Minute {
				x.pass(time.Minute)
				orders, _ = x.Judge(x.now(), true)
			}
			if takes == 0 {
				takes = passed
			}
			if len(orders) != 1 || passed != takes || !strings.Contains(orders[0].Cause.Why, "worse") {
				t.Fatalf("%v: after %v: orders %+v", length, passed, orders)
			}
			other := []planner.Case{failMax(host(1), 8)}
			if got := verdicts(x.Draw(x.now(), time.Minute, other))[0]; length != time.Minute && !strings.Contains(got, "refused changes on trial are judged by spans of 1m0s") {
				t.Errorf("%v: another meanwhile: %s", length, got)
			}
			x.done(orders)
			if x.pass(31 * length); length < time.Minute {
				if got := verdicts(x.Draw(x.now(), time.Minute, other))[0]; got != "h1 fail_max now" {
					t.Errorf("%v: another after that: %s", length, got)
				}
			}
		}
	}
}

// What is over is remembered, but not for every breaker there ever was.
func TestEndsAreBounded(t *testing.T) {
	s := settings()
	s.Guard.MaxHosts = 10
	r := newRig(t, 1)
	r.Planner = planner.New(s)
	records := told(r, 1, func(int) breaker.Key { return host(0) })
	for i := range 45_000 {
		r.Recall(r.now(), []planner.Record{planner.ResetOf(r.now().Add(time.Duration(i)*time.Millisecond), host(i), "ann")})
	}
	r.Recall(r.now(), []planner.Record{planner.ResetOf(r.now().Add(time.Hour), host(0), "ann")})
	r.Recall(r.now(), records)
	if n := r.Ended(); n > 20_000 {
		t.Errorf("%d are remembered", n)
	}
	if len(r.Trials()) != 0 {
		t.Error("what an operator reset is on trial")
	}
}

// A record fits where it is kept, also that of a key as long as can be.
func TestRecordsFit(t *testing.T) {
	long := breaker.HostKey(strings.Repeat(strings.Repeat("a", 61)+".", 4) + "org")
	r := newRig(t, 0)
	r.lost[long] = 1
	r.pass(time.Hour)
	c := failMax(long, 8)
	c.Inputs = []byte(`"` + strings.Repeat("x", planner.MaxRecordBytes-100) + `"`)
	records := r.enforce([]planner.Case{c})
	if x := records[0]; x.Valid() != nil || len(x.Inputs) > 0 || len(x.Proof) == 0 || x.Trial.Verdict == "" {
		t.Errorf("record %+v: %v; want it without inputs", x, x.Valid())
	}
	if x := planner.ResetOf(r.now(), long, "ann"); x.Valid() != nil {
		t.Errorf("reset %+v", x)
	}
}

// Trials that somebody reads do not change under them.
func TestTrialsAreCopies(t *testing.T) {
	r := newRig(t, 30)
	r.enforce(cases(30))
	shown := r.Trials()[0]
	before := fmt.Sprint(shown.Keys())
	r.Recall(r.now(), []planner.Record{planner.ResetOf(r.now().Add(time.Minute), shown.Tried[0].Key, "ann")})
	if got := fmt.Sprint(shown.Keys()); got != before {
		t.Errorf("it has %s, had %s", got, before)
	}
}

// An order that fails is not held against: its host was not changed.
func TestFailedOrderIsNotWatched(t *testing.T) {
	r := newRig(t, 40)
	for i := range 40 {
		r.lost[host(i)] = uint64(1 + i%2*10)
	}
	r.pass(time.Hour)
	plan := r.Draw(r.now(), time.Minute, cases(40))
	orders, err := r.Enforce(r.now(), plan.ID, "ann")
	if err != nil || len(orders) != 4 {
		t.Fatalf("%d orders, %v", len(orders), err)
	}
	results := make([]planner.Result, len(orders))
	for i, o := range orders {
		results[i] = planner.Result{Order: o}
		if i > 0 {
			results[i].Err = fmt.Errorf("its owner does not answer")
		}
	}
	records := r.Enforced(r.now(), results)
	kinds := map[guard.Event]int{}
	for _, record := range records {
		kinds[record.Kind]++
	}
	if kinds[guard.Enforced] != 1 || kinds[planner.NotMade] != 3 || records[0].Trial == orders[0].Trial {
		t.Errorf("it is watched as if all had been changed: %v", kinds)
	}
}
