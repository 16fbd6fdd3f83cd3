package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
)

func TestGrammar(t *testing.T) {
	for _, tt := range []struct {
		text   string
		change func(*breaker.Policy)
	}{
		{"fail_max:5,reset:60,retry_after_cap:900", func(p *breaker.Policy) {}},
		{"fail_max=7", func(p *breaker.Policy) { p.FailMax = 7 }},
		{" fail_max : 1_000 , reset = 90s ", func(p *breaker.Policy) { p.FailMax, p.ResetTimeout = 1000, 90*time.Second }},
		{"reset_timeout_s:1.5 permit_timeout:2m", func(p *breaker.Policy) { p.ResetTimeout, p.PermitTimeout = 1500*time.Millisecond, 2*time.Minute }},
		{"half_open_jitter_ms:250", func(p *breaker.Policy) { p.HalfOpenJitter = 250 * time.Millisecond }},
		{"half_open.jitter:0", func(p *breaker.Policy) { p.HalfOpenJitter = 0 }},
		{"half_open.jitter:0.15", func(p *breaker.Policy) {}},
		{"rolling.enabled", func(p *breaker.Policy) { p.Rolling.Enabled = true }},
		{"rolling.enabled,slow_call.enabled:no,failure_rate.enabled=on", func(p *breaker.Policy) { p.Rolling.Enabled, p.FailureRate.Enabled = true, true }},
		{"rolling.thresh:9,rolling.window_s:5,rolling.cooldown:1h", func(p *breaker.Policy) {
			p.Rolling.ThresholdFailures, p.Rolling.Window, p.Rolling.Cooldown = 9, 5*time.Second, time.Hour
		}},
		{"failure_statuses:500,502,503,reset:5", func(p *breaker.Policy) {
			p.Classify.FailureStatuses, p.ResetTimeout = []int{500, 502, 503}, 5*time.Second
		}},
		{"retry_after_statuses:none", func(p *breaker.Policy) { p.RetryAfterStatuses = []int{} }},
		{"mode:Shadow,retry_after_scope:node", func(p *breaker.Policy) { p.Mode, p.RetryAfterScope = breaker.ModeShadow, breaker.RetryAfterNode }},
		{"backoff.multiplier:1.5,backoff.max:5m", func(p *breaker.Policy) { p.Backoff = breaker.Backoff{Multiplier: 1.5, Max: 5 * time.Minute} }},
		{"failure_rate.ratio:25e-2,witnesses:3,rate_multiplier:.5", func(p *breaker.Policy) { p.FailureRate.Ratio, p.Witnesses, p.RateMultiplier = 0.25, 3, 0.5 }},
		{"slow_call.duration_ms:1500", func(p *breaker.Policy) { p.SlowCall.Duration = 1500 * time.Millisecond }},
		{"roles.a.b.fail_max:2,roles.c.reset.reset:3", func(p *breaker.Policy) {
			p.Roles = map[string]breaker.RolePolicy{"a.b": {FailMax: 2}, "c.reset": {ResetTimeout: 3 * time.Second}}
		}},
		{"roles.meta.fail_max:2,roles.preview.trial_calls:3", func(p *breaker.Policy) {
			p.Roles = map[string]breaker.RolePolicy{"metadata": {FailMax: 2}, "preview": {TrialCalls: 3}}
		}},
	} {
		want := breaker.DefaultPolicy()
		tt.change(&want)
		c, err := load(t, "", nil, "--breaker-defaults", tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if diff := cmp.Diff(want, c.Breakers.Defaults); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestGrammarRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "sets nothing"},
		{" , ", "a name is missing"},
		{"fail_max:5,", "ends with a comma"},
		{"fail_max:5,,reset:60", "a name is missing"},
		{":5", "a name is missing"},
		{"500", `unknown policy field "500"`},
		{"fail_max", "fail_max has no value"},
		{"fail_max:", "fail_max has no value"},
		{"rolling.enabled:", "has no value"},
		{"neutral_statuses:", "has no value"},
		{"fail_max:true", "whole number"},
		{"fail_max:5.0", "whole number"},
		{"fail_max:0x10", "whole number"},
		{"fail_max:010", "leading zeros"},
		{"fail_max:1__0", "between two digits"},
		{"fail_max:_1", "between two digits"},
		{"fail_max:99999999999999999999", "too large"},
		{"fail_max:-1", "1 to 10000"},
		{"fail_max:10001", "1 to 10000"},
		{"fail_max:3,500", "whole number"},
		{"fail_max:3,fail_max:3", "fail_max is set twice"},
		{"reset:3,reset_timeout:3", "reset and reset_timeout set the same field"},
		{"reset:-5", "negative"},
		{"reset:-5s", "negative"},
		{"reset:0", "1s to 24h0m0s"},
		{"reset:NaN", "want a duration"},
		{"reset:inf", "want a duration"},
		{"reset:1e400", "too large"},
		{"reset:1e300", "too long"},
		{"reset:1d", "90s, 10m"},
		{"reset:9999999999h", "want a duration"},
		{"reset:25h", "1s to 24h0m0s"},
		{"reset:1:30", "want a duration"},
		{"half_open_jitter_ms:20000", "0s to 10s"},
		{"failure_rate.ratio:NaN", "want a number"},
		{"failure_rate.ratio:0x1p-2", "want a number"},
		{"failure_rate.ratio:-Inf", "want a number"},
		{"failure_rate.ratio:2", "0.01 to 1"},
		{"rolling.enabled:maybe", "true or false"},
		{"mode:enforced", "one of"},
		{"retry_after_scope:fleet", "one of"},
		{"retry_after_statuses:429,99", "100 to 599"},
		{"retry_after_statuses:5xx", "an HTTP status"},
		{"retry_after_statuses:" + strings.Repeat("500,", 600) + "500", "at most 500"},
		{"neutral_statuses:429", "both a failure and neutral"},
		{"fial_max:3", `did you mean "fail_max"?`},
		{"half-open.jitter:1", `did you mean "half_open.jitter"?`},
		{"roles.metadata:3", "roles.ROLE.FIELD"},
		{"roles.a b.fail_max:3", "roles.ROLE.FIELD"},
		{"roles..fail_max:3", "needs a name"},
		{"roles.x.rolling.window:3", "rolling.window cannot be set for a role"},
		{"roles.x.mode:off", "cannot be set for a role"},
		{"roles.x.fail_max:0", "roles.x.fail_max is 0"},
		{strings.Repeat("x", 70_000), "at most 65536"},
		{strings.Repeat("é", 9000), "unknown policy field"},
	} {
		_, err := load(t, "", nil, "--breaker-defaults", tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: error %v, want %q", tt.text, err, tt.want)
		} else if len(err.Error()) > 600 {
			t.Errorf("%.60q: an error of %d bytes", tt.text, len(err.Error()))
		}
	}
}

