package breaker

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Mode says what a policy does with a rejection.
type Mode string

// The modes of a policy.
const (
	ModeEnforce Mode = "enforce" // reject
	ModeShadow  Mode = "shadow"  // count and announce, never reject
	ModeOff     Mode = "off"     // always allow
)

// RetryAfterScope says how far a host's Retry-After reaches.
type RetryAfterScope string

// The scopes of a Retry-After.
const (
	RetryAfterCluster RetryAfterScope = "cluster" // every node waits
	RetryAfterNode    RetryAfterScope = "node"    // only this machine's ring, until restart
)

// A Policy is the complete set of numbers that govern one breaker. Policies
// are values: a Machine never changes the one it was given, and callers must
// not change one they handed over.
type Policy struct {
	FailMax            int             // consecutive failures that trip, per role
	ResetTimeout       time.Duration   // open this long before probing
	Backoff            Backoff         // growth of ResetTimeout
	SuccessThreshold   int             // successful probes that close
	TrialCalls         int             // permits outstanding at once, per role
	PermitTimeout      time.Duration   // an unreported permit returns to the budget
	HalfOpenJitter     time.Duration   // a permit carries a random delay up to this
	RetryAfterCap      time.Duration   // longest Retry-After honoured
	RetryAfterScope    RetryAfterScope // cluster or node
	RetryAfterStatuses []int           // where Retry-After counts, whatever the classification
	Rolling            Rolling
	FailureRate        FailureRate
	SlowCall           SlowCall
	Witnesses          int // distinct nodes a counted trip needs
	Classify           Classify
	Roles              map[string]RolePolicy // overrides by role
	RateMultiplier     float64               // advice to the caller's own limiter
	Mode               Mode
}

// Backoff lengthens the open period: each re-open without recovery multiplies
// it, up to Max.
type Backoff struct {
	Multiplier float64
	Max        time.Duration
}

// Rolling is the burst rule: ThresholdFailures over all roles within Window
// open the circuit for Cooldown. A success does not empty it.
type Rolling struct {
	Enabled           bool
	Window            time.Duration
	ThresholdFailures int
	Cooldown          time.Duration
}

// FailureRate is the rate rule: failures/calls >= Ratio over Window, once
// there were MinCalls.
type FailureRate struct {
	Enabled  bool
	Ratio    float64
	Window   time.Duration
	MinCalls int
}

// SlowCall makes a success that took Duration or longer count as a failure
// for the rate rule; for the run it stays a success.
type SlowCall struct {
	Enabled  bool
	Duration time.Duration
}

// Classify sorts HTTP statuses into failures and neutral ones; all else is a
// success, but 429 never is: named nowhere it is neutral.
type Classify struct {
	FailureStatuses []int
	NeutralStatuses []int
}

// A RolePolicy overrides fields for one role; zero means "as the breaker".
type RolePolicy struct {
	FailMax          int
	ResetTimeout     time.Duration
	SuccessThreshold int
	TrialCalls       int
	RateMultiplier   float64
}

// DefaultPolicy is the policy of a host nobody configured (the profile
// "balanced").
func DefaultPolicy() Policy {
	return Policy{
		FailMax:            5,
		ResetTimeout:       60 * time.Second,
		Backoff:            Backoff{Multiplier: 1, Max: 10 * time.Minute},
		SuccessThreshold:   1,
		TrialCalls:         1,
		PermitTimeout:      30 * time.Second,
		HalfOpenJitter:     150 * time.Millisecond,
		RetryAfterCap:      15 * time.Minute,
		RetryAfterScope:    RetryAfterCluster,
		RetryAfterStatuses: []int{429, 503},
		Rolling:            Rolling{Window: 30 * time.Second, ThresholdFailures: 6, Cooldown: 60 * time.Second},
		FailureRate:        FailureRate{Ratio: 0.5, Window: 60 * time.Second, MinCalls: 20},
		SlowCall:           SlowCall{Duration: 10 * time.Second},
		Witnesses:          2,
		Classify: Classify{
			FailureStatuses: []int{408, 429, 500, 502, 503, 504},
			NeutralStatuses: []int{401, 403, 404, 410, 451},
		},
		RateMultiplier: 1,
		Mode:           ModeEnforce,
	}
}

// ForRole returns the fields a role may override, resolved.
func (p *Policy) ForRole(role string) RolePolicy {
	r := RolePolicy{p.FailMax, p.ResetTimeout, p.SuccessThreshold, p.TrialCalls, p.RateMultiplier}
	o, ok := p.Roles[role]
	if !ok {
		return r
	}
	if o.FailMax != 0 {
		r.FailMax = o.FailMax
	}
	if o.ResetTimeout != 0 {
		r.ResetTimeout = o.ResetTimeout
	}
	if o.SuccessThreshold != 0 {
		r.SuccessThreshold = o.SuccessThreshold
	}
	if o.TrialCalls != 0 {
		r.TrialCalls = o.TrialCalls
	}
	if o.RateMultiplier != 0 {
		r.RateMultiplier = o.RateMultiplier
	}
	return r
}

// The roles every policy knows.
const (
	RoleMetadata = "metadata"
	RoleLanding  = "landing"
	RoleArtifact = "artifact"
)

