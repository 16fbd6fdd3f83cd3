package client

import (
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// policies are the node's, each in two forms. They are safe for concurrent use.
type policies struct {
	mu        sync.RWMutex
	byKey     map[breaker.Key]policyPair
	other     policyPair // of keys without one of their own
	wildcards bool       // byKey has some, as host:*.example.org
}

// policyPair is one policy as this process's ring obeys it while the node is
// away, and while the node answers and the ring only counts.
type policyPair struct{ alone, fed *breaker.Policy }

// neverTrip is the highest fail_max there is: a fed ring must not decide, and
// its memory stays bounded.
const neverTrip = 10_000

func pairOf(p breaker.Policy) policyPair {
	fed := p
	fed.FailMax = neverTrip
	fed.Rolling.Enabled, fed.FailureRate.Enabled = false, false
	fed.Roles = make(map[string]breaker.RolePolicy, len(p.Roles))
	for name, r := range p.Roles {
		r.FailMax = neverTrip
		fed.Roles[name] = r
	}
	return policyPair{alone: &p, fed: &fed}
}

func defaultPolicies() *policies {
	return &policies{byKey: map[breaker.Key]policyPair{}, other: pairOf(breaker.DefaultPolicy())}
}

// take takes those of an event; in a full one, what is not listed is gone. It
// returns the keys whose policy that may be, and whether it may be any key's.
func (p *policies) take(list map[string]api.Policy, full bool) (keys []breaker.Key, any bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if full {
		p.byKey, p.wildcards = map[breaker.Key]policyPair{}, false
	}
	any = full
	for k, a := range list {
		pair, key := pairOf(policyOf(a)), breaker.Key(k)
		wildcard := strings.HasPrefix(k, breaker.ScopeHost+":*.")
		p.wildcards = p.wildcards || wildcard
		any = any || wildcard || k == ""
		if k == "" {
			p.other = pair
			continue
		}
		p.byKey[key] = pair
		keys = append(keys, key)
	}
	return keys, any
}

func (p *policies) of(key breaker.Key, fed bool) *breaker.Policy {
	p.mu.RLock()
	defer p.mu.RUnlock()
	pair, ok := p.byKey[key]
	if !ok {
		pair = p.below(key)
	}
	if fed {
		return pair.fed
	}
	return pair.alone
}

// below is the policy of a key that has none of its own: that of the longest
// wildcard that matches the host, or the default.
func (p *policies) below(key breaker.Key) policyPair {
	if !p.wildcards || key.Scope() != breaker.ScopeHost {
		return p.other
	}
	for _, suffix, ok := strings.Cut(key.Name(), "."); ok; _, suffix, ok = strings.Cut(suffix, ".") {
		if pair, ok := p.byKey[breaker.HostKey("*."+suffix)]; ok {
			return pair
		}
	}
	return p.other
}

// policyOf is a policy as the node sent it. What an older node does not send
// keeps its default.
func policyOf(a api.Policy) breaker.Policy {
	p := breaker.DefaultPolicy()
	if a.Mode != "" {
		p.Mode = breaker.Mode(a.Mode)
	}
	number(&p.FailMax, a.FailMax)
	number(&p.SuccessThreshold, a.SuccessThreshold)
	number(&p.TrialCalls, a.TrialCalls)
	number(&p.Witnesses, a.Witnesses)
	number(&p.RateMultiplier, a.RateMultiplier)
	span(&p.ResetTimeout, a.ResetTimeoutMS)
	span(&p.RetryAfterCap, a.RetryAfterCapMS)
	span(&p.PermitTimeout, a.PermitTimeoutMS)
	if a.RetryAfterStatuses != nil {
		p.RetryAfterStatuses = a.RetryAfterStatuses
	}
	if a.FailureStatuses != nil {
		p.Classify.FailureStatuses = a.FailureStatuses
	}
	if a.NeutralStatuses != nil {
		p.Classify.NeutralStatuses = a.NeutralStatuses
	}
	if a.SlowCallMS > 0 {
		p.SlowCall = breaker.SlowCall{Enabled: true, Duration: milliseconds(a.SlowCallMS)}
	}
	for name, r := range a.Roles {
		if p.Roles == nil {
			p.Roles = map[string]breaker.RolePolicy{}
		}
		p.Roles[name] = breaker.RolePolicy{
			FailMax: r.FailMax, ResetTimeout: milliseconds(r.ResetTimeoutMS), SuccessThreshold: r.SuccessThreshold, TrialCalls: r.TrialCalls,
			RateMultiplier: r.RateMultiplier,
		}
	}
	return p
}

func number[N int | float64](field *N, n N) {
	if n > 0 {
		*field = n
	}
}

func span(field *time.Duration, ms int64) {
	if ms > 0 {
		*field = milliseconds(ms)
	}
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
