package planner_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// rig is a planner with hosts that were called for an hour, at a time of its own.
type rig struct {
	*planner.Planner
	t      testing.TB
	bucket int64
	lost   map[breaker.Key]uint64 // of 20 calls in a bucket, so many fail
	opens  map[breaker.Key]uint64 // in a bucket
}

const bucketSeconds = 10

func (r *rig) now() time.Time { return time.Unix((r.bucket+1)*bucketSeconds, 0) }

func settings() planner.Settings {
	return planner.DefaultSettings()
}

func newRig(t testing.TB, hosts int) *rig {
	r := emptyRig(hosts)
	r.t = t
	r.pass(time.Hour)
	return r
}

// emptyRig is one whose hosts were not called yet.
func emptyRig(hosts int) *rig {
	r := &rig{Planner: planner.New(settings()), bucket: 1_000_000, lost: map[breaker.Key]uint64{}, opens: map[breaker.Key]uint64{}}
	for i := range hosts {
		r.lost[host(i)] = 1
	}
	r.Recalled()
	return r
}

func host(i int) breaker.Key { return breaker.HostKey(fmt.Sprintf("h%d.example.org", i)) }

// pass lets time go by with calls.
func (r *rig) pass(d time.Duration) {
	for range d / (bucketSeconds * time.Second) {
		r.bucket++
		r.Observe(r.usual(), r.bucket)
	}
}

// usual are the calls of the present bucket.
func (r *rig) usual() (seen []planner.Seen) {
	for key, lost := range r.lost {
		s := planner.Seen{Key: key, Opens: r.opens[key]}
		s.At, s.Judged, s.Failures = r.bucket, 20, lost
		seen = append(seen, s)
	}
	return seen
}

// failMax is the case of a host that should have another fail_max, which a replay
// found to be better.
func failMax(key breaker.Key, to float64) planner.Case {
	return planner.Case{
		Metrics: tuner.HostMetrics{Key: key, Window: 10 * time.Minute},
		Advice: tuner.HostAdvice{Key: key, Suggestions: []tuner.Suggestion{{
			Field: tuner.FieldFailMax, Rule: tuner.RuleFalseTrips, Why: "false", Confidence: 0.99, Current: 5, Proposed: to,
		}}},
		Proof:  map[tuner.Rule]planner.Proof{tuner.RuleFalseTrips: {Accepted: true, Why: "better in 3 of 3", Found: json.RawMessage(`{"found":1}`)}},
		Inputs: json.RawMessage(`{"tape":1}`),
	}
}

func cases(n int) (list []planner.Case) {
	for i := range n {
		list = append(list, failMax(host(i), 8))
	}
	return list
}

// Draw makes a plan that can be enforced.
func (r *rig) Draw(now time.Time, window time.Duration, list []planner.Case) planner.Plan {
	plan := r.Planner.Draw(now, window, list)
	r.Keep(now, &plan)
	return plan
}

// enforce draws a plan and has its orders done.
func (r *rig) enforce(list []planner.Case) []planner.Record {
	r.t.Helper()
	plan := r.Draw(r.now(), 10*time.Minute, list)
	orders, err := r.Enforce(r.now(), plan.ID, "ann")
	if err != nil {
		r.t.Fatalf("%v; verdicts %+v", err, plan.Hosts[0].Changes)
	}
	return r.done(orders)
}

func (r *rig) done(orders []planner.Order) []planner.Record {
	var results []planner.Result
	for _, o := range orders {
		results = append(results, planner.Result{Order: o})
	}
	return r.Enforced(r.now(), results)
}

func verdicts(p planner.Plan) (list []string) {
	for _, h := range p.Hosts {
		for _, c := range h.Changes {
			list = append(list, strings.TrimSpace(h.Key().Name()[:2]+" "+c.Field+" "+string(c.Verdict)+" "+c.Reason))
		}
	}
	return list
}

