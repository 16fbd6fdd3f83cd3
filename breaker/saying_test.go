package breaker_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// carryOut says what a step asked for.
func (s *stage) carryOut(e breaker.Effects) {
	s.wakeAt[s.owner] = e.WakeAt
	if e.Announce != nil {
		for _, t := range e.Announce.Transitions {
			s.sayTransition(t)
		}
		if len(e.Announce.Transitions) == 0 {
			s.say("announced anew")
		}
	}
	if e.Announce == nil && e.Persist != nil {
		s.say("%s forgotten", s.clock(s.now))
	}
	if q := e.AskWitnesses; q != nil {
		s.round = q
		verb := "asks"
		if q.Heal {
			verb = "heals: asks"
		}
		s.say(verb+" the members what succeeded between %v and %v ago", s.now.Sub(q.From), s.now.Sub(q.To))
	}
}

// clock is the time since the transcript began.
func (s *stage) clock(at breaker.Instant) string { return "+" + at.Sub(origin).String() }

func (s *stage) sayTransition(t breaker.Transition) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s -> %s", s.clock(t.At), t.From, t.To)
	if t.Reason != "" {
		fmt.Fprintf(&b, ", %s", t.Reason)
	}
	if t.Failures > 0 {
		fmt.Fprintf(&b, ", %d from %s", t.Failures, strings.Join(t.Nodes, " "))
	}
	if t.Role != "" {
		fmt.Fprintf(&b, ", role %s", t.Role)
	}
	if t.Author != "" {
		fmt.Fprintf(&b, ", by %s", t.Author)
	}
	if t.Detail != "" {
		fmt.Fprintf(&b, ", %q", t.Detail)
	}
	s.say("%s", b.String())
}

// sayState says what the breaker is now, as a person would be shown it.
func (s *stage) sayState() {
	in := s.machine().Inspect(s.now)
	var b strings.Builder
	b.WriteString(in.Status.State.String())
	switch in.Status.State {
	case breaker.Open:
		fmt.Fprintf(&b, " for %v (%s)", in.Status.Until.Sub(s.now), in.Status.Reason)
	case breaker.HalfOpen:
		fmt.Fprintf(&b, " (%s)", in.Status.Reason)
	}
	for _, r := range in.Runs {
		role := ""
		if r.Role != "" {
			role = r.Role + " "
		}
		if r.Failures > 0 {
			fmt.Fprintf(&b, ", %srun %d from %s", role, r.Failures, strings.Join(r.Nodes, " "))
		}
		if r.ProbeSuccesses > 0 {
			fmt.Fprintf(&b, ", %sprobes succeeded %d", role, r.ProbeSuccesses)
		}
	}
	if in.Burst > 0 {
		fmt.Fprintf(&b, ", burst %d", in.Burst)
	}
	if in.Calls > 0 {
		fmt.Fprintf(&b, ", %d of %d calls failed", in.Failures, in.Calls)
	}
	if n := len(in.Permits); n > 0 {
		fmt.Fprintf(&b, ", permits out %d", n)
	}
	s.say("%s", b.String())
}

// setPolicy plays policy lines; a second one replaces the policy.
func (s *stage) setPolicy(words []string) error {
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return fmt.Errorf("want name=value, not %q", w)
		}
		if err := s.setField(key, value); err != nil {
			return err
		}
	}
	if err := s.policy.Validate(); err != nil {
		return err
	}
	for _, name := range []string{"A", "B"} {
		if m := s.machines[name]; m != nil {
			p := s.policy
			s.carryOut(m.Replace(s.moment(), &p))
			s.sayState()
		}
	}
	return nil
}

func (s *stage) setField(key, value string) error {
	p := &s.policy
	if name, ok := strings.CutPrefix(key, "role."); ok {
		return s.setRole(name, value)
	}
	part := append(strings.Split(value, "/"), "", "", "")
	switch key {
	case "fail_max":
		return number(&p.FailMax, value)
	case "reset":
		return span(&p.ResetTimeout, value)
	case "backoff": // multiplier/max
		m, err := strconv.ParseFloat(part[0], 64)
		p.Backoff.Multiplier = m
		return first(err, span(&p.Backoff.Max, part[1]))
	case "success_threshold":
		return number(&p.SuccessThreshold, value)
	case "trial_calls":
		return number(&p.TrialCalls, value)
	case "permit_timeout":
		return span(&p.PermitTimeout, value)
	case "jitter":
		return span(&p.HalfOpenJitter, value)
	case "rolling": // failures/window/cooldown
		p.Rolling.Enabled = true
		return first(number(&p.Rolling.ThresholdFailures, part[0]), span(&p.Rolling.Window, part[1]), span(&p.Rolling.Cooldown, part[2]))
	case "rate": // ratio/window/min_calls
		p.FailureRate.Enabled = true
		ratio, err := strconv.ParseFloat(part[0], 64)
		p.FailureRate.Ratio = ratio
		return first(err, span(&p.FailureRate.Window, part[1]), number(&p.FailureRate.MinCalls, part[2]))
	case "slow":
		p.SlowCall.Enabled = true
		return span(&p.SlowCall.Duration, value)
	case "witnesses":
		return number(&p.Witnesses, value)
	case "mode":
		p.Mode = breaker.Mode(value)
		return nil
	case "failure_statuses":
		return numbers(&p.Classify.FailureStatuses, value)
	}
	return fmt.Errorf("no policy field %q", key)
}

// setRole plays role.artifact=8/120s/2: fail_max/reset/success_threshold.
func (s *stage) setRole(name, value string) error {
	part := append(strings.Split(value, "/"), "", "")
	r := breaker.RolePolicy{}
	err := number(&r.FailMax, part[0])
	if part[1] != "" {
		err = first(err, span(&r.ResetTimeout, part[1]))
	}
	if part[2] != "" {
		err = first(err, number(&r.SuccessThreshold, part[2]))
	}
	roles := map[string]breaker.RolePolicy{name: r}
	for k, v := range s.policy.Roles {
		if k != name {
			roles[k] = v
		}
	}
	s.policy.Roles = roles
	return err
}

func number(n *int, text string) (err error) {
	*n, err = strconv.Atoi(text)
	return err
}

func numbers(list *[]int, text string) error {
	*list = nil
	for _, w := range strings.Split(text, ",") {
		var n int
		if err := number(&n, w); err != nil {
			return err
		}
		*list = append(*list, n)
	}
	return nil
}

func span(d *time.Duration, text string) (err error) {
	*d, err = time.ParseDuration(text)
	return err
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
