package tuner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fleetfuse/breaker"
)

// mostCalls bounds what is believed of any count: sums of such stay exact.
const mostCalls = 1e12

// totals are counts that were brought in order, so that no sum of them is absurd.
type totals struct {
	judged, failures, limited, unavailable float64 // failures: 429s included
	probesOK, probesFailed                 float64
}

func totalsOf(c *Counts) totals {
	n := func(x uint64) float64 { return min(float64(x), mostCalls) }
	failures := n(c.Limited) + n(c.Server) + n(c.Timeouts) + n(c.Other)
	return totals{
		judged: n(c.Successes) + failures, failures: failures,
		limited: n(c.Limited), unavailable: min(n(c.Unavailable), n(c.Server)),
		probesOK: n(c.ProbesOK), probesFailed: n(c.ProbesFailed),
	}
}

// plus adds o so many times; what would be less than nothing is nothing, and no part is
// more than the whole.
func (t totals) plus(o totals, times float64) totals {
	limited := max(0, t.limited+times*o.limited)
	failures := max(limited, t.failures+times*o.failures)
	return totals{
		judged:       max(failures, t.judged+times*o.judged),
		failures:     failures,
		limited:      limited,
		unavailable:  max(0, t.unavailable+times*o.unavailable),
		probesOK:     max(0, t.probesOK+times*o.probesOK),
		probesFailed: max(0, t.probesFailed+times*o.probesFailed),
	}
}

// scope is the calls that one number of a policy is for: those of one role, or of all
// roles that have no number of their own.
type scope struct {
	role   string // "" for all the others
	counts totals
	opens  []Open
	policy breaker.RolePolicy // in force
	home   breaker.RolePolicy // without what a tuner changed
	homely bool               // that is known
	whole  bool               // these are all calls of the host
}

// scopes cuts the calls by who has a number of his own: own says so of the numbers
// of a role. The shared scope comes first.
func (a *adviser) scopes(own func(breaker.RolePolicy) bool) []scope {
	shared := a.scope("", totalsOf(&a.m.All))
	shared.whole = true
	if len(a.policy.Roles) == 0 {
		shared.opens = a.m.Opens
		return []scope{shared}
	}
	all := []scope{shared}
	for _, role := range slices.Sorted(maps.Keys(a.policy.Roles)) {
		if role == "" || !own(a.policy.Roles[role]) {
			continue
		}
		counts := a.ofRole(role)
		all[0].counts = all[0].counts.plus(counts, -1)
		all[0].whole = false
		all = append(all, a.scope(role, counts))
	}
	for _, o := range a.m.Opens {
		i := max(0, slices.IndexFunc(all, func(s scope) bool { return s.role == o.Role }))
		all[i].opens = append(all[i].opens, o)
	}
	return all
}

// ofRole are the counts of one role.
func (a *adviser) ofRole(role string) (sum totals) {
	for i := range a.m.Roles {
		if r := &a.m.Roles[i]; r.Role == role {
			sum = sum.plus(totalsOf(&r.Counts), 1)
		}
	}
	return sum
}

func (a *adviser) scope(role string, counts totals) scope {
	s := scope{role: role, counts: counts, policy: resolved(a.policy, role)}
	if a.m.Home != nil {
		s.home, s.homely = resolved(a.m.Home, role), true
	}
	return s
}

// resolved are the numbers for a role; for "" those of the breaker, also where the
// policy has others for calls that name no role.
func resolved(p *breaker.Policy, role string) breaker.RolePolicy {
	if role != "" {
		return p.ForRole(role)
	}
	return breaker.RolePolicy{
		FailMax: p.FailMax, ResetTimeout: p.ResetTimeout, SuccessThreshold: p.SuccessThreshold,
		TrialCalls: p.TrialCalls, RateMultiplier: p.RateMultiplier,
	}
}

// says makes a sentence, of text that begins with a small letter or a number, that
// says which role it is about.
func (s scope) says(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if s.role != "" {
		return "Role " + s.role + ": " + text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
