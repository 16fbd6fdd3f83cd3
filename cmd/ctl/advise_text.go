package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// printPlan says what would be changed: a row for each change, then about each
// breaker why.
func (s *session) printPlan(plan api.AdviceResponse, a advising) error {
	if err := s.print(planHead(plan) + "\n"); err != nil {
		return err
	}
	shown := shownOf(plan.Breakers, a)
	if err := s.changeTable(shown); err != nil {
		return err
	}
	var t strings.Builder
	for _, b := range shown {
		t.WriteString("\n" + adviceText(b))
	}
	t.WriteString(entries("Made before, and watched:", s.trialLines(plan.Trials)))
	t.WriteString(entries("Nothing can be enforced at the moment:", plan.Blocked))
	if hasWork(plan) && !a.enforce && len(plan.Blocked) == 0 {
		t.WriteString("\nTo do exactly this, within ten minutes:\n  " + printable("fleetfuse-ctl breaker advise --enforce --plan "+shellWord(plan.ID)) + "\n")
	}
	if err := s.print(t.String()); err != nil {
		return err
	}
	if n := len(plan.Breakers) - len(shown); n > 0 {
		s.say("%s more: --all", count(n, "breaker"))
	}
	if plan.More > 0 {
		s.say("%s more are not in the plan: ask about them by name, or enforce this one first", count(plan.More, "breaker"))
	}
	return nil
}

// shownOf are the breakers that are shown: the first ones, all that are asked for, and
// all that are about to be changed.
func shownOf(breakers []api.BreakerAdvice, a advising) (shown []api.BreakerAdvice) {
	for i, b := range breakers {
		if a.all || i < summaryRows || a.enforce && len(b.Changes) > 0 {
			shown = append(shown, b)
		}
	}
	return shown
}

// planHead says which plan this is, and what it rests on.
func planHead(plan api.AdviceResponse) string {
	what, n := count(plan.Looked, "breaker"), plan.More
	for _, b := range plan.Breakers { // one that was asked for is there also if there is nothing to say
		if len(b.Changes) > 0 || len(b.Notes) > 0 {
			n++
		}
	}
	if n > 0 {
		what += fmt.Sprintf(", and something to say about %d", n)
	} else {
		what += ", and nothing to change"
	}
	name := "Advice"
	if plan.ID != "" {
		name = "Plan " + plan.ID
	}
	return wrap(printable(fmt.Sprintf("%s, made at %s by the tuner on %s, which may %s. It looked at the last %s of %s: %s.",
		name, moment(plan.MadeAt), plan.Tuner, mayDo(plan.Mode), millis(plan.WindowMS), count(len(plan.Nodes), "node"), what)), textWidth)
}

// mayDo says what a mode means.
func mayDo(mode string) string {
	switch mode {
	case api.TunerObserve:
		return "only observe"
	case api.TunerSuggest:
		return "suggest"
	case api.TunerEnforce:
		return "enforce by itself"
	}
	return mode
}

