package node

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/httpapi"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// aloneAt is alone with its data kept in a directory.
func aloneAt(t *testing.T, dir string) *Node {
	t.Helper()
	n, err := Start(t.Context(), Options{
		Name: "n", DataDir: dir, HTTPListen: "127.0.0.1:0", Gossip: cluster.Gossip{Listen: "127.0.0.1:0"}, Actor: cluster.Actor{Listen: "127.0.0.1:0"}, Version: "test",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

// The words of a tuner that its owner refuses, whoever says them, and some that it
// does not.
var tunersWords = map[string]bool{
	"fail_max:11": false, "fail_max:1": false, "reset_timeout:14s": false, "reset_timeout:24h": false, "success_threshold:4": false, "trial_calls:11": false,
	"rate_multiplier:0.1,trial_calls:1000": false, "roles.metadata.fail_max:50": false, "mode:off": false, "retry_after_cap:1m": false,
	"fail_max:7,witnesses:1": false, "classify.failure_statuses:500": false, "rolling.cooldown:60s": false, "no such field": false,
	"fail_max:7": true, "roles.metadata.reset_timeout:30s": true, "rate_multiplier:0.1": true, "": true,
}

// sayTunersWords has a node say all of them of a key that it or another node owns.
func sayTunersWords(t *testing.T, n *Node, key breaker.Key) {
	t.Helper()
	for set, allowed := range tunersWords {
		before, _ := n.known(t.Context(), key)
		x, err := n.board.lay(t.Context(), key, spread.Lay{Register: breaker.RegisterTuner, Whole: true, Set: set, Author: "tuner"})
		if err != nil {
			t.Fatal(err)
		}
		after, _ := n.known(t.Context(), key)
		if allowed != (len(x.Refused) == 0) {
			t.Errorf("%q: %+v, want it allowed: %v", set, x, allowed)
		}
		if changed := before.Overlay(breaker.RegisterTuner).Fields != after.Overlay(breaker.RegisterTuner).Fields; changed && !allowed {
			t.Errorf("%q was refused and is in force", set)
		}
	}
	if x, err := n.board.lay(t.Context(), key, spread.Lay{Register: breaker.RegisterOperator, Set: "fail_max:50"}); err != nil || len(x.Refused) > 0 {
		t.Errorf("an operator may: %+v, %v", x, err)
	}
}

func TestOwnerHoldsTheTunerToItsBounds(t *testing.T) { sayTunersWords(t, alone(t), "host:a.example") }

// failing makes a node see calls that fail, and some that do not, so that it has
// something to replay.
func failing(t *testing.T, n *Node, key breaker.Key) {
	t.Helper()
	now := n.clock.Now()
	var outcomes []breaker.Outcome
	for i := range 40 {
		at := now.Add(-time.Duration(40-i) * time.Second)
		kind := breaker.Success
		if i%3 == 0 || i > 25 && i < 33 {
			kind = breaker.Failure
		}
		outcomes = append(outcomes, breaker.Outcome{Node: n.id, Kind: kind, Began: at, Ended: at, Evidence: breaker.Evidence{Status: 503}})
	}
	n.usage.reported(key, outcomes)
}

// enforced is the record of a change that a replay of what n remembers was made for.
func enforced(t *testing.T, n *Node, key breaker.Key, at time.Time) planner.Record {
	t.Helper()
	s := tuner.Suggestion{Field: tuner.FieldFailMax, Rule: tuner.RuleFalseTrips, Why: "w", Confidence: 0.99, Current: 5, Proposed: 8, Numbers: []tuner.Number{}}
	c := planner.Case{
		Metrics: tuner.HostMetrics{Key: key, Window: 10 * time.Minute, All: tuner.Counts{Successes: 900, Server: 100}},
		Advice:  tuner.HostAdvice{Key: key, Suggestions: []tuner.Suggestion{s}}, Proof: map[tuner.Rule]planner.Proof{},
	}
	if found := n.tuning.proveOne(t.Context(), &c, everyone{n}.Members()); len(found) != 1 || found[tuner.RuleFalseTrips].By[0].Old.LetThrough == 0 {
		t.Fatalf("nothing was replayed: %+v", found)
	}
	r := planner.Record{
		Author: "ann", Done: []planner.Change{{Suggestion: s, Verdict: planner.Now}}, Proof: c.Proof[tuner.RuleFalseTrips].Found, Inputs: c.Inputs,
	}
	r.ID, r.Kind, r.At, r.Key, r.Plan = "p-1/enforced/"+string(key), guard.Enforced, at.UnixMilli(), key, "p-1"
	r.Changes = []guard.Change{{Key: key, Field: s.Field, From: s.Current, To: s.Proposed, Evidence: 4}}
	return r
}

func explain(t *testing.T, n *Node, key breaker.Key) []api.AdviceRecord {
	t.Helper()
	a, err := n.Explain(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return a.Records
}

// What was decided can be told, and decided again from the same, also after a restart;
// what is damaged is told.
func TestDecisionsSurviveARestart(t *testing.T) {
	dir, key := t.TempDir(), breaker.Key("host:a.example")
	n := aloneAt(t, dir)
	failing(t, n, key)
	good := enforced(t, n, key, time.Now())
	n.tuning.hear(t.Context(), []planner.Record{good})
	damage := func(id string, change func(*planner.Record)) {
		r := good
		r.ID, r.At = id, good.At+1+int64(len(id))
		change(&r)
		n.tuning.hear(t.Context(), []planner.Record{r})
	}
	damage("log", func(r *planner.Record) {
		var in replayed
		if err := json.Unmarshal(r.Inputs, &in); err != nil {
			t.Fatal(err)
		}
		in.Logs[0].Log = in.Logs[0].Log[:len(in.Logs[0].Log)/2]
		r.Inputs, _ = json.Marshal(in)
	})
	damage("form", func(r *planner.Record) { r.Inputs = json.RawMessage(`{"logs":7}`) })
	damage("proof", func(r *planner.Record) { r.Proof = json.RawMessage(`7`) })
	damage("without", func(r *planner.Record) { r.Inputs = nil })
	want := map[string]string{
		good.ID: "the same result", "log": "another result", "form": "what it was decided from cannot be read",
		"proof": "what it found cannot be read", "without": "",
	}
	for _, when := range []string{"at once", "after a restart"} {
		list := explain(t, n, key)
		if len(list) != len(want) {
			t.Fatalf("%s: %d records, want %d", when, len(list), len(want))
		}
		for _, r := range list {
			if text, known := want[r.ID]; !known || !strings.HasPrefix(r.Again, text) || text == "" && r.Again != "" {
				t.Errorf("%s: %s: %q, want %q", when, r.ID, r.Again, text)
			}
			if r.ID == good.ID && (r.Proof == nil || len(r.Proof.Runs) != 3 || r.Author != "ann" || r.Plan != "p-1" || len(r.Changes) != 1) {
				t.Errorf("%s: %+v", when, r)
			}
		}
		if when == "at once" {
			n.Stop()
			n = aloneAt(t, dir)
		}
	}
	// The tuner that begins here goes on where the last one was.
	if err := n.tuning.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := trials(t, n); len(list) != 1 || list[0].Keys()[0] != key {
		t.Errorf("trials after a restart: %+v", list)
	}
}

func trials(t *testing.T, n *Node) []planner.Trial {
	t.Helper()
	list, err := actors.Consult(t.Context(), n.tuning.actor, (*planner.Planner).Trials)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A reset ends what the tuner did, also where the tuner's clock is ahead.
func TestResetIsRecordedAfterWhatItEnds(t *testing.T) {
	n, key := alone(t), breaker.Key("host:a.example")
	failing(t, n, key)
	ahead := enforced(t, n, key, time.Now().Add(time.Minute))
	n.tuning.hear(t.Context(), []planner.Record{ahead})
	if list := trials(t, n); len(list) != 1 {
		t.Fatalf("trials %+v", list)
	}
	if _, err := n.Change(t.Context(), key, httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Author: "bob"}, Whole: true, Reset: true}); err != nil {
		t.Fatal(err)
	}
	list := explain(t, n, key)
	if len(list) != 2 || list[0].Kind != string(guard.Reset) || list[0].Author != "bob" || !list[0].At.After(list[1].At) {
		t.Errorf("records %+v, want bob's reset after what it ends", list)
	}
	if list := trials(t, n); len(list) != 0 {
		t.Errorf("still on trial: %+v", list)
	}
}

// What an operator took away is not laid again by undoing what was there.
func TestUndoingWhatIsGone(t *testing.T) {
	n, key := alone(t), breaker.Key("host:a.example")
	order := planner.Order{
		Key: key, Undo: true, Before: "trial_calls:2", Changes: []planner.Change{{Suggestion: tuner.Suggestion{Field: tuner.FieldFailMax, Current: 5, Proposed: 8}}},
		Cause: planner.Cause{Kind: guard.RolledBack, Plan: "p-1", Why: "calls went worse"},
	}
	fields := func() string {
		s, _ := n.known(t.Context(), key)
		return s.Overlay(breaker.RegisterTuner).Fields
	}
	if a, r := n.tuning.order(t.Context(), order); a.Error != "" || r.Err != nil || r.Cause.Kind != planner.NotMade || !strings.HasPrefix(r.Cause.Why, "the change was gone already") || fields() != "" {
		t.Errorf("%+v, %+v; laid %q, want nothing", a, r, fields())
	}
	if n.tuning.carryOut(t.Context(), []planner.Order{order}); n.tuning.undone.Load() != 0 {
		t.Error("it counts as one that did harm")
	}
	if x, err := n.board.lay(t.Context(), key, spread.Lay{Register: breaker.RegisterTuner, Whole: true, Set: "fail_max:8,trial_calls:2"}); err != nil || len(x.Refused) > 0 {
		t.Fatal(x, err)
	}
	if a, r := n.tuning.order(t.Context(), order); a.Error != "" || r.Err != nil || r.Cause.Kind != guard.RolledBack || fields() != "trial_calls:2" {
		t.Errorf("%+v, %+v; laid %q, want what was there before", a, r, fields())
	}
}

// Orders that were begun are watched and recorded although who asked has gone.
func TestWhoAskedHasGone(t *testing.T) {
	n, key := alone(t), breaker.Key("host:a.example")
	if err := n.tuning.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	change := planner.Change{Suggestion: tuner.Suggestion{Field: tuner.FieldFailMax, Rule: tuner.RuleFalseTrips, Confidence: 0.99, Current: 5, Proposed: 8}}
	order := planner.Order{Key: key, Changes: []planner.Change{change}, Cause: planner.Cause{Kind: guard.Enforced, Plan: "p-1", Author: "ann"}}
	records := n.tuning.note(t.Context(), []planner.Result{{Order: order}})
	if len(records) != 1 || len(trials(t, n)) != 1 {
		t.Errorf("records %+v, trials %+v", records, trials(t, n))
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if done := n.tuning.carryOut(gone, []planner.Order{order}); len(done) != 1 || done[0].Error == "" {
		t.Errorf("begun although nobody waits: %+v", done)
	}
	if s, _ := n.known(t.Context(), key); s.Overlay(breaker.RegisterTuner).Fields != "" {
		t.Error("it is in force")
	}
}

// absurd are counts that nobody can have counted.
func absurd() *rollup.Counts {
	c := &rollup.Counts{Successes: 1 << 60, ProbesFailed: 1 << 60, LongestRun: math.MaxUint64}
	c.Failures[rollup.Status429], c.Failures[rollup.Status5xx] = 1<<60, 1<<60
	c.Latency[0] = 1 << 60
	return c
}

// soundAdvice fails the test unless advice is within bounds and can be shown.
func soundAdvice(t *testing.T, a *api.AdviceResponse) {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil || strings.Contains(string(text), "NaN") {
		t.Fatalf("%v: %s", err, text)
	}
	for _, b := range a.Breakers {
		for _, c := range b.Changes {
			field := c.Field[strings.LastIndexByte(c.Field, '.')+1:]
			bound, ok := guard.BoundOf(field)
			to, isNumber := c.To.(float64)
			if !isNumber {
				d, err := time.ParseDuration(textOf(c.To))
				if err != nil {
					t.Fatal(err)
				}
				to = d.Seconds()
			}
			if !ok || !(to >= bound.Least && to <= bound.Most) {
				t.Errorf("advice out of bounds: %+v", c)
			}
		}
	}
}

// A node whose own counts are absurd gives advice within bounds, and what it follows is
// a number.
func TestAbsurdCountsOfOnesOwn(t *testing.T) {
	n, key := alone(t), breaker.Key("host:a.example")
	n.Used(rollup.Series{Key: key}, absurd())
	failing(t, n, key)
	if err := n.tuning.observe(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := n.tuning.advise(t.Context(), key, time.Minute, toEnforce)
	if err != nil || len(a.Breakers) != 1 || a.Breakers[0].Seen.Limited != 1<<60 {
		t.Fatalf("%+v, %v", a, err)
	}
	soundAdvice(t, &a)
	c := planner.Case{Metrics: tuner.HostMetrics{Key: key, Window: time.Minute, All: tuner.Counts{Successes: math.MaxUint64, Rejected: math.MaxUint64}}}
	if r := n.tuning.inputs(t.Context(), &c, everyone{n}.Members()); !(r.CallsPerSecond > 1e10) || math.IsInf(r.CallsPerSecond, 0) {
		t.Errorf("%v calls per second, want very many", r.CallsPerSecond)
	}
	if slices.Contains(a.Missing, "n") {
		t.Errorf("it is missing itself: %+v", a)
	}
}
