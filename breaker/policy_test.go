package breaker_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

const day = 24 * time.Hour

var limits = []struct {
	field string // named in the error; "" where the policy is good
	set   func(*breaker.Policy)
}{
	{"", func(*breaker.Policy) {}},
	{"fail_max", func(p *breaker.Policy) { p.FailMax = 0 }},
	{"", func(p *breaker.Policy) { p.FailMax = 10_000 }},
	{"fail_max", func(p *breaker.Policy) { p.FailMax = 10_001 }},
	{"reset_timeout", func(p *breaker.Policy) { p.ResetTimeout = time.Second - 1 }},
	{"reset_timeout", func(p *breaker.Policy) { p.ResetTimeout = day + 1 }},
	{"", func(p *breaker.Policy) { p.ResetTimeout = day }},
	{"backoff.multiplier", func(p *breaker.Policy) { p.Backoff.Multiplier = math.NaN() }},
	{"backoff.multiplier", func(p *breaker.Policy) { p.Backoff.Multiplier = 0.99 }},
	{"backoff.multiplier", func(p *breaker.Policy) { p.Backoff.Multiplier = math.Inf(1) }},
	{"backoff.max", func(p *breaker.Policy) { p.Backoff.Max = day + 1 }},
	{"success_threshold", func(p *breaker.Policy) { p.SuccessThreshold = 101 }},
	{"trial_calls", func(p *breaker.Policy) { p.TrialCalls = 0 }},
	{"permit_timeout", func(p *breaker.Policy) { p.PermitTimeout = 11 * time.Minute }},
	{"half_open.jitter", func(p *breaker.Policy) { p.HalfOpenJitter = -1 }},
	{"", func(p *breaker.Policy) { p.HalfOpenJitter = 0 }},
	{"retry_after_cap", func(p *breaker.Policy) { p.RetryAfterCap = 0 }},
	{"retry_after_scope", func(p *breaker.Policy) { p.RetryAfterScope = "planet" }},
	{"retry_after_statuses", func(p *breaker.Policy) { p.RetryAfterStatuses = []int{600} }},
	{"rolling.window", func(p *breaker.Policy) { p.Rolling.Window = 61 * time.Minute }},
	{"rolling.threshold_failures", func(p *breaker.Policy) { p.Rolling.ThresholdFailures = 0 }},
	{"rolling.cooldown", func(p *breaker.Policy) { p.Rolling.Cooldown = 0 }},
	{"failure_rate.ratio", func(p *breaker.Policy) { p.FailureRate.Ratio = math.NaN() }},
	{"failure_rate.ratio", func(p *breaker.Policy) { p.FailureRate.Ratio = 1.01 }},
	{"failure_rate.window", func(p *breaker.Policy) { p.FailureRate.Window = 0 }},
	{"failure_rate.min_calls", func(p *breaker.Policy) { p.FailureRate.MinCalls = 100_001 }},
	{"slow_call.duration", func(p *breaker.Policy) { p.SlowCall.Duration = 0 }},
	{"witnesses", func(p *breaker.Policy) { p.Witnesses = 17 }},
	{"classify.failure_statuses", func(p *breaker.Policy) { p.Classify.FailureStatuses = []int{99} }},
	{"both a failure and neutral", func(p *breaker.Policy) { p.Classify.NeutralStatuses = []int{503} }},
	{"rate_multiplier", func(p *breaker.Policy) { p.RateMultiplier = math.NaN() }},
	{"mode", func(p *breaker.Policy) { p.Mode = "" }},
	{"roles.x.fail_max", func(p *breaker.Policy) { p.Roles = roles(breaker.RolePolicy{FailMax: -1}) }},
	{"roles.x.reset_timeout", func(p *breaker.Policy) { p.Roles = roles(breaker.RolePolicy{ResetTimeout: 1}) }},
	{"roles.x.rate_multiplier", func(p *breaker.Policy) { p.Roles = roles(breaker.RolePolicy{RateMultiplier: math.NaN()}) }},
	{"roles.x.trial_calls", func(p *breaker.Policy) { p.Roles = roles(breaker.RolePolicy{TrialCalls: 1001}) }},
	{"", func(p *breaker.Policy) { p.Roles = roles(breaker.RolePolicy{FailMax: 8}) }},
}

