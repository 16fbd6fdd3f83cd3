package main

import (
	"encoding/json"
	"strings"
	"testing"

	"fleetfuse/api"
)

// replay is a replay whose policies differ by so much.
func replay(assumed string, wrong, cost float64) api.AdviceReplay {
	return api.AdviceReplay{
		Assumed: assumed,
		Old: api.ReplayCount{
			LetThrough: 11_622, FailuresPassed: 412, RejectedWrongly: wrong, RejectedRightly: 88, Probes: 9, ProbesFailed: 6, Opens: 4, Cost: cost,
		},
		New: api.ReplayCount{
			LetThrough: 11_622 + wrong/2, FailuresPassed: 415.5, RejectedWrongly: wrong / 2, RejectedRightly: 84, Probes: 4, ProbesFailed: 1, Opens: 4, Cost: cost / 2,
		},
		Gain: cost / 2, LeastGain: cost / 3, MostGain: cost / 1.5,
	}
}

var slowProbes = api.SuggestedChange{
	Field: "reset_timeout", From: "1m0s", To: "2m30s", Rule: "outage-length",
	Why: "Its outages last 140 s in the median: of the probes at 60 s two in three come too early.",
	Evidence: []api.AdviceEvidence{
		{Name: "median outage", Value: 140, Unit: "s"}, {Name: "outages", Value: 4}, {Name: "probes failed", Value: 0.66667},
	},
	Confidence: 0.99996, Verdict: api.VerdictNow,
}

var proven = &api.AdviceProof{
	Rule: "outage-length", Accepted: true, Why: "it costs less under each assumption",
	Runs: []api.AdviceReplay{replay("optimistic", 300, 70), replay("pessimistic", 500.5, 110.25), replay("expected", 412, 88.2)},
}

// plan is what the tuner advises of three breakers.
func plan() api.AdviceResponse {
	later := slowProbes
	later.Verdict, later.Confidence = api.VerdictLater, 0.934
	return api.AdviceResponse{
		ID: "p-3f2a", MadeAt: at(0), Tuner: "n2", Mode: api.TunerSuggest, WindowMS: 600_000, Nodes: []string{"n1", "n2", "n3"}, Missing: []string{"n4"}, Looked: 214,
		Breakers: []api.BreakerAdvice{
			{
				Key: "host:api.example.org",
				Changes: []api.SuggestedChange{slowProbes, {
					Field: "roles.metadata.fail_max", From: 5, To: 8, Rule: "false-trips", Why: "It opened twice for failures that are usual for it.",
					Confidence: 0.95, Verdict: api.VerdictRefused, Reason: "an operator replaced it",
				}},
				Seen: api.AdviceMetrics{
					WindowMS: 600_000, Calls: 12_100, NetCalls: 12_034, Limited: 30, Server: 300, Unavailable: 12, Timeouts: 60, Other: 22, Rejected: 500,
					Opens: 4, ProbesOK: 3, ProbesFailed: 6, LongestRun: 7, RetryAfterMS: 120_000,
				},
				Proof: proven,
			},
			{
				Key: "resolver:unpaywall", Changes: []api.SuggestedChange{later},
				Seen:  api.AdviceMetrics{WindowMS: 240_000, Calls: 90, NetCalls: 90, Server: 1, Opens: 1, LongestRun: 1, Changed: true},
				Notes: []string{"Its 429s say how fast it may be called, and not that it is down."},
			},
			{Key: "host:quiet.org", Changes: []api.SuggestedChange{}, Notes: []string{"It was open all the time because an operator opened it."}},
		},
		Trials: []api.Trial{{
			Plan: "p-1", Since: at(-1200), Keys: []string{"host:a.org", "host:b.org"}, Waiting: []string{"host:c.org"}, Changes: []api.SuggestedChange{slowProbes},
			State: "no worse than the hosts without it, so far",
		}},
	}
}

func enforced() api.EnforceResponse {
	return api.EnforceResponse{
		ID: "p-3f2a",
		Applied: []api.EnforcedBreaker{{
			Key: "host:api.example.org", Version: "9", Durable: true, Copies: 3,
			Changes: []api.PolicyDifferent{{Field: "reset_timeout", From: "1m0s", To: "2m30s"}},
		}},
		Note: "It is watched for an hour, and taken back if it does worse.",
	}
}

