package planner_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

var (
	counts    = rapid.OneOf(rapid.Uint64Range(0, 50), rapid.Uint64Range(0, 5000), rapid.Uint64(), rapid.Just(uint64(1)<<60))
	durations = rapid.Map(rapid.OneOf(rapid.Int64Range(0, int64(time.Hour)), rapid.Int64()), func(n int64) time.Duration { return time.Duration(n) })
	ints      = rapid.OneOf(rapid.IntRange(0, 12), rapid.Int())
	floats    = rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0.95, 1), rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}))
	keys      = rapid.Custom(func(t *rapid.T) breaker.Key { return host(rapid.IntRange(0, 5).Draw(t, "host")) })
	roles     = rapid.SampledFrom([]string{"", "", "metadata"})

	anyCounts = rapid.Custom(func(t *rapid.T) tuner.Counts {
		draw := func(name string) uint64 { return counts.Draw(t, name) }
		return tuner.Counts{
			Successes: draw("successes"), Limited: draw("limited"), Server: draw("server"), Timeouts: draw("timeouts"), Other: draw("other"),
			ProbesOK: draw("good"), ProbesFailed: draw("failed"), Rejected: draw("rejected"), LongestRun: draw("run"),
		}
	})
	anyOpen = rapid.Custom(func(t *rapid.T) tuner.Open {
		return tuner.Open{
			Role: roles.Draw(t, "role"), Reason: "consecutive-failures", Began: time.Unix(9_990_000, 0).Add(durations.Draw(t, "began")),
			Lasted: durations.Draw(t, "lasted"), Ended: rapid.Bool().Draw(t, "ended"), Recovered: rapid.Bool().Draw(t, "recovered"),
			ProbesFailed: ints.Draw(t, "probes"), LastFailed: durations.Draw(t, "last failed"), FirstGood: durations.Draw(t, "first good"),
		}
	})
	anyMetrics = rapid.Custom(func(t *rapid.T) tuner.HostMetrics {
		return tuner.HostMetrics{
			Key: keys.Draw(t, "key"), Window: durations.Draw(t, "window"), All: anyCounts.Draw(t, "all"),
			Opens: rapid.SliceOfN(anyOpen, 0, 4).Draw(t, "opens"), Nodes: []string{"n1", "n2"}, Members: 2,
		}
	})
	anyPolicy = rapid.Custom(func(t *rapid.T) *breaker.Policy {
		p := breaker.DefaultPolicy()
		if rapid.Bool().Draw(t, "default") {
			return &p
		}
		p.FailMax, p.SuccessThreshold, p.TrialCalls = ints.Draw(t, "fail_max"), ints.Draw(t, "threshold"), ints.Draw(t, "trials")
		p.ResetTimeout, p.RateMultiplier = durations.Draw(t, "reset"), floats.Draw(t, "rate")
		return &p
	})
	values        = rapid.OneOf(rapid.Map(rapid.IntRange(0, 12), func(n int) float64 { return float64(n) }), floats)
	anySuggestion = rapid.Custom(func(t *rapid.T) tuner.Suggestion {
		s := tuner.Suggestion{
			Field: rapid.SampledFrom([]string{
				tuner.FieldFailMax, tuner.FieldResetTimeout, tuner.FieldSuccessThreshold, tuner.FieldTrialCalls, tuner.FieldRateMultiplier, "mode", "",
			}).Draw(t, "field"),
			Role: roles.Draw(t, "role"), Rule: rapid.SampledFrom([]tuner.Rule{tuner.RuleLimited, tuner.RuleFalseTrips, tuner.RuleOutageLength, ""}).Draw(t, "rule"),
			Confidence: floats.Draw(t, "confidence"), Current: values.Draw(t, "current"), Proposed: values.Draw(t, "proposed"),
		}
		if rapid.IntRange(0, 2).Draw(t, "sound") > 0 { // as a rule would
			s.Confidence = 0.99
			s.Proposed, _ = guard.Clamp(s.Field, s.Current, s.Proposed)
		}
		return s
	})
	anyChange = rapid.Custom(func(t *rapid.T) planner.Change {
		return planner.Change{Suggestion: anySuggestion.Draw(t, "suggestion"), Verdict: planner.Now}
	})
	anyWaiting = rapid.Custom(func(t *rapid.T) planner.Waiting {
		return planner.Waiting{Key: keys.Draw(t, "key"), Changes: rapid.SliceOfN(anyChange, 0, 3).Draw(t, "changes"), Before: rapid.String().Draw(t, "before")}
	})
	anyTrial = rapid.Custom(func(t *rapid.T) canary.State {
		if rapid.Bool().Draw(t, "over") {
			return canary.State{Verdict: rapid.SampledFrom([]canary.Verdict{canary.Promote, canary.Promote, canary.Rollback, canary.Continue, "", "x"}).Draw(t, "verdict")}
		}
		return canary.State{
			Against: rapid.SampledFrom([]canary.Against{canary.Own, canary.Others, "x"}).Draw(t, "against"), Verdict: canary.Continue,
			Cap: floats.Draw(t, "cap"), High: floats.Draw(t, "high"), Usual: floats.Draw(t, "usual"), Block: ints.Draw(t, "block"), Slow: ints.Draw(t, "slow"),
			LimitSeconds: floats.Draw(t, "limit"), NeedWorse: floats.Draw(t, "need"), NeedFine: floats.Draw(t, "fine"), Seconds: floats.Draw(t, "seconds"),
		}
	})
)

