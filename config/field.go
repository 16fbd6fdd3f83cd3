package config

import (
	"slices"
	"strings"
	"sync"
	"time"

	"fleetfuse/breaker"
)

// A field is one policy field that can be set: the row that the text grammar,
// the policies in a file and the field reference share. Limits are not here:
// breaker.Policy.Validate holds them, for every way a policy is made.
type field struct {
	name    string   // dotted path, as breaker.Policy.Validate spells it
	aliases []string // other dotted paths; _s or _ms at the end says the unit of a bare number
	doc     string   // what it means, for the field reference

	at     func(*breaker.Policy) any     // a pointer to the field, of a type storeValue knows
	atRole func(*breaker.RolePolicy) any // the same in a role; nil if a role cannot set it
}

// fields is the one table of policy fields, in the order of DESIGN 3.
var fields = []field{
	{"fail_max", nil, "consecutive failures that trip",
		func(p *breaker.Policy) any { return &p.FailMax },
		func(r *breaker.RolePolicy) any { return &r.FailMax }},
	{"reset_timeout", []string{"reset_timeout_s", "reset", "reset_s"}, "open this long before probing",
		func(p *breaker.Policy) any { return &p.ResetTimeout },
		func(r *breaker.RolePolicy) any { return &r.ResetTimeout }},
	{"backoff.multiplier", nil, "each re-open without recovery multiplies reset_timeout",
		func(p *breaker.Policy) any { return &p.Backoff.Multiplier }, nil},
	{"backoff.max", []string{"backoff.max_s"}, "longest reset_timeout that backoff.multiplier reaches",
		func(p *breaker.Policy) any { return &p.Backoff.Max }, nil},
	{"success_threshold", nil, "successful probes that close",
		func(p *breaker.Policy) any { return &p.SuccessThreshold },
		func(r *breaker.RolePolicy) any { return &r.SuccessThreshold }},
	{"trial_calls", nil, "permits outstanding at once",
		func(p *breaker.Policy) any { return &p.TrialCalls },
		func(r *breaker.RolePolicy) any { return &r.TrialCalls }},
	{"permit_timeout", []string{"permit_timeout_s"}, "an unreported permit returns to the budget after this long",
		func(p *breaker.Policy) any { return &p.PermitTimeout }, nil},
	{"half_open.jitter", []string{"half_open.jitter_ms", "half_open.jitter_s", "half_open_jitter", "half_open_jitter_ms"},
		"a permit carries a random delay up to this",
		func(p *breaker.Policy) any { return &p.HalfOpenJitter }, nil},
	{"retry_after_cap", []string{"retry_after_cap_s"}, "longest Retry-After honoured",
		func(p *breaker.Policy) any { return &p.RetryAfterCap }, nil},
	{"retry_after_scope", nil, "who waits for a Retry-After: cluster, or node for this machine only",
		func(p *breaker.Policy) any { return &p.RetryAfterScope }, nil},
	{"retry_after_statuses", nil, "statuses where Retry-After counts, whatever the classification",
		func(p *breaker.Policy) any { return &p.RetryAfterStatuses }, nil},
	{"rolling.enabled", nil, "open on a burst of failures over all roles",
		func(p *breaker.Policy) any { return &p.Rolling.Enabled }, nil},
	{"rolling.window", []string{"rolling.window_s"}, "a burst is this short",
		func(p *breaker.Policy) any { return &p.Rolling.Window }, nil},
	{"rolling.threshold_failures", []string{"rolling.thresh", "rolling.threshold"}, "a burst has this many failures",
		func(p *breaker.Policy) any { return &p.Rolling.ThresholdFailures }, nil},
	{"rolling.cooldown", []string{"rolling.cooldown_s"}, "a burst opens the circuit this long",
		func(p *breaker.Policy) any { return &p.Rolling.Cooldown }, nil},
	{"failure_rate.enabled", nil, "open when too large a part of the calls fails",
		func(p *breaker.Policy) any { return &p.FailureRate.Enabled }, nil},
	{"failure_rate.ratio", nil, "failures / calls that trips",
		func(p *breaker.Policy) any { return &p.FailureRate.Ratio }, nil},
	{"failure_rate.window", []string{"failure_rate.window_s"}, "calls this recent count for the rate",
		func(p *breaker.Policy) any { return &p.FailureRate.Window }, nil},
	{"failure_rate.min_calls", nil, "with fewer calls in the window the rate says nothing",
		func(p *breaker.Policy) any { return &p.FailureRate.MinCalls }, nil},
	{"slow_call.enabled", nil, "a slow success is a failure for the rate",
		func(p *breaker.Policy) any { return &p.SlowCall.Enabled }, nil},
	{"slow_call.duration", []string{"slow_call.duration_s", "slow_call.duration_ms"}, "a call this long is slow",
		func(p *breaker.Policy) any { return &p.SlowCall.Duration }, nil},
	{"witnesses", nil, "distinct nodes whose failures a trip needs",
		func(p *breaker.Policy) any { return &p.Witnesses }, nil},
	{"classify.failure_statuses", []string{"classify.failure", "failure_statuses"}, "HTTP statuses that are failures",
		func(p *breaker.Policy) any { return &p.Classify.FailureStatuses }, nil},
	{"classify.neutral_statuses", []string{"classify.neutral", "neutral_statuses"}, "HTTP statuses that are neither success nor failure",
		func(p *breaker.Policy) any { return &p.Classify.NeutralStatuses }, nil},
	{"rate_multiplier", nil, "advice to the caller's own limiter: this part of its normal rate",
		func(p *breaker.Policy) any { return &p.RateMultiplier },
		func(r *breaker.RolePolicy) any { return &r.RateMultiplier }},
	{"mode", nil, "enforce; shadow counts and announces but never rejects; off always allows",
		func(p *breaker.Policy) any { return &p.Mode }, nil},
}