func (s *session) changeTable(breakers []api.BreakerAdvice) error {
	var rows [][]string
	for _, b := range breakers {
		for _, c := range b.Changes {
			rows = append(rows, []string{
				hostArg(breaker.Key(b.Key)), c.Field, valueText(c.From) + " -> " + valueText(c.To), c.Rule, sure(c.Confidence), orDash(c.Verdict),
			})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := s.print("\n"); err != nil {
		return err
	}
	return s.table([]string{"BREAKER", "FIELD", "NOW -> PROPOSED", "RULE", "SURE", "VERDICT"}, rows)
}

// adviceText says about one breaker what was seen, why it should change, and
// what the replay says.
func adviceText(b api.BreakerAdvice) string {
	var lines []string
	for _, c := range b.Changes {
		text := c.Why
		if c.Reason != "" {
			text += fmt.Sprintf(" (%s: %s)", orDash(c.Verdict), c.Reason)
		}
		lines = append(lines, c.Field+"  "+text)
	}
	if b.Proof != nil {
		lines = append(lines, "proof  "+proofLine(*b.Proof))
	}
	for _, note := range b.Notes {
		lines = append(lines, "note  "+note)
	}
	title := wrap(printable(b.Key+": "+seenLine(b.Seen)), textWidth)
	if len(lines) == 0 {
		return title + "\n"
	}
	return strings.TrimPrefix(entries(title, lines), "\n")
}

// seenLine is what was seen, in a line.
func seenLine(m api.AdviceMetrics) string {
	text := count(int(m.NetCalls), "call")
	if failed := m.Limited + m.Server + m.Timeouts + m.Other; m.NetCalls > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	text += fmt.Sprintf(", %d not sent, %s", m.Rejected, trips(m.Opens))
	if n := m.ProbesOK + m.ProbesFailed; n > 0 {
		text += fmt.Sprintf(", %d of %d probes succeeded", m.ProbesOK, n)
	}
	if m.RetryAfterMS > 0 {
		text += ", asked for a wait of " + millis(m.RetryAfterMS) + " in the median"
	}
	if m.Changed {
		text += fmt.Sprintf("; it changed: only the last %s count", millis(m.WindowMS))
	}
	return text
}

// proofLine is the replay in a line: under each assumption, what it says before
// and after.
func proofLine(p api.AdviceProof) string {
	text := p.Rule + " is not accepted"
	if p.Accepted {
		text = p.Rule + " is accepted"
	}
	if p.Why != "" {
		text += ": " + p.Why
	}
	for i, r := range p.Runs {
		sep := "; "
		if i == 0 {
			sep = ". Calls wrongly rejected, and cost: "
		}
		text += sep + fmt.Sprintf("%s %s -> %s, %s -> %s s", r.Assumed,
			number(r.Old.RejectedWrongly), number(r.New.RejectedWrongly), number(r.Old.Cost), number(r.New.Cost))
	}
	return text
}

// trialLines tell of changes that are watched.
func (s *session) trialLines(trials []api.Trial) []string {
	lines := make([]string, len(trials))
	for i, t := range trials {
		text := strings.Join(changeWordsOf(t.Changes), ", ")
		text += fmt.Sprintf(", %s (plan %s): %s", ago(t.Since, s.env.now()), t.Plan, t.State)
		if n := len(t.Waiting); n > 0 {
			text += fmt.Sprintf(" (%s %s)", count(n, "breaker"), verb(n, "waits", "wait"))
		}
		lines[i] = list(hostArgs(t.Keys)) + "  " + text
	}
	return lines
}

// changeWordsOf are changes as "reset_timeout 1m0s -> 2m30s".
func changeWordsOf(changes []api.SuggestedChange) []string {
	words := make([]string, len(changes))
	for i, c := range changes {
		words[i] = c.Field + " " + valueText(c.From) + " -> " + valueText(c.To)
	}
	return words
}

// warnAdvice says what a plan lacks.
func (s *session) warnAdvice(plan api.AdviceResponse) {
	if n := len(plan.Missing); n > 0 {
		s.say("warning: %s did not answer; what %s callers saw is missing", list(plan.Missing), verb(n, "its", "their"))
	}
	for _, note := range plan.Notes {
		s.say("warning: %s", printable(note))
	}
}

// trips writes "never tripped", "tripped once", "tripped 4 times". What the host or an
// operator asked for opens a breaker too and is no trip: no policy would change it.
func trips(n int) string {
	switch n {
	case 0:
		return "never tripped"
	case 1:
		return "tripped once"
	}
	return fmt.Sprintf("tripped %d times", n)
}

// sure writes a probability. It does not round up to certainty.
func sure(p float64) string {
	return fmt.Sprintf("%.1f %%", math.Floor(min(max(p, 0), 1)*1000)/10)
}

// number writes a count that may be an estimate.
func number(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e9 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	if math.Abs(x) < 1e9 {
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