func TestAdvise(t *testing.T) {
	one := plan()
	one.Breakers, one.Trials, one.Missing, one.Looked = one.Breakers[:1], nil, nil, 1
	none := api.AdviceResponse{ID: "p-0", MadeAt: at(0), Tuner: "n1", Mode: api.TunerObserve, WindowMS: 600_000, Nodes: []string{"n1"}, Looked: 1, Breakers: []api.BreakerAdvice{}}
	blocked := plan()
	blocked.Blocked, blocked.More = []string{"n4 does not answer", "the configurations of n1 and n3 differ"}, 7
	quiet := none
	quiet.Breakers = []api.BreakerAdvice{{Key: "host:quiet.org", Seen: api.AdviceMetrics{WindowMS: 600_000, Calls: 1, NetCalls: 1, Limited: 1, RetryAfterMS: 20_000}}}
	n := node{
		"GET /v1/advice?key=host%3Aquiet.org": quiet,
		"GET /v1/advice":                      plan(), "GET /v1/advice?window=10m0s": blocked, "GET /v1/advice?window=1h0m0s": none,
		"GET /v1/advice?key=host%3Aapi.example.org&window=1m30s": one,
		"GET /v1/advice?key=host%3Anobody.org":                   &api.Problem{Status: 404, Detail: "nobody called host:nobody.org in the last 10m0s; counts are up to a second old", Try: "fleetfuse-ctl breaker summary lists what is called"},
		"GET /v1/advice?key=host%3Asick.org":                     &api.Problem{Status: 503, Detail: "no tuner answered: n2 did not answer in time", Try: "fleetfuse-ctl status"},
	}
	term := newTerminal(t, n)
	term.types("breaker", "advise")
	term.types("breaker", "advise", "API.example.org.", "--window", "90s")
	term.types("breaker", "advise", "--window", "600s")
	term.types("breaker-advise", "--window-s", "3600")
	term.types("breaker", "advise", "api.example.org", "--window", "90s", "-o", "json")
	term.types("breaker", "advise", "quiet.org")
	term.types("breaker", "advise", "nobody.org")
	term.types("breaker", "advise", "sick.org")
	term.golden("advise")
}

func TestAdviseShowsForty(t *testing.T) {
	many := plan()
	for len(many.Breakers) < 43 {
		many.Breakers = append(many.Breakers, many.Breakers[1])
	}
	term := newTerminal(t, node{"GET /v1/advice": many})
	for _, tt := range []struct {
		args []string
		want int
		says string
	}{{[]string{"breaker", "advise"}, 40, "3 breakers more: --all\n"}, {[]string{"breaker", "advise", "--all"}, 43, ""}} {
		stdout, stderr, code := term.run(t.Context(), tt.args...)
		if got := strings.Count(stdout, "\nresolver:unpaywall: ") + 2; code != 0 || got != tt.want || !strings.Contains(stderr, tt.says) || (tt.says == "") == strings.Contains(stderr, "--all") {
			t.Errorf("%v: exit %d, %d breakers, %q; want %d and %q", tt.args, code, got, stderr, tt.want, tt.says)
		}
	}
}

// What is about to be enforced is shown, however many breakers that is.
func TestAdviseShowsWhatItEnforces(t *testing.T) {
	many := plan()
	for len(many.Breakers) < 42 {
		many.Breakers = append(many.Breakers, many.Breakers[2]) // notes
	}
	many.Breakers = append(many.Breakers, many.Breakers[1], many.Breakers[1])
	term := newTerminal(t, node{"GET /v1/advice": many, "POST /v1/advice/p-3f2a/enforce": enforced()})
	stdout, stderr, code := term.run(t.Context(), "breaker", "advise", "--enforce")
	if got := strings.Count(stdout, "\nresolver:unpaywall: "); code != 0 || got != 3 || !strings.Contains(stderr, "2 breakers more: --all") {
		t.Errorf("exit %d, %d of 3 breakers with a verdict, %q", code, got, stderr)
	}
}