// shape is a policy that nobody reads or writes: pointers into it say of what
// kind its fields are.
var shape breaker.Policy

// kind is a pointer of the type that the field has, not to be followed.
func (f *field) kind() any { return f.at(&shape) }

// row is the place of the field in the table.
func (f *field) row() int {
	return slices.IndexFunc(fields, func(g field) bool { return g.name == f.name })
}

// nameIn is the name of the field in a role ("" is the breaker itself).
func (f *field) nameIn(role string) string {
	if role == "" {
		return f.name
	}
	return rolesPrefix + role + "." + f.name
}

// fieldsByPath finds the fields by name and by alias.
var fieldsByPath = indexFields()

func indexFields() map[string]*field {
	byPath := make(map[string]*field, 2*len(fields))
	for i := range fields {
		byPath[fields[i].name] = &fields[i]
		for _, a := range fields[i].aliases {
			byPath[a] = &fields[i]
		}
	}
	return byPath
}

// fieldSections are the paths that fields lie below, as half_open.
var fieldSections = indexSections()

func indexSections() map[string]bool {
	sections := map[string]bool{}
	for path := range fieldsByPath {
		for i, c := range path {
			if c == '.' {
				sections[path[:i]] = true
			}
		}
	}
	return sections
}

// pathsBelow lists the names and aliases of the fields below prefix, without
// it, in the order of the table; for a role only the fields a role can set.
func pathsBelow(prefix string, inRole bool) []string {
	var paths []string
	for i := range fields {
		if inRole && fields[i].atRole == nil {
			continue
		}
		for _, path := range append([]string{fields[i].name}, fields[i].aliases...) {
			if rest, ok := strings.CutPrefix(path, prefix); ok {
				paths = append(paths, rest)
			}
		}
	}
	return paths
}

// unitOf is what a bare number means where path is given a duration.
func unitOf(path string) time.Duration {
	if strings.HasSuffix(path, "_ms") {
		return time.Millisecond
	}
	return time.Second
}

// checkBase is what check changes a copy of. It has no statuses: whether the
// two lists overlap shows when both are known.
var checkBase = func() breaker.Policy {
	p := breaker.DefaultPolicy()
	p.Classify = breaker.Classify{}
	return p
}()

// checkCopies are the copies: a file may have a million values.
var checkCopies = sync.Pool{New: func() any { return new(breaker.Policy) }}

// check returns what is wrong with a value of this field on its own: a
// default policy with only this field changed is held to the limits.
func (f *field) check(value any) error {
	p := checkCopies.Get().(*breaker.Policy)
	defer checkCopies.Put(p)
	*p = checkBase
	storeValue(f.at(p), value)
	return p.Validate()
}