// world is a planner to which anything is told, at a time that jumps.
type world struct {
	*rig
	draws   *rapid.T
	records []planner.Record // that were made
	orders  []planner.Order  // of which nobody has said what became of them
	reached map[string]int
}

// anyRecord is one that no planner wrote.
func (w *world) anyRecord() planner.Record {
	t := w.draws
	if n := len(w.records); n > 0 && rapid.Bool().Draw(t, "again") {
		r := w.records[rapid.IntRange(0, n-1).Draw(t, "which")]
		if rapid.Bool().Draw(t, "poisoned") {
			r.Waiting = rapid.SliceOfN(anyWaiting, 0, 4).Draw(t, "waiting")
		}
		return r
	}
	r := planner.Record{Done: rapid.SliceOfN(anyChange, 0, 3).Draw(t, "done"), Trial: anyTrial.Draw(t, "trial")}
	r.ID, r.Key, r.Plan = rapid.StringN(0, 4, 140).Draw(t, "id"), keys.Draw(t, "key"), rapid.StringN(0, 2, -1).Draw(t, "plan")
	r.Kind = rapid.SampledFrom([]guard.Event{guard.Enforced, guard.RolledBack, guard.Promoted, guard.Reset, "x", ""}).Draw(t, "kind")
	r.At = w.now().UnixMilli() - rapid.OneOf(rapid.Int64Range(-1000, 7_200_000), rapid.Int64()).Draw(t, "ago")
	r.IntervalMS = rapid.OneOf(rapid.SampledFrom([]int64{0, 10_000, 60_000}), rapid.Int64()).Draw(t, "interval")
	r.Waiting = rapid.SliceOfN(anyWaiting, 0, 4).Draw(t, "waiting")
	if rapid.IntRange(0, 3).Draw(t, "sound") > 0 { // as a tuner would, but for what it says
		r.ID, r.Kind, r.At = fmt.Sprint("x", r.Key, r.At), guard.Enforced, w.now().UnixMilli()-3_600_000
		r.Done, r.IntervalMS = []planner.Change{failMaxChange(5, 8)}, 0
		for i := range r.Waiting {
			r.Waiting[i].Changes = append(r.Waiting[i].Changes[:0], failMaxChange(rapid.SampledFrom([]float64{4, 5, 6, 9, 100, math.NaN()}).Draw(t, "from"), 8))
		}
	}
	return r
}

func failMaxChange(from, to float64) planner.Change {
	s := failMax(host(0), to).Advice.Suggestions[0]
	s.Current = from
	return planner.Change{Suggestion: s, Verdict: planner.Now}
}

// bounded fails if changes are not what one order may make.
func (w *world) bounded(what string, changes []planner.Change) {
	w.draws.Helper()
	fields := map[string]bool{}
	for _, c := range changes {
		b, known := guard.BoundOf(c.Field)
		to, _ := guard.Clamp(c.Field, c.Current, c.Proposed)
		switch {
		case !known, !(c.Proposed >= b.Least && c.Proposed <= b.Most), to != c.Proposed:
			w.draws.Fatalf("%s: %+v is out of bounds", what, c)
		case b.Step > 0 && math.Abs(c.Proposed-min(max(c.Current, b.Least), b.Most)) > b.Step*c.Current+1e-9 && c.Current >= b.Least && c.Current <= b.Most:
			w.draws.Fatalf("%s: %+v is more than a step", what, c)
		case c.Rule != changes[0].Rule, c.Role != changes[0].Role, fields[c.Field]:
			w.draws.Fatalf("%s: %+v is not one change", what, changes)
		}
		fields[c.Field] = true
	}
}