func TestAdviseEnforce(t *testing.T) {
	partly := enforced()
	partly.ID = "p-4"
	partly.Applied[0].Durable, partly.Applied[0].Error = false, "disk full"
	partly.Waiting = []string{"resolver:unpaywall", "host:b.org"}
	partly.Failed = []api.EnforcedBreaker{{Key: "host:c.org", Error: "no owner answered"}}
	refused := plan()
	refused.Breakers = refused.Breakers[2:]
	blocked := plan()
	blocked.ID = "p-5"
	n := node{
		"GET /v1/advice": plan(), "POST /v1/advice/p-3f2a/enforce": enforced(),
		"POST /v1/advice/p-4/enforce": partly,
		"GET /v1/advice?window=2m0s":  refused,
		"GET /v1/advice?window=5m0s":  blocked,
		"POST /v1/advice/p-5/enforce": &api.Problem{
			Status: 409, Detail: "nothing is enforced, for 2 reasons", Errors: []string{"n4 does not answer", "the store of n1 fails"}, Try: "fleetfuse-ctl status"},
		"POST /v1/advice/p-old/enforce": &api.Problem{
			Status: 404, Detail: "plan p-old is not known: it is older than ten minutes, changes nothing now, or the tuner moved; ask for advice again", Try: "fleetfuse-ctl breaker advise"},
		"POST /v1/advice/p-6/enforce": enforced(), // of another plan
	}
	term := newTerminal(t, n)
	term.types("breaker", "advise", "--enforce")
	term.types("breaker-advise", "--window-s", "300", "--enforce")
	term.types("breaker", "advise", "--window", "2m", "--enforce")
	term.types("breaker", "advise", "--enforce", "--plan", "p-3f2a")
	term.types("breaker", "advise", "--enforce", "--plan", "p-4")
	term.types("breaker", "advise", "--enforce", "--plan", "p-old")
	term.types("breaker", "advise", "--enforce", "--plan", "p-6")
	term.types("breaker", "advise", "--enforce", "--plan", "p-3f2a", "-o", "json")
	term.golden("advise-enforce")
}

// In JSON the plan is told beside what was done, also if nothing may be done.
func TestAdviseEnforceAsJSON(t *testing.T) {
	for want, answer := range map[int]any{
		0: enforced(), 6: &api.Problem{Status: 409, Detail: "nothing is enforced: n4 does not answer", Errors: []string{"n4 does not answer"}},
		5: &api.Problem{Status: 404, Detail: "plan p-3f2a is not known"},
	} {
		term := newTerminal(t, node{"GET /v1/advice": plan(), "POST /v1/advice/p-3f2a/enforce": answer})
		stdout, stderr, code := term.run(t.Context(), "breaker", "advise", "--enforce", "-o", "json")
		var got enforcement
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err)
		}
		if code != want || got.Plan == nil || len(got.Plan.Breakers) != 3 || (got.Enforced != nil) != (want == 0) {
			t.Errorf("exit %d, want %d; %s %s", code, want, stdout, stderr)
		}
		if want == 6 && !strings.Contains(stderr, "n4 does not answer") {
			t.Errorf("why nothing is enforced is not said: %s", stderr)
		}
	}
}

func TestAdviseExplain(t *testing.T) {
	one := plan()
	one.Breakers, one.Looked = one.Breakers[:1], 1
	one.Breakers[0].Notes = []string{"Its 429s say how fast it may be called, and not that it is down."}
	back := slowProbes
	back.From, back.To = back.To, back.From
	n := node{
		"GET /v1/advice/explain?key=host%3Aapi.example.org": api.ExplainResponse{Key: "host:api.example.org", Advice: one, Partial: []string{"n3"}, Records: []api.AdviceRecord{
			{ID: "r3", At: at(-60), Kind: "reset", Key: "host:api.example.org"},
			{ID: "r2", At: at(-1800), Kind: "rolled-back", Key: "host:api.example.org", Plan: "p-1", Changes: []api.SuggestedChange{back},
				Why: "calls were rejected wrongly more often than before: 9 % against 2 %"},
			{ID: "r1", At: at(-7200), Kind: "enforced", Key: "host:api.example.org", Plan: "p-1", Changes: []api.SuggestedChange{slowProbes}, Author: "alice@box",
				Why: "as advised", Proof: proven, Again: "the same result"},
		}},
		"GET /v1/advice/explain?key=host%3Aquiet.org": api.ExplainResponse{
			Key: "host:quiet.org", Advice: api.AdviceResponse{ID: "p-2", MadeAt: at(0), Tuner: "n1", Mode: api.TunerEnforce, WindowMS: 600_000, Nodes: []string{"n1"}, Looked: 1,
				Breakers: []api.BreakerAdvice{{Key: "host:quiet.org", Seen: api.AdviceMetrics{WindowMS: 600_000, Calls: 12, NetCalls: 11}}},
				Blocked:  []string{"n3 does not answer"}}},
	}
	term := newTerminal(t, n)
	term.types("breaker", "advise", "--explain", "api.example.org")
	term.types("breaker", "advise", "--explain", "quiet.org")
	term.types("breaker", "advise", "--explain", "quiet.org", "-o", "json")
	term.types("breaker", "advise", "--explain", "new.org")
	term.golden("advise-explain")
}

