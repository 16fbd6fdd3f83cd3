package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// The fields of a policy that a rule reads, and those that say how an open
// breaker comes back.
var (
	fieldsOf = map[breaker.Reason][]string{
		breaker.ReasonRetryAfter:    {"retry_after_cap", "retry_after_scope", "retry_after_statuses"},
		breaker.ReasonConsecutive:   {"fail_max", "witnesses"},
		breaker.ReasonLocalEvidence: {"fail_max", "witnesses", "reset_timeout"},
		breaker.ReasonRolling:       {"rolling.threshold_failures", "rolling.window", "rolling.cooldown", "witnesses"},
		breaker.ReasonFailureRate:   {"failure_rate.ratio", "failure_rate.min_calls", "failure_rate.window", "witnesses"},
		breaker.ReasonProbeFailed:   {"witnesses", "backoff.multiplier", "backoff.max"},
	}
	fieldsOfProbes = []string{"reset_timeout", "success_threshold", "trial_calls", "permit_timeout"}
	fieldsOfRoles  = []string{"fail_max", "reset_timeout", "success_threshold", "trial_calls"}
)

// involved are the values of the rule that fired, for the role that tripped it;
// of a closed breaker those of each rule that could fire.
func (a *account) involved() []api.PolicyValue {
	var fields []string
	if a.is(breaker.Closed) {
		fields = append(fields, "fail_max", "witnesses")
		if a.Rolling != nil {
			fields = append(fields, fieldsOf[breaker.ReasonRolling]...)
		}
		if a.Rate != nil {
			fields = append(fields, fieldsOf[breaker.ReasonFailureRate]...)
		}
	} else {
		fields = append(fields, fieldsOf[breaker.Reason(a.Reason)]...)
		if !a.Local {
			fields = append(fields, fieldsOfProbes...)
		}
	}
	if a.Mode != "" && a.Mode != string(breaker.ModeEnforce) {
		fields = append(fields, "mode")
	}
	values := []api.PolicyValue{}
	for i, name := range fields {
		if v, ok := a.valueOf(name); ok && !slices.Contains(fields[:i], name) {
			values = append(values, v)
		}
	}
	return values
}

// valueOf is a value as it applies to the role that tripped it.
func (a *account) valueOf(name string) (api.PolicyValue, bool) {
	of := func(field string) (api.PolicyValue, bool) {
		i := slices.IndexFunc(a.values, func(v api.PolicyValue) bool { return v.Field == field })
		if i < 0 {
			return api.PolicyValue{}, false
		}
		return a.values[i], true
	}
	if t := a.opened(); t != nil && t.Role != "" && slices.Contains(fieldsOfRoles, name) {
		if v, ok := of("roles." + t.Role + "." + name); ok {
			return v, true
		}
	}
	return of(name)
}

// valueLines are values with their origins, in columns.
func valueLines(values []api.PolicyValue) []string {
	names := make([]string, len(values))
	width := 0
	for i, v := range values {
		names[i] = v.Field + " = " + valueText(v.Value)
		width = max(width, utf8.RuneCountInString(names[i]))
	}
	width = min(width, textWidth/2) // a long list leaves room for where it is from
	lines := make([]string, len(values))
	for i, v := range values {
		pad := strings.Repeat(" ", max(width-utf8.RuneCountInString(names[i]), 0))
		lines[i] = names[i] + pad + "  " + orDash(v.Origin)
	}
	return lines
}

// counted are the failures that fired the rule.
func (a *account) counted() []string {
	t := a.opened()
	if t == nil {
		return nil
	}
	var lines []string
	told := 0
	role := ""
	if t.Reason == string(breaker.ReasonConsecutive) { // the other rules count all roles
		role = ofRole(t.Role)
	}
	for _, c := range t.Counted {
		told += max(c.Count, 1)
		lines = append(lines, fmt.Sprintf("%s  %s%s from node %s", c.At.UTC().Format("15:04:05.000"), count(max(c.Count, 1), "failure"), role, c.Node))
	}
	if more := t.Failures - told; more > 0 && len(lines) > 0 {
		lines = append([]string{fmt.Sprintf("%s before that", count(more, "failure"))}, lines...)
	}
	return lines
}
