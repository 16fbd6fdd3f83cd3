package config_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

// An overlay has the specificity of its key: it wins over roles of wildcards
// and defaults, and not over the roles of the key itself.
func TestOverlaidPolicy(t *testing.T) {
	const file = `defaults: {fail_max: 1, roles: {metadata: {fail_max: 2}, landing: {reset: 7}}}
hosts:
  '*.org': {reset: 30, roles: {metadata: {reset: 40}, artifact: {fail_max: 50}}}
  a.org: {fail_max: 60, roles: {landing: {fail_max: 70}}}
`
	c, err := load(t, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Breakers
	before := map[breaker.Key]string{}
	for _, k := range []breaker.Key{"", "host:a.org", "host:b.org", "host:*.org", "host:c.com", "resolver:x"} {
		before[k] = fmt.Sprintf("%+v", *b.Policy(k))
	}
	layers := []config.Layer{
		{Name: "tuner", Overlay: overlay(t, "fail_max:80,reset:80,roles.metadata.trial_calls:8")},
		{Name: "operator ada", Overlay: overlay(t, "fail_max:90,failure_statuses:599")},
	}
	for _, tt := range []struct {
		key  breaker.Key
		role string
		want string // fail_max, reset_timeout, trial_calls
	}{
		{"host:a.org", "", "90 1m20s 1"},
		{"host:a.org", "metadata", "90 1m20s 8"},
		{"host:a.org", "landing", "70 1m20s 1"},
		{"host:a.org", "artifact", "90 1m20s 1"},
		{"host:b.org", "metadata", "90 1m20s 8"},
		{"host:b.org", "artifact", "90 1m20s 1"},
		{"host:*.org", "metadata", "90 40s 8"}, // its own role, over its own overlay
		{"host:*.org", "artifact", "50 1m20s 1"},
		{"host:c.com", "landing", "90 1m20s 1"},
		{"resolver:x", "landing", "90 1m20s 1"},
		{"", "metadata", "2 1m20s 8"},
		{"", "landing", "90 7s 1"},
	} {
		p, err := b.Overlaid(tt.key, layers...)
		if err != nil {
			t.Errorf("%s: %v", tt.key, err)
			continue
		}
		r := p.ForRole(tt.role)
		if got := fmt.Sprint(r.FailMax, r.ResetTimeout, r.TrialCalls); got != tt.want || len(p.Classify.FailureStatuses) != 1 {
			t.Errorf("%s %q: got %s, statuses %v; want %s", tt.key, tt.role, got, p.Classify.FailureStatuses, tt.want)
		}
	}
	for k, want := range before {
		if got := fmt.Sprintf("%+v", *b.Policy(k)); got != want {
			t.Errorf("%s: an overlay changed the shared policy:\n%s\nwas\n%s", k, got, want)
		}
		if p, err := b.Overlaid(k, config.Layer{Name: "tuner"}); p != b.Policy(k) || err != nil {
			t.Errorf("%s: with an empty overlay it is not the shared policy, %v", k, err)
		}
	}
}

func TestOverlaidPolicyMustBeValid(t *testing.T) {
	c, err := load(t, "", nil, "--breaker=a.org=neutral_statuses:404")
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Breakers.Overlaid("host:a.org", config.Layer{Name: "tuner", Overlay: overlay(t, "failure_statuses:404,500")},
		config.Layer{Name: "operator ada", Overlay: overlay(t, "fail_max:3")})
	want := "classify: status 404 is both a failure and neutral; set by flag --breaker and tuner"
	if p != nil || err == nil || err.Error() != want {
		t.Errorf("got %v, %v; want %q", p, err, want)
	}
}

func TestValues(t *testing.T) {
	c, err := load(t, "", []string{"FLEETFUSE_BREAKER__*.org=reset:30,roles.metadata.reset:40"},
		"--profile=conservative", "--breaker-defaults=roles.metadata.fail_max:2,half_open.jitter:0", "--breaker=a.org=neutral_statuses:none,roles.preview.fail_max:7")
	if err != nil {
		t.Fatal(err)
	}
	layers := []config.Layer{{Name: "operator ada", Overlay: overlay(t, "mode:shadow,roles.landing.rate_multiplier:0.5")}}
	want := []config.Value{
		{Name: "fail_max", Value: 3, Origin: config.Origin{Source: "profile conservative"}},
		{Name: "reset_timeout", Value: "30s", Origin: config.Origin{Source: "env FLEETFUSE_BREAKER__*.org"}},
		{Name: "backoff.multiplier", Value: 2.0, Origin: config.Origin{Source: "profile conservative"}},
		{Name: "backoff.max", Value: "10m0s", Origin: config.Origin{Source: "profile conservative"}},
		{Name: "success_threshold", Value: 2, Origin: config.Origin{Source: "profile conservative"}},
		{Name: "trial_calls", Value: 1},
		{Name: "permit_timeout", Value: "30s"},
		{Name: "half_open.jitter", Value: "0s", Origin: config.Origin{Source: "flag --breaker-defaults"}},
		{Name: "retry_after_cap", Value: "15m0s"},
		{Name: "retry_after_scope", Value: "cluster"},
		{Name: "retry_after_statuses", Value: []int{429, 503}},
		{Name: "rolling.enabled", Value: false},
		{Name: "rolling.window", Value: "30s"},
		{Name: "rolling.threshold_failures", Value: 6},
		{Name: "rolling.cooldown", Value: "1m0s"},
		{Name: "failure_rate.enabled", Value: false},
		{Name: "failure_rate.ratio", Value: 0.5},
		{Name: "failure_rate.window", Value: "1m0s"},
		{Name: "failure_rate.min_calls", Value: 20},
		{Name: "slow_call.enabled", Value: false},
		{Name: "slow_call.duration", Value: "10s"},
		{Name: "witnesses", Value: 2},
		{Name: "classify.failure_statuses", Value: []int{408, 429, 500, 502, 503, 504}},
		{Name: "classify.neutral_statuses", Value: []int{}, Origin: config.Origin{Source: "flag --breaker"}},
		{Name: "rate_multiplier", Value: 1.0},
		{Name: "mode", Value: "shadow", Origin: config.Origin{Source: "operator ada"}},
		{Name: "roles.landing.rate_multiplier", Value: 0.5, Origin: config.Origin{Source: "operator ada"}},
		{Name: "roles.metadata.fail_max", Value: 2, Origin: config.Origin{Source: "flag --breaker-defaults"}},
		{Name: "roles.metadata.reset_timeout", Value: "40s", Origin: config.Origin{Source: "env FLEETFUSE_BREAKER__*.org"}},
		{Name: "roles.preview.fail_max", Value: 7, Origin: config.Origin{Source: "flag --breaker"}},
	}
	if diff := cmp.Diff(want, c.Breakers.Values("host:a.org", layers...)); diff != "" {
		t.Errorf("a.org (-want +got):\n%s", diff)
	}
	defaults := c.Breakers.Values("")
	if last := defaults[len(defaults)-1]; len(defaults) != 27 || last.Name != "roles.metadata.fail_max" || last.Value != 2 {
		t.Errorf("%d defaults, the last is %+v; want 27, the last roles.metadata.fail_max 2", len(defaults), last)
	}
	builtIn := config.Default()
	if got := builtIn.Breakers.Values("host:x"); len(got) != 26 || got[1].Value != time.Minute.String() || got[1].Origin != (config.Origin{}) {
		t.Errorf("of what nobody changed: %+v", got)
	}
}
