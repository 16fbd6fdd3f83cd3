package main

import (
	"fmt"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// evidence says what the outcomes were and who reported them.
func (a *account) evidence() string {
	var text []string
	l := a.opened()
	if l != nil {
		if told := outcomeWords(l.Status, l.Error, l.RetryAfter, reporters(l.Nodes)); told != "" {
			text = append(text, "The outcome that fired it: "+told+".")
		}
		if l.Detail != "" && l.Detail != a.Detail && l.Detail != adopted {
			text = append(text, fmt.Sprintf("It said: %q.", l.Detail))
		}
	}
	if f := a.LastFailure; f != nil && (len(text) == 0 || l == nil || !f.At.Equal(l.At)) { // else it is the one told
		told := outcomeWords(f.Status, f.Error, f.RetryAfter, reporters([]string{f.Node}))
		text = append(text, fmt.Sprintf("The latest failure%s, at %s (%s): %s.", ofRole(f.Role), moment(f.At), ago(f.At, a.now), orDash(told)))
	}
	return strings.Join(text, " ")
}

func outcomeWords(status int, class, retryAfter, reporters string) string {
	var parts []string
	if status != 0 {
		parts = append(parts, fmt.Sprintf("HTTP status %d", status))
	}
	if class != "" {
		parts = append(parts, "transport error "+class)
	}
	if retryAfter != "" {
		parts = append(parts, fmt.Sprintf("Retry-After %q", retryAfter))
	}
	if reporters != "" {
		parts = append(parts, reporters)
	}
	return strings.Join(parts, ", ")
}

func reporters(nodes []string) string {
	if len(nodes) == 0 || len(nodes) == 1 && nodes[0] == "" {
		return ""
	}
	return "reported by " + verb(len(nodes), "node ", "nodes ") + list(nodes)
}

// others tells the cooldowns that are not the reason given: if the first one
// is ended they go on.
func (a *account) others() string {
	var text []string
	for i, c := range a.Cooldowns {
		if i == 0 && c.Reason == a.Reason || c.RemainingMS <= 0 { // told, or over
			continue
		}
		text = append(text, fmt.Sprintf("There is another cooldown, %s, with %s left. %s", c.Reason, millis(c.RemainingMS), cooldownText(c)))
	}
	return strings.Join(text, " ")
}

// progress says how far it is from opening, or how far from closing.
func (a *account) progress() string {
	var text []string
	for _, r := range a.Roles {
		unused := len(a.Roles) == 1 && r == api.Role{FailMax: r.FailMax, SuccessThreshold: r.SuccessThreshold} // stands for all roles
		switch {
		case unused && a.is(breaker.HalfOpen) && r.SuccessThreshold > 0:
			text = append(text, fmt.Sprintf("No probe has succeeded yet; it takes %s.", count(r.SuccessThreshold, "successful probe")))
		case unused: // told below
		case !a.is(breaker.Closed) && r.SuccessThreshold > 0 && (a.is(breaker.HalfOpen) || r.ProbeSuccesses > 0):
			text = append(text, fmt.Sprintf("%s: %d of %s.", roleName(r), r.ProbeSuccesses, count(r.SuccessThreshold, "successful probe")))
		case r.FailMax > 0 && r.Failures > r.FailMax:
			text = append(text, fmt.Sprintf("%s: %s in a row; fail_max is %d.", roleName(r), count(r.Failures, "failure"), r.FailMax))
		case r.FailMax > 0 && (a.is(breaker.Closed) || r.Failures > 0):
			text = append(text, fmt.Sprintf("%s: %d of %s in a row.", roleName(r), r.Failures, count(r.FailMax, "failure")))
		}
	}
	if !a.is(breaker.Closed) {
		return strings.Join(text, " ")
	}
	if len(text) == 0 && a.Note == "" {
		text = append(text, a.clean())
	}
	if w := a.Rolling; w != nil {
		text = append(text, fmt.Sprintf("Burst rule: %s; it opens at %s.", count(w.Failures, "failure"), threshold(w, "failures")))
	}
	if w := a.Rate; w != nil {
		text = append(text, fmt.Sprintf("Rate rule: %d of %s failed; it opens at %s.", w.Failures, count(w.Calls, "call"), threshold(w, ofTheCalls)))
	}
	return strings.Join(text, " ")
}

// clean is the progress of a breaker without a failure.
func (a *account) clean() string {
	if a.Policy == nil || a.Policy.FailMax == 0 {
		return "No failure is counted against it."
	}
	return fmt.Sprintf("No failure is counted against it: 0 of %s in a row.", count(a.Policy.FailMax, "failure"))
}

func roleName(r api.Role) string {
	if r.Role == "" {
		return "Calls without a role"
	}
	return "Role " + r.Role
}

// unheard explains a closed breaker that nobody complained about.
func (a *account) unheard() string {
	if a.is(breaker.Closed) && a.Note == "" && a.Last == nil && a.LastFailure == nil {
		return "Nobody complained about it, and such a host is closed; if you expected failures, check the spelling."
	}
	return ""
}

// outlook says when the next probe is due and who holds permits.
func (a *account) outlook() string {
	switch {
	case !a.is(breaker.Closed) && a.Mode == string(breaker.ModeOff):
		return "Next: in the mode off no outcome is counted, so no probe will close it."
	case a.is(breaker.Open) && a.Mode == string(breaker.ModeShadow):
		return fmt.Sprintf("Next: at %s it becomes half-open. In the mode shadow every call is then a probe, without a permit.", moment(a.until()))
	case a.is(breaker.HalfOpen) && a.Mode == string(breaker.ModeShadow):
		return "Next: in the mode shadow every call is a probe, without a permit."
	case a.is(breaker.Open) && a.Local:
		return fmt.Sprintf("Next: at %s the ring is half-open, and the next caller there probes.", moment(a.until()))
	case a.is(breaker.HalfOpen) && a.Local:
		return "Next: the next caller there probes."
	case a.is(breaker.Open):
		return fmt.Sprintf("Next: at %s it becomes half-open, and the next caller after that gets a permit to probe.%s", moment(a.until()), a.probeWords())
	case !a.is(breaker.HalfOpen):
		return ""
	case len(a.Permits) == 0:
		return "Next: no probe is out, and the next caller gets a permit." + a.probeWords()
	}
	return "Next: " + a.permitWords() + a.probeWords()
}

// permitWords says who holds permits and when there is one again, role by role:
// each has permits of its own.
func (a *account) permitWords() string {
	var text, roles []string
	out, soonest := map[string]int{}, map[string]int64{}
	for _, p := range a.Permits {
		text = append(text, fmt.Sprintf("node %s holds a permit%s that expires in %s.", p.Node, forRole(p.Role), millis(p.ExpiresInMS)))
		if out[p.Role]++; out[p.Role] == 1 {
			roles = append(roles, p.Role)
			soonest[p.Role] = p.ExpiresInMS
		}
		soonest[p.Role] = min(soonest[p.Role], p.ExpiresInMS)
	}
	for _, role := range roles {
		switch most := a.trialCalls(role); {
		case most == 0: // not known
		case out[role] < most:
			text = append(text, fmt.Sprintf("The next caller %s gets one too.", inRole(role)))
		default:
			due := a.now.Add(time.Duration(soonest[role]) * time.Millisecond)
			text = append(text, fmt.Sprintf("If a report brings none back before, the next probe %s is due at %s.", inRole(role), moment(due)))
		}
	}
	return strings.Join(text, " ")
}

// trialCalls is how many permits of a role may be out, 0 if that is not known.
func (a *account) trialCalls(role string) int {
	for _, v := range a.values {
		if n, ok := v.Value.(float64); ok && v.Field == "roles."+role+".trial_calls" {
			return int(n)
		}
	}
	if a.Policy == nil {
		return 0
	}
	return a.Policy.TrialCalls
}

// inRole is said of callers and their probes.
func inRole(role string) string {
	if role == "" {
		return "without a role"
	}
	return "of role " + role
}

func forRole(role string) string {
	if role == "" {
		return ""
	}
	return " for role " + role
}

// probeWords tells the policy's numbers about probes.
func (a *account) probeWords() string {
	p := a.Policy
	if p == nil || p.TrialCalls == 0 || p.SuccessThreshold == 0 {
		return ""
	}
	text := fmt.Sprintf(" %s of each role may be out at once (trial_calls%s).", count(p.TrialCalls, "permit"), a.trialCallsOfRoles())
	if !a.is(breaker.HalfOpen) || len(a.Roles) == 0 { // else progress told it, role by role
		text += fmt.Sprintf(" It takes %s to close it (success_threshold).", count(p.SuccessThreshold, "successful probe"))
	}
	failed := "A failed probe opens"
	if p.Witnesses > 1 {
		failed = fmt.Sprintf("Failed probes of %d nodes (witnesses; of one, if it is alone) open", p.Witnesses)
	}
	return fmt.Sprintf("%s %s it again; reset_timeout is %s.", text, failed, millis(p.ResetTimeoutMS))
}

// trialCallsOfRoles names the roles that have another number of permits.
func (a *account) trialCallsOfRoles() string {
	var text strings.Builder
	for _, v := range a.values {
		role, found := strings.CutPrefix(v.Field, "roles.")
		if role, ok := strings.CutSuffix(role, ".trial_calls"); found && ok {
			fmt.Fprintf(&text, "; of role %s %s", role, valueText(v.Value))
		}
	}
	return text.String()
}

// keeper says who keeps it and how safely.
func (a *account) keeper() string {
	var text []string
	if a.Owner != "" {
		text = append(text, fmt.Sprintf("Its owner is node %s.", a.Owner))
	}
	if !a.is(breaker.Closed) && !a.Local {
		if a.Durable {
			text = append(text, "Its state is on disk and survives a restart.")
		} else {
			text = append(text, "Its state is NOT on disk: a restart of its owner may forget it.")
		}
	}
	return strings.Join(text, " ")
}