// given takes orders, and fails if they are not what may be ordered.
func (w *world) given(orders []planner.Order) {
	w.draws.Helper()
	onTrial, twice := map[breaker.Key]bool{}, map[breaker.Key]bool{}
	for _, t := range w.Trials() {
		for _, k := range t.Keys() {
			onTrial[k] = true
		}
	}
	for _, o := range orders {
		switch {
		case twice[o.Key]:
			w.draws.Fatalf("two orders for %s", o.Key)
		case o.Undo != onTrial[o.Key]:
			w.draws.Fatalf("%s is on trial: %v; order %+v", o.Key, onTrial[o.Key], o)
		case o.Undo:
			w.reached["undo"]++
		case len(o.Changes) == 0:
			w.draws.Fatalf("an order of nothing: %+v", o)
		default:
			w.bounded("order", o.Changes)
			w.reached["order "+o.Cause.Author]++
		}
		twice[o.Key] = true
	}
	w.orders = append(w.orders, orders...)
}

// kept takes records, and fails if they cannot be kept.
func (w *world) kept(records []planner.Record) {
	w.draws.Helper()
	for _, r := range records {
		text, err := json.Marshal(r)
		if err != nil || len(text) > planner.MaxRecordBytes || r.Valid() != nil {
			w.draws.Fatalf("record of %d bytes: %v, %v", len(text), err, r.Valid())
		}
		w.reached[string(r.Kind)]++
	}
	w.records = append(w.records, records...)
}

// draw has a plan made of what rules say, and of suggestions that none would make.
func (w *world) draw() planner.Plan {
	t := w.draws
	metrics, policy := rapid.SliceOfN(anyMetrics, 1, 4).Draw(t, "metrics"), anyPolicy.Draw(t, "policy")
	var list []planner.Case
	for i, a := range w.Advise(metrics, func(breaker.Key) *breaker.Policy { return policy }) {
		if rapid.Bool().Draw(t, "poisoned") {
			a.Suggestions = rapid.SliceOfN(anySuggestion, 1, 3).Draw(t, "suggestions")
		}
		c := planner.Case{Metrics: metrics[i], Advice: a, Proof: map[tuner.Rule]planner.Proof{}}
		for _, s := range a.Suggestions {
			c.Proof[s.Rule] = planner.Proof{Accepted: rapid.IntRange(0, 3).Draw(t, "accepted") > 0}
		}
		list = append(list, c)
	}
	plan := w.Draw(w.now(), 10*time.Minute, list)
	for i := range plan.Hosts {
		var now []planner.Change
		for _, c := range plan.Hosts[i].Changes {
			if c.Verdict == planner.Now {
				now = append(now, c)
				w.reached["now"]++
			} else if c.Reason == "" {
				t.Fatalf("%+v is not made and nobody says why", c)
			}
		}
		w.bounded("verdict", now)
	}
	return plan
}

// pass lets time go by, with calls.
func (w *world) passAny() {
	t := w.draws
	w.bucket += rapid.SampledFrom([]int64{0, 6, 100, 100_000, -30, -400, -500_000}).Draw(t, "jump")
	for range rapid.SampledFrom([]int{1, 6, 200}).Draw(t, "buckets") {
		w.bucket++
		w.Observe(w.usual(), w.bucket)
	}
	if rapid.Bool().Draw(t, "poisoned") {
		s := planner.Seen{Key: keys.Draw(t, "key"), Rejected: counts.Draw(t, "rejected"), ProbesFailed: counts.Draw(t, "probes"), Opens: counts.Draw(t, "opens")}
		s.Bucket = tuner.Bucket{
			At: rapid.OneOf(rapid.Just(w.bucket+1), rapid.Int64()).Draw(t, "at"), Judged: counts.Draw(t, "judged"), Failures: counts.Draw(t, "failures"),
			Limited: counts.Draw(t, "limited"), LatencyLogs: floats.Draw(t, "logs"), LatencyCalls: counts.Draw(t, "calls"),
		}
		w.bucket++
		w.Observe([]planner.Seen{s}, w.bucket)
	}
}