func TestTargetsAreRefused(t *testing.T) {
	for _, tt := range []struct{ flag, text, want string }{
		{"breaker", "api.example.org", "want HOST="},
		{"breaker", "api.example.org=", "sets nothing"},
		{"breaker", "=fail_max:3", "host"},
		{"breaker", "*=fail_max:3", "--breaker-defaults"},
		{"breaker", "*example.org=fail_max:3", "write it as *.example.org"},
		{"breaker", "a.*.org=fail_max:3", "write it as *.example.org"},
		{"breaker", "*.=fail_max:3", "the suffix is missing"},
		{"breaker", "*..=fail_max:3", "no name is left"},
		{"breaker", "*.a b=fail_max:3", "wildcard \"*.a b\": host"},
		{"breaker", "*.192.0.2.1=fail_max:3", "nothing is below an IP address; name each address"},
		{"breaker", "*.192.0.2.1:8443=fail_max:3", "nothing is below an IP address"},
		{"breaker", "*.[2001:db8::1]:8443=fail_max:3", "nothing is below an IP address"},
		{"breaker", "*.2001:db8::1=fail_max:3", "nothing is below an IP address"},
		{"breaker", "*.0.2.1=fail_max:3", "ends in a number"},
		{"breaker", "*." + strings.Repeat(strings.Repeat("a", 62)+".", 4) + "b=fail_max:3", "no host name of at most 253 bytes is below"},
		{"breaker", "resolver:*=fail_max:3", "wildcards are for hosts; name each resolver"},
		{"breaker-role", "*:meta=fail_max:3", "--breaker-defaults"},
		{"breaker-resolver", "*.x=fail_max:3", "wildcards are for hosts; name each resolver"},
		{"breaker", "a b=fail_max:3", "host"},
		{"breaker", "https://a.example/=fail_max:3", "not the URL"},
		{"breaker", "a b=fial_max:3", `did you mean "fail_max"?`},
		{"breaker", "resolver:a b=fail_max:3", "resolver"},
		{"breaker-role", "a.example=fail_max:3", "want HOST:ROLE="},
		{"breaker-role", "a.example:=fail_max:3", "needs a name"},
		{"breaker-role", "a.example:x y=fail_max:3", "role"},
		{"breaker-role", "a.example:x=witnesses:3", "cannot be set for a role"},
		{"breaker-role", "a.example:x=fail_max:0", "roles.x.fail_max is 0"},
		{"breaker-resolver", "crossref", "want NAME="},
		{"breaker-resolver", "a/b=fail_max:3", "resolver"},
		{"breaker-rolling", "windw:3", `did you mean "rolling.window"?`},
		{"breaker-rolling", "fail_max:3", "unknown policy field"},
		{"breaker-classify", "failures=429", `did you mean "classify.failure"?`},
	} {
		_, err := load(t, "", nil, "--"+tt.flag, tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "flag --"+tt.flag+" ") {
			t.Errorf("--%s %q: error %v, want %q", tt.flag, tt.text, err, tt.want)
		}
	}
}
