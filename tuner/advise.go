package tuner

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/guard"
)

// loneTrust is how probable it is that what one member alone saw of a host holds
// for the fleet.
const loneTrust = 0.95

// limits are what the tuner may make of each field.
var limits = func() map[string]guard.Bound {
	limits := map[string]guard.Bound{}
	for _, b := range guard.Bounds() {
		limits[b.Field] = b
	}
	return limits
}()

// Advise proposes what to change in the policy of a breaker, for all roles and for
// those that have numbers of their own. memory may be nil: then what needs it is
// left alone. Whatever the input, each suggestion is within the bounds of its field
// and at least 10 % from the current value, and its confidence is at least s.Sure.
func Advise(m *HostMetrics, p *breaker.Policy, memory *Memory, s Settings) HostAdvice {
	if m == nil {
		return HostAdvice{}
	}
	a := &adviser{m: m, policy: p, memory: memory, settings: s.bounded(), trust: 1, HostAdvice: HostAdvice{Key: m.Key}}
	if p == nil {
		a.note("no policy is in force that could be changed")
		return a.HostAdvice
	}
	a.noteNodes()
	for _, sc := range a.scopes(func(r breaker.RolePolicy) bool { return r.RateMultiplier != 0 }) {
		a.limited(sc)
	}
	for _, sc := range a.scopes(func(r breaker.RolePolicy) bool { return r.FailMax != 0 }) {
		a.trips(sc)
	}
	for _, sc := range a.scopes(func(r breaker.RolePolicy) bool { return r.ResetTimeout != 0 }) {
		a.waits(sc)
	}
	for _, sc := range a.scopes(func(r breaker.RolePolicy) bool { return r.SuccessThreshold != 0 }) {
		a.probes(sc, FieldSuccessThreshold)
	}
	for _, sc := range a.scopes(func(r breaker.RolePolicy) bool { return r.TrialCalls != 0 }) {
		a.probes(sc, FieldTrialCalls)
	}
	return a.HostAdvice
}

// bounded brings the settings within their limits.
func (s Settings) bounded() Settings {
	s.Window = min(max(s.Window, LeastWindow), MostWindow)
	s.ProbePrice = bound(s.ProbePrice, LeastProbePrice, MostProbePrice)
	s.Sure = bound(s.Sure, 0.5, 0.999)
	s.FalseTripEvery = min(max(s.FalseTripEvery, time.Minute), 10*365*24*time.Hour)
	return s
}

// adviser is one call of Advise.
type adviser struct {
	HostAdvice
	m        *HostMetrics
	policy   *breaker.Policy
	memory   *Memory
	settings Settings
	trust    float64
}

// note adds a note once.
func (a *adviser) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(a.Notes, n) {
		a.Notes = append(a.Notes, n)
	}
}

// noteNodes says whose counts are looked at.
func (a *adviser) noteNodes() {
	if n := a.m.Missing; len(n) > 0 {
		a.note("no answer from %s: what they saw is not counted", list(n))
	}
	if a.m.Changed {
		a.note("the host changed: only the %s since then are counted", spell(a.window().Seconds()))
	}
	if n := a.m.Nodes; len(n) == 1 && a.m.Members != 1 {
		a.trust = loneTrust
		a.note("only node %s called it: what it saw counts for less than what several saw", n[0])
	}
}

// list names the first few.
func list(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// propose adds a suggestion, unless it is out of bounds, too small a change or not
// sure enough. s.Proposed is what the rule wants; bounds may bring it nearer.
func (a *adviser) propose(s Suggestion) {
	limit := limits[s.Field]
	if !(s.Current >= limit.Least && s.Current <= limit.Most) {
		a.note("%s is %v, beyond %v to %v, between which the tuner chooses: somebody wanted that, it is left alone",
			FieldName(s.Field, s.Role), s.Current, limit.Least, limit.Most)
		return
	}
	s.Proposed, _ = guard.Clamp(s.Field, s.Current, s.Proposed)
	if math.Abs(s.Proposed-s.Current) < guard.DeadBand*s.Current || s.Proposed == s.Current {
		return
	}
	sure := bound(s.Confidence, 0, 1)
	s.Confidence = sure * a.trust
	switch {
	case s.Confidence >= a.settings.Sure:
		a.Suggestions = append(a.Suggestions, s)
	case sure >= a.settings.Sure:
		a.note("%s would be changed (%s), but one node's word is not enough for that", FieldName(s.Field, s.Role), s.Rule)
	}
}
