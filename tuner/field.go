package tuner

import (
	"maps"
	"math"
	"time"

	"fleetfuse/breaker"
)

// FieldName is a field as people and overlays write it.
func FieldName(field, role string) string {
	if role == "" {
		return field
	}
	return "roles." + role + "." + field
}

// Provable reports whether a replay of what was recorded can judge a suggestion. A
// rate is advice to callers; what they would have done is on no record.
func (s *Suggestion) Provable() bool { return s.Field != FieldRateMultiplier }

// ValueOf is the value of a field in force for a role, "" for calls without one. It
// is NaN for a field that the tuner does not propose to change.
func ValueOf(p *breaker.Policy, field, role string) float64 {
	r := p.ForRole(role)
	switch field {
	case FieldFailMax:
		return float64(r.FailMax)
	case FieldResetTimeout:
		return r.ResetTimeout.Seconds()
	case FieldSuccessThreshold:
		return float64(r.SuccessThreshold)
	case FieldTrialCalls:
		return float64(r.TrialCalls)
	case FieldRateMultiplier:
		return r.RateMultiplier
	}
	return math.NaN()
}

// With is a policy with suggestions made.
func With(p *breaker.Policy, suggestions []Suggestion) *breaker.Policy {
	with := *p
	with.Roles = maps.Clone(p.Roles)
	for i := range suggestions {
		s := &suggestions[i]
		if s.Role == "" {
			all := breaker.RolePolicy{
				FailMax: with.FailMax, ResetTimeout: with.ResetTimeout, SuccessThreshold: with.SuccessThreshold,
				TrialCalls: with.TrialCalls, RateMultiplier: with.RateMultiplier,
			}
			s.set(&all)
			with.FailMax, with.ResetTimeout, with.SuccessThreshold = all.FailMax, all.ResetTimeout, all.SuccessThreshold
			with.TrialCalls, with.RateMultiplier = all.TrialCalls, all.RateMultiplier
			continue
		}
		if with.Roles == nil {
			with.Roles = map[string]breaker.RolePolicy{}
		}
		own := with.Roles[s.Role]
		s.set(&own)
		with.Roles[s.Role] = own
	}
	return &with
}

// set makes a suggestion.
func (s *Suggestion) set(r *breaker.RolePolicy) {
	switch s.Field {
	case FieldFailMax:
		r.FailMax = int(s.Proposed)
	case FieldResetTimeout:
		r.ResetTimeout = time.Duration(s.Proposed * float64(time.Second))
	case FieldSuccessThreshold:
		r.SuccessThreshold = int(s.Proposed)
	case FieldTrialCalls:
		r.TrialCalls = int(s.Proposed)
	case FieldRateMultiplier:
		r.RateMultiplier = s.Proposed
	}
}