func TestAdviseUsage(t *testing.T) {
	term := newTerminal(t, node{})
	for _, args := range [][]string{
		{"a.org", "b.org"},
		{"https://a.org/x"},
		{"--window", "59s"},
		{"--window", "61m"},
		{"--window", "0s"},
		{"--window", "600"},
		{"--window-s", "NaN"},
		{"--window-s", "-600"},
		{"--window-s", "1e300"},
		{"--window-s", "600", "--window", "600s"},
		{"--explain", "a.org", "--enforce"},
		{"--explain", "a.org", "b.org"},
		{"--explain", ""},
		{"--explain", "a.org/x"},
		{"--plan", "p-1"},
		{"--enforce", "--plan", ""},
		{"--enforce", "--plan", "p-1", "--window", "5m"},
		{"--enforce", "--plan", "p-1", "a.org"},
	} {
		term.types(append([]string{"breaker", "advise"}, args...)...)
	}
	term.golden("advise-usage")
}

func TestAdviseHostile(t *testing.T) {
	evil := "x\x1b[2J\u202e\ny"
	change := api.SuggestedChange{Field: evil, From: evil, To: []any{evil}, Rule: evil, Why: evil, Evidence: []api.AdviceEvidence{{Name: evil, Value: 1e300, Unit: evil}}, Confidence: -1e300, Verdict: evil, Reason: evil}
	proof := &api.AdviceProof{Rule: evil, Why: evil, Runs: []api.AdviceReplay{{Assumed: evil, Gain: -1e300}}}
	bad := api.AdviceResponse{
		ID: evil, MadeAt: at(0), Tuner: evil, Mode: evil, WindowMS: -1, Nodes: []string{evil}, Missing: []string{evil}, Looked: -1,
		Breakers: []api.BreakerAdvice{{Key: evil, Changes: []api.SuggestedChange{change}, Notes: []string{evil}, Proof: proof}},
		Trials:   []api.Trial{{Plan: evil, Keys: []string{evil}, Changes: []api.SuggestedChange{change}, State: evil}},
	}
	n := node{
		"GET /v1/advice": bad,
		"GET /v1/advice/explain?key=host%3Aa.org": api.ExplainResponse{Key: evil, Advice: bad, Partial: []string{evil}, Records: []api.AdviceRecord{
			{Kind: evil, Plan: evil, Author: evil, Why: evil, Changes: []api.SuggestedChange{change}, Proof: proof, Again: evil}}},
		"POST /v1/advice/p-1/enforce": api.EnforceResponse{ID: "p-1", Note: evil, Waiting: []string{evil}, Failed: []api.EnforcedBreaker{{Key: evil, Error: evil}},
			Applied: []api.EnforcedBreaker{{Key: evil, Error: evil, Changes: []api.PolicyDifferent{{Field: evil, From: evil}}}}},
	}
	term := newTerminal(t, n)
	term.types("breaker", "advise")
	term.types("breaker", "advise", "--explain", "a.org")
	term.types("breaker", "advise", "--enforce", "--plan", "p-1")
	if log := term.log.String(); strings.ContainsAny(log, "\x1b\u202e") {
		t.Errorf("what a terminal obeys gets through: %q", log)
	}
	term.golden("advise-hostile")
}

func TestOneCall(t *testing.T) {
	if got := seenLine(api.AdviceMetrics{NetCalls: 1}); !strings.HasPrefix(got, "1 call, ") {
		t.Error(got)
	}
}