// step tells or asks one thing.
func (w *world) step() {
	t := w.draws
	switch rapid.IntRange(0, 7).Draw(t, "step") {
	case 0:
		w.passAny()
	case 1:
		s := settings()
		s.Trial.Interval = rapid.OneOf(rapid.SampledFrom([]time.Duration{10 * time.Second, time.Minute}), durations).Draw(t, "interval")
		s.Trial.Share, s.Guard.DeadBand, s.Tuner.ProbePrice = floats.Draw(t, "share"), floats.Draw(t, "band"), 10
		w.Use(s)
	case 2:
		w.judge(rapid.Bool().Draw(t, "extend"))
	case 3:
		w.Recall(w.now(), []planner.Record{w.anyRecord()})
		w.judge(true)
	case 4:
		var results []planner.Result
		for _, o := range w.orders {
			r := planner.Result{Order: o}
			if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
				r.Err = errors.New("its owner does not answer")
			}
			results = append(results, r)
		}
		w.kept(w.Enforced(w.now(), results))
		w.orders = nil
	default:
		if len(w.orders) > 0 {
			return
		}
		if orders, err := w.Enforce(w.now(), w.draw().ID, "ann"); err == nil {
			w.given(orders)
		}
	}
	w.sized()
}

func (w *world) judge(extend bool) {
	orders, records := w.Judge(w.now(), extend)
	w.given(orders)
	w.kept(records)
}

// sized fails if a breaker is on trial twice, or lists are longer than they may be.
func (w *world) sized() {
	seen := map[breaker.Key]bool{}
	for _, trial := range w.Trials() {
		if len(trial.Waiting) > 100 {
			w.draws.Fatalf("%d wait", len(trial.Waiting))
		}
		for _, k := range trial.Keys() {
			if seen[k] {
				w.draws.Fatalf("%s is on trial twice", k)
			}
			seen[k] = true
		}
	}
}

func anything(reached map[string]int) func(*rapid.T) {
	return func(t *rapid.T) {
		w := &world{rig: emptyRig(6), draws: t, reached: reached}
		w.pass(time.Hour)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			w.step()
		}
	}
}

// TestWhateverIsToldAnOrderIsBounded tells a planner anything, until it has done all
// that it can do: else the property would say little.
func TestWhateverIsToldAnOrderIsBounded(t *testing.T) {
	reached := map[string]int{}
	all := func() bool {
		for _, what := range []string{"now", "undo", "order ann", "order tuner", string(guard.Enforced), string(guard.RolledBack), string(guard.Promoted)} {
			if reached[what] == 0 {
				return false
			}
		}
		return true
	}
	for round := 0; !all(); round++ {
		if round == 10 {
			t.Fatalf("reached: %v", reached)
		}
		rapid.Check(t, anything(reached))
	}
}

func FuzzPlanner(f *testing.F) { f.Fuzz(rapid.MakeFuzz(anything(map[string]int{}))) }

// FuzzRecall has a tuner told records of any content.
func FuzzRecall(f *testing.F) {
	r := newRig(f, 3)
	records := r.enforce(cases(3))
	records = append(records, planner.ResetOf(r.now(), host(1), "ann"))
	text, err := json.Marshal(records)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`[{"id":"x","kind":"enforced","at":1,"key":"host:h0.example.org","done":[{}],"trial":{"verdict":"promote"},"waiting":[{"key":"x","changes":[{}]},{}]}]`))
	f.Add(fmt.Appendf(nil, `[{"id":"x","kind":"enforced","at":%d,"key":"host:h0.example.org","done":[{"field":"mode"}],"interval_ms":-1,"trial":{"seconds":-1e308}}]`, r.now().UnixMilli()))
	f.Fuzz(func(t *testing.T, text []byte) {
		var records []planner.Record
		if json.Unmarshal(text, &records) != nil {
			return
		}
		p := emptyRig(3)
		p.pass(time.Hour)
		p.Recall(p.now(), records)
		for range 3 {
			orders, made := p.Judge(p.now(), true)
			twice := map[breaker.Key]bool{}
			for _, o := range orders {
				if twice[o.Key] {
					t.Fatalf("two orders for %s", o.Key)
				}
				twice[o.Key] = true
				for _, c := range o.Changes {
					if to, _ := guard.Clamp(c.Field, c.Current, c.Proposed); !o.Undo && to != c.Proposed {
						t.Fatalf("ordered: %+v", c)
					}
				}
			}
			if _, err := json.Marshal(made); err != nil {
				t.Fatal(err)
			}
			p.done(orders)
			p.pass(time.Minute)
		}
		p.Draw(p.now(), time.Minute, cases(3))
	})
}