func TestValidateHoldsTheLimits(t *testing.T) {
	for _, tt := range limits {
		p := breaker.DefaultPolicy()
		tt.set(&p)
		err := p.Validate()
		if tt.field == "" && err != nil || tt.field != "" && (err == nil || !strings.Contains(err.Error(), tt.field)) {
			t.Errorf("want an error about %q, got %v", tt.field, err)
		}
	}
}

func roles(r breaker.RolePolicy) map[string]breaker.RolePolicy {
	return map[string]breaker.RolePolicy{"x": r}
}

func TestForRole(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.Roles = map[string]breaker.RolePolicy{"artifact": {FailMax: 8, ResetTimeout: 2 * time.Minute}}
	want := breaker.RolePolicy{FailMax: 8, ResetTimeout: 2 * time.Minute, SuccessThreshold: 1, TrialCalls: 1, RateMultiplier: 1}
	if got := p.ForRole("artifact"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := p.ForRole("metadata"); got.FailMax != 5 || got.ResetTimeout != time.Minute {
		t.Errorf("got %+v, want the breaker's own", got)
	}
	if d := p.MemoryOf("artifact"); d != 4*time.Minute {
		t.Errorf("a run of artifact is remembered %v, want 4m", d)
	}
	p.FailureRate.Enabled, p.FailureRate.Window = true, time.Hour
	if d := p.MemoryOf("artifact"); d != 2*time.Hour {
		t.Errorf("with a window of 1h a run is remembered %v, want 2h", d)
	}
}

func TestBudgetRole(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.Roles = roles(breaker.RolePolicy{FailMax: 2})
	for role, want := range map[string]string{
		"": "", "metadata": "metadata", "landing": "landing", "artifact": "artifact", "x": "x", "Metadata": "", "tmp-4711": "",
	} {
		if got := p.BudgetRole(role); got != want {
			t.Errorf("%q has the budget of %q, want %q", role, got, want)
		}
	}
}

func TestClassifyCall(t *testing.T) {
	type result struct {
		kind         breaker.Kind
		slow, strict bool
	}
	status := func(n int) breaker.Evidence { return breaker.Evidence{Status: n} }
	p := breaker.DefaultPolicy()
	p.SlowCall = breaker.SlowCall{Enabled: true, Duration: time.Second}
	tests := []struct {
		name    string
		e       breaker.Evidence
		latency time.Duration
		cached  bool
		want    result
	}{
		{"200", status(200), 0, false, result{breaker.Success, false, false}},
		{"304", status(304), 0, false, result{breaker.Success, false, false}},
		{"400 is the caller's fault", status(400), 0, false, result{breaker.Success, false, false}},
		{"slow", status(200), time.Second, false, result{breaker.Success, true, false}},
		{"slow failure is a failure", status(500), time.Minute, false, result{breaker.Failure, false, false}},
		{"404", status(404), time.Minute, false, result{breaker.Neutral, false, false}},
		{"429", status(429), 0, false, result{breaker.Failure, false, true}},
		{"timeout", breaker.Evidence{Error: "timeout"}, 0, false, result{breaker.Failure, false, false}},
		{"an error wins over a status", breaker.Evidence{Status: 200, Error: "reset"}, 0, false, result{breaker.Failure, false, false}},
		{"cancelled", breaker.Evidence{Error: "cancelled"}, 0, false, result{breaker.Neutral, false, false}},
		{"from cache", status(500), time.Minute, true, result{breaker.Neutral, false, false}},
	}
	for _, tt := range tests {
		var got result
		got.kind, got.slow, got.strict = p.ClassifyCall(tt.e, tt.latency, tt.cached)
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// A 429 is never a success, whatever the policy says of it, and fails a probe.
func TestA429IsNeverASuccess(t *testing.T) {
	for name, c := range map[string]breaker.Classify{
		"named nowhere": {}, "neutral": {NeutralStatuses: []int{429}}, "failure": {FailureStatuses: []int{429}},
	} {
		p := breaker.DefaultPolicy()
		p.Classify = c
		kind, _, strict := p.ClassifyCall(breaker.Evidence{Status: 429}, 0, false)
		if kind == breaker.Success || !strict || (kind == breaker.Failure) != (name == "failure") {
			t.Errorf("%s: %v, strict %v", name, kind, strict)
		}
	}
	if p := breaker.DefaultPolicy(); !p.HonoursRetryAfter(429) || !p.HonoursRetryAfter(503) || p.HonoursRetryAfter(500) {
		t.Error("a Retry-After counts on 429 and 503")
	}
}