// What speaks against a change is said, and nothing else is enforced.
func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*rig, *planner.Case)
		want   []string
	}{
		{"nothing speaks against it", func(*rig, *planner.Case) {}, []string{"h0 fail_max now"}},
		{"no replay accepts it", func(_ *rig, c *planner.Case) {
			c.Proof[tuner.RuleFalseTrips] = planner.Proof{Why: "it would cost more"}
		}, []string{"h0 fail_max refused it would cost more"}},
		{"no replay was possible", func(_ *rig, c *planner.Case) { c.Proof = nil }, []string{"h0 fail_max refused nothing that could prove it was recorded"}},
		{"a rate needs no replay", func(_ *rig, c *planner.Case) {
			c.Advice.Suggestions[0] = tuner.Suggestion{Field: tuner.FieldRateMultiplier, Rule: tuner.RuleLimited, Confidence: 0.99, Current: 1, Proposed: 0.8}
		}, []string{"h0 rate_multiplier now"}},
		{"it is not sure enough", func(_ *rig, c *planner.Case) { c.Advice.Suggestions[0].Confidence = 0.91 },
			[]string{"h0 fail_max refused log odds of 2.31 speak for it, 3.00 are needed"}},
		{"it is out of bounds", func(_ *rig, c *planner.Case) { c.Advice.Suggestions[0].Proposed = 30 },
			[]string{"h0 fail_max refused fail_max 5 to 30 is too high: 10"}},
		{"it is hardly a change", func(_ *rig, c *planner.Case) {
			c.Advice.Suggestions[0] = tuner.Suggestion{Field: tuner.FieldResetTimeout, Rule: tuner.RuleOutageLength, Confidence: 0.99, Current: 100, Proposed: 105}
		}, []string{"h0 reset_timeout refused a change of 5.0 % is less than 10.0 %"}},
		{"two rules: the surer one", func(_ *rig, c *planner.Case) {
			c.Advice.Suggestions = append(c.Advice.Suggestions, tuner.Suggestion{
				Field: tuner.FieldRateMultiplier, Rule: tuner.RuleLimited, Confidence: 0.999, Current: 1, Proposed: 0.8,
			})
		}, []string{"h0 fail_max refused one change of a breaker at a time: that of the rule too-many-429 comes first", "h0 rate_multiplier now"}},
		{"the changes of a rule go together", func(_ *rig, c *planner.Case) {
			c.Advice.Suggestions = append(c.Advice.Suggestions, tuner.Suggestion{
				Field: tuner.FieldTrialCalls, Rule: tuner.RuleFalseTrips, Confidence: 0.9, Current: 5, Proposed: 1,
			})
		}, []string{"h0 fail_max refused log odds of 2.20 speak for it, 3.00 are needed", "h0 trial_calls refused log odds of 2.20 speak for it, 3.00 are needed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, 1)
			c := failMax(host(0), 8)
			tt.change(r, &c)
			if got := verdicts(r.Draw(r.now(), 10*time.Minute, []planner.Case{c})); !slices.Equal(got, tt.want) {
				t.Errorf("verdicts\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

// A host of which little was seen cannot be watched, so nothing is changed.
func TestUnseenHostIsLeftAlone(t *testing.T) {
	r := newRig(t, 1)
	plan := r.Draw(r.now(), 10*time.Minute, []planner.Case{failMax(host(7), 8)})
	want := "h7 fail_max refused calls were seen in 0 of the 30 spans of 1m0s that it takes to tell whether a change does harm"
	if got := verdicts(plan); got[0] != want {
		t.Errorf("%q, want %q", got[0], want)
	}
	if _, err := r.Enforce(r.now(), plan.ID, "ann"); !errors.Is(err, planner.ErrUnknownPlan) {
		t.Errorf("enforced: %v", err)
	}
}

// Only what was shown is enforced, once, not long after, and not before the tuner
// knows what was done.
func TestWhatMayBeEnforced(t *testing.T) {
	r := newRig(t, 1)
	plan := r.Draw(r.now(), 10*time.Minute, cases(1))
	if _, err := r.Enforce(r.now(), "p-0", "ann"); !errors.Is(err, planner.ErrUnknownPlan) {
		t.Errorf("an unknown plan: %v", err)
	}
	if _, err := r.Enforce(r.now().Add(11*time.Minute), plan.ID, "ann"); !errors.Is(err, planner.ErrUnknownPlan) {
		t.Errorf("an old plan: %v", err)
	}
	r.pass(time.Minute)
	other := r.Draw(r.now(), 10*time.Minute, cases(1))
	orders, err := r.Enforce(r.now(), plan.ID, "ann")
	if err != nil || len(orders) != 1 || orders[0].Key != host(0) || orders[0].Changes[0].Proposed != 8 || orders[0].Undo {
		t.Fatalf("orders %+v, %v", orders, err)
	}
	if _, err := r.Enforce(r.now(), plan.ID, "ann"); !errors.Is(err, planner.ErrEnforced) {
		t.Errorf("again: %v", err)
	}
	r.done(orders)
	if _, err := r.Enforce(r.now(), other.ID, "ann"); !errors.Is(err, planner.ErrNothing) {
		t.Errorf("another plan, drawn before the first was enforced: %v", err)
	}
	fresh := planner.New(settings())
	if _, err := fresh.Enforce(r.now(), plan.ID, "ann"); !errors.Is(err, planner.ErrNotRecalled) {
		t.Errorf("before it was told: %v", err)
	}
}

// What many hosts need is tried at a few of them, the same on every node.
func TestManyHostsTryAtAFew(t *testing.T) {
	r := newRig(t, 30)
	plan := r.Draw(r.now(), 10*time.Minute, cases(30))
	now := 0
	for _, h := range plan.Hosts {
		switch c := h.Changes[0]; c.Verdict {
		case planner.Now:
			now++
		case planner.Later:
			if !strings.HasPrefix(c.Reason, "it is made if it does well with h") {
				t.Errorf("%s waits: %q", h.Key(), c.Reason)
			}
		default:
			t.Errorf("%s is refused: %s", h.Key(), c.Reason)
		}
	}
	if now != 3 || len(r.Waiting(plan.ID)) != 27 {
		t.Errorf("%d now, %d later; want 3 and 27", now, len(r.Waiting(plan.ID)))
	}
}

// A change after which calls go worse is undone, with what was there before.
func TestWorseIsUndone(t *testing.T) {
	r := newRig(t, 1)
	c := failMax(host(0), 8)
	c.Before = "trial_calls:2"
	r.enforce([]planner.Case{c})
	if orders, _ := r.Judge(r.now(), true); len(orders) > 0 {
		t.Fatalf("at once: %+v", orders)
	}
	r.lost[host(0)] = 12
	var orders []planner.Order
	passed := time.Duration(0)
	for ; len(orders) == 0 && passed < 2*time.Hour; passed += time.Minute {
		r.pass(time.Minute)
		orders, _ = r.Judge(r.now(), true)
	}
	if len(orders) != 1 || !orders[0].Undo || orders[0].Before != "trial_calls:2" || orders[0].Cause.Kind != guard.RolledBack {
		t.Fatalf("after %v: orders %+v", passed, orders)
	}
	t.Logf("undone after %v", passed)
	if again, _ := r.Judge(r.now(), true); len(again) != 1 {
		t.Errorf("not ordered again while it is not done: %+v", again)
	}
	records := r.done(orders)
	if len(records) != 1 || records[0].Kind != guard.RolledBack || len(r.Trials()) != 0 {
		t.Errorf("records %+v, trials %+v", records, r.Trials())
	}
	if got := verdicts(r.Draw(r.now(), 10*time.Minute, cases(1)))[0]; !strings.Contains(got, "refused less than 10m0s since it was changed") {
		t.Errorf("right after that: %s", got)
	}
}

// A change that does no harm is made where it waited, and watched there too.
func TestNotWorseIsExtended(t *testing.T) {
	r := newRig(t, 20)
	for i := range 20 {
		r.opens[host(i)] = uint64(i % 2)
	}
	r.enforce(cases(20))
	trials := r.Trials()
	if len(trials) != 1 || len(trials[0].Tried) != 2 || len(trials[0].Waiting) != 18 {
		t.Fatalf("trials %+v", trials)
	}
	if got := verdicts(r.Draw(r.now(), 10*time.Minute, cases(20))); !slices.ContainsFunc(got, func(s string) bool {
		return strings.Contains(s, "refused the same change is tried with h")
	}) {
		t.Errorf("a plan meanwhile: %q", got)
	}
	var orders []planner.Order
	var records []planner.Record
	passed := time.Duration(0)
	for ; len(orders) == 0 && passed < 24*time.Hour; passed += time.Minute {
		r.pass(time.Minute)
		if blocked, _ := r.Judge(r.now(), false); len(blocked) > 0 {
			t.Fatalf("extended although nothing may be: %+v", blocked)
		}
		orders, records = r.Judge(r.now(), true)
	}
	if len(orders) != 18 || len(records) != 2 || records[0].Kind != guard.Promoted {
		t.Fatalf("after %v: %d orders, records %+v", passed, len(orders), records)
	}
	t.Logf("promoted after %v", passed)
	r.done(orders)
	if trials := r.Trials(); len(trials) != 1 || len(trials[0].Tried) != 18 || len(trials[0].Waiting) != 0 {
		t.Errorf("trials %+v", trials)
	}
}

// A tuner that comes to another member goes on from the records, in whatever order
// and however often it hears them.
func TestAnotherTunerGoesOn(t *testing.T) {
	r := newRig(t, 1)
	records := r.enforce(cases(1))
	text, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	var told []planner.Record
	if err := json.Unmarshal(text, &told); err != nil {
		t.Fatal(err)
	}
	if len(told[0].Inputs) == 0 || len(told[0].Proof) == 0 {
		t.Errorf("what it was decided from is not recorded: %s", text)
	}
	next := &rig{Planner: planner.New(settings()), t: t, bucket: r.bucket, lost: r.lost, opens: r.opens}
	next.Recall(next.now(), slices.Concat(told, told))
	next.Recalled()
	if trials := next.Trials(); len(trials) != 1 || len(trials[0].Tried) != 1 {
		t.Fatalf("trials %+v", trials)
	}
	next.lost[host(0)] = 12
	var orders []planner.Order
	for range 120 {
		next.pass(time.Minute)
		if orders, _ = next.Judge(next.now(), true); len(orders) > 0 {
			break
		}
	}
	if len(orders) != 1 || !orders[0].Undo {
		t.Fatalf("orders %+v", orders)
	}
	undone := next.done(orders)
	for _, order := range [][]planner.Record{slices.Concat(told, undone), slices.Concat(undone, told)} {
		third := planner.New(settings())
		for _, record := range order { // one by one
			third.Recall(next.now(), []planner.Record{record})
		}
		if trials := third.Trials(); len(trials) != 0 {
			t.Errorf("what is undone is still on trial: %+v", trials)
		}
	}
}

// An operator who resets a policy ends its trial.
func TestResetEndsATrial(t *testing.T) {
	r := newRig(t, 1)
	r.enforce(cases(1))
	r.pass(time.Minute)
	r.Recall(r.now(), []planner.Record{planner.ResetOf(r.now(), host(0), "ann")})
	if trials := r.Trials(); len(trials) != 0 {
		t.Errorf("trials %+v", trials)
	}
	r.lost[host(0)] = 15
	r.pass(time.Hour)
	if orders, _ := r.Judge(r.now(), true); len(orders) != 0 {
		t.Errorf("orders %+v", orders)
	}
}