// BudgetRole is the role whose run and permits a call of this role uses: the
// role itself if it is a well-known one or named in the policy, else the
// nameless one. So invented role names cannot multiply budgets.
func (p *Policy) BudgetRole(role string) string {
	switch role {
	case RoleMetadata, RoleLanding, RoleArtifact:
		return role
	}
	if _, ok := p.Roles[role]; ok {
		return role
	}
	return ""
}

// MemoryOf is how long a run, and a gate's reporting, outlive the last
// failure: twice the longer of reset_timeout and the longest enabled window.
func (p *Policy) MemoryOf(role string) time.Duration {
	return 2 * max(p.window(), p.ForRole(role).ResetTimeout)
}

// window is the longest enabled window.
func (p *Policy) window() time.Duration {
	var w time.Duration
	if p.Rolling.Enabled {
		w = p.Rolling.Window
	}
	if p.FailureRate.Enabled {
		w = max(w, p.FailureRate.Window)
	}
	return w
}

// openFor is how long the n-th open without recovery lasts (n from 1).
func (p *Policy) openFor(base time.Duration, n int) time.Duration {
	if p.Backoff.Multiplier <= 1 || n <= 1 {
		return base
	}
	d := float64(base) * math.Pow(p.Backoff.Multiplier, float64(n-1))
	return time.Duration(min(d, float64(max(p.Backoff.Max, base))))
}

// Validate returns every field outside its limits (DESIGN 3), joined.
func (p *Policy) Validate() error {
	const day = 24 * time.Hour
	var v limits
	v.count("fail_max", p.FailMax, 1, 10_000)
	v.span("reset_timeout", p.ResetTimeout, time.Second, day)
	v.number("backoff.multiplier", p.Backoff.Multiplier, 1, 10)
	v.span("backoff.max", p.Backoff.Max, time.Second, day)
	v.count("success_threshold", p.SuccessThreshold, 1, 100)
	v.count("trial_calls", p.TrialCalls, 1, 1000)
	v.span("permit_timeout", p.PermitTimeout, time.Second, 10*time.Minute)
	v.span("half_open.jitter", p.HalfOpenJitter, 0, 10*time.Second)
	v.span("retry_after_cap", p.RetryAfterCap, time.Second, day)
	v.oneOf("retry_after_scope", string(p.RetryAfterScope), string(RetryAfterCluster), string(RetryAfterNode))
	v.span("rolling.window", p.Rolling.Window, time.Second, time.Hour)
	v.count("rolling.threshold_failures", p.Rolling.ThresholdFailures, 1, 10_000)
	v.span("rolling.cooldown", p.Rolling.Cooldown, time.Second, day)
	v.number("failure_rate.ratio", p.FailureRate.Ratio, 0.01, 1)
	v.span("failure_rate.window", p.FailureRate.Window, time.Second, time.Hour)
	v.count("failure_rate.min_calls", p.FailureRate.MinCalls, 1, 100_000)
	v.span("slow_call.duration", p.SlowCall.Duration, time.Millisecond, time.Hour)
	v.count("witnesses", p.Witnesses, 1, 16)
	v.number("rate_multiplier", p.RateMultiplier, 0.1, 1)
	v.oneOf("mode", string(p.Mode), string(ModeEnforce), string(ModeShadow), string(ModeOff))
	v.statuses("retry_after_statuses", p.RetryAfterStatuses)
	v.statuses("classify.failure_statuses", p.Classify.FailureStatuses)
	v.statuses("classify.neutral_statuses", p.Classify.NeutralStatuses)
	for _, s := range p.Classify.FailureStatuses {
		if slices.Contains(p.Classify.NeutralStatuses, s) {
			v.add("classify: status %d is both a failure and neutral", s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Roles)) {
		r := p.ForRole(name)
		at := "roles." + name + "."
		v.count(at+"fail_max", r.FailMax, 1, 10_000)
		v.span(at+"reset_timeout", r.ResetTimeout, time.Second, day)
		v.count(at+"success_threshold", r.SuccessThreshold, 1, 100)
		v.count(at+"trial_calls", r.TrialCalls, 1, 1000)
		v.number(at+"rate_multiplier", r.RateMultiplier, 0.1, 1)
	}
	return errors.Join(v...)
}

// limits collects what is wrong with a policy.
type limits []error

func (v *limits) add(format string, args ...any) { *v = append(*v, fmt.Errorf(format, args...)) }

func (v *limits) count(name string, n, lo, hi int) {
	if n < lo || n > hi {
		v.add("%s is %d; want %d to %d", name, n, lo, hi)
	}
}

func (v *limits) span(name string, d, lo, hi time.Duration) {
	if d < lo || d > hi {
		v.add("%s is %v; want %v to %v", name, d, lo, hi)
	}
}

func (v *limits) number(name string, x, lo, hi float64) {
	if !(x >= lo && x <= hi) { // the negation also catches NaN
		v.add("%s is %v; want %v to %v", name, x, lo, hi)
	}
}

func (v *limits) oneOf(name, s string, allowed ...string) {
	if !slices.Contains(allowed, s) {
		v.add("%s is %q; want one of %q", name, s, allowed)
	}
}

func (v *limits) statuses(name string, list []int) {
	for _, s := range list {
		if s < 100 || s > 599 {
			v.add("%s has %d; want 100 to 599", name, s)
		}
	}
}
