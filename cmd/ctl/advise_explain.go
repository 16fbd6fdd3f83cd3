package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/api"
)

// explainAdvice shows the evidence about a breaker in full, and what was done.
func (s *session) explainAdvice(cmd *cobra.Command, host string) error {
	client, key, err := s.target(cmd, host)
	if err != nil {
		return err
	}
	r, err := client.Explain(cmd.Context(), key)
	if err != nil {
		return err
	}
	if s.json() {
		err = s.printJSON(r)
	} else {
		err = s.printExplained(r)
	}
	if err != nil {
		return err
	}
	s.warnAdvice(r.Advice)
	if n := len(r.Partial); n > 0 {
		s.say("warning: %s did not answer; records that only %s %s are missing", list(r.Partial), verb(n, "it", "they"), verb(n, "has", "have"))
	}
	return nil
}

func (s *session) printExplained(r api.ExplainResponse) error {
	head := planHead(r.Advice)
	if r.Advice.MadeAt.IsZero() {
		head = "There is no advice about it."
	}
	if err := s.print(printable(r.Key) + "\n\n" + head + "\n"); err != nil {
		return err
	}
	for _, b := range r.Advice.Breakers {
		if err := s.print(evidenceText(b)); err != nil {
			return err
		}
		if b.Proof != nil {
			if err := s.printProof(*b.Proof); err != nil {
				return err
			}
		}
	}
	var t strings.Builder
	t.WriteString(entries("Made before, and watched:", s.trialLines(r.Advice.Trials)))
	t.WriteString(entries("Nothing can be enforced at the moment:", r.Advice.Blocked))
	if len(r.Records) == 0 {
		t.WriteString("\nThe tuner did nothing to it so far.\n")
	} else {
		t.WriteString("\nWhat was done to it, the latest first:\n")
	}
	for _, record := range r.Records {
		t.WriteString(s.recordText(record))
	}
	return s.print(t.String())
}

// evidenceText is all that was seen of a breaker, and each change with its
// numbers.
func evidenceText(b api.BreakerAdvice) string {
	var t strings.Builder
	t.WriteString(entries("Seen in the last "+millis(b.Seen.WindowMS)+":", seenLines(b.Seen)))
	if len(b.Changes) == 0 {
		t.WriteString("\nNothing is to be changed.\n")
	}
	for _, c := range b.Changes {
		t.WriteString(entries(changeTitle(c), evidenceLines(c)))
	}
	t.WriteString(entries("Notes:", b.Notes))
	return t.String()
}

func seenLines(m api.AdviceMetrics) []string {
	lines := []string{
		fmt.Sprintf("calls  %d, and %d answered from a cache", m.NetCalls, m.Calls-min(m.Calls, m.NetCalls)),
		fmt.Sprintf("failures  %d answered 429, %d answered 5xx (%d of them 503), %s, %d other",
			m.Limited, m.Server, m.Unavailable, count(int(m.Timeouts), "timeout"), m.Other),
		fmt.Sprintf("longest run  %s in a row on one node", count(int(m.LongestRun), "failure")),
		fmt.Sprintf("not sent  %s", count(int(m.Rejected), "call")),
		"breaker  " + trips(m.Opens),
		fmt.Sprintf("probes  %d succeeded, %d failed", m.ProbesOK, m.ProbesFailed),
	}
	if m.RetryAfterMS > 0 {
		lines = append(lines, "Retry-After  "+millis(m.RetryAfterMS)+" in the median")
	}
	if m.Changed {
		lines = append(lines, "changed  the host changed within the window: only what came after is counted")
	}
	return lines
}

// changeTitle is a change as a title.
func changeTitle(c api.SuggestedChange) string {
	return printable(fmt.Sprintf("%s %s -> %s, by the rule %s:", c.Field, valueText(c.From), valueText(c.To), orDash(c.Rule)))
}

func evidenceLines(c api.SuggestedChange) []string {
	lines := []string{"why  " + orDash(c.Why), "sure  " + sure(c.Confidence) + ", the probability that the rule's premise is true"}
	verdict := orDash(c.Verdict)
	if c.Reason != "" {
		verdict += ": " + c.Reason
	}
	lines = append(lines, "verdict  "+verdict)
	for _, e := range c.Evidence {
		lines = append(lines, e.Name+"  "+strings.TrimSpace(figure(e.Value)+" "+e.Unit))
	}
	return lines
}

// printProof writes the replays as a table, one under each assumption.
func (s *session) printProof(p api.AdviceProof) error {
	verdict := p.Rule + " is not accepted"
	if p.Accepted {
		verdict = p.Rule + " is accepted"
	}
	if p.Why != "" {
		verdict += ": " + p.Why
	}
	head := "\n" + wrap(printable("The window again, under the policy in force -> under the proposed one, by what is assumed of the calls that were blocked; "+verdict+"."), textWidth) + "\n"
	if err := s.print(head); err != nil || len(p.Runs) == 0 {
		return err
	}
	header := []string{"CALLS"}
	for _, r := range p.Runs {
		header = append(header, strings.ToUpper(r.Assumed))
	}
	var rows [][]string
	add := func(name string, cell func(api.AdviceReplay) string) {
		row := []string{name}
		for _, r := range p.Runs {
			row = append(row, cell(r))
		}
		rows = append(rows, row)
	}
	for _, line := range replayed {
		add(line.name, func(r api.AdviceReplay) string { return number(line.of(r.Old)) + " -> " + number(line.of(r.New)) })
	}
	add("gain, s", func(r api.AdviceReplay) string { return number(r.Gain) })
	add("  95 % interval", func(r api.AdviceReplay) string { return number(r.LeastGain) + " to " + number(r.MostGain) })
	return s.table(header, rows)
}

// replayed are the rows of a replay.
var replayed = []struct {
	name string
	of   func(api.ReplayCount) float64
}{
	{"let through", func(c api.ReplayCount) float64 { return c.LetThrough }},
	{"  of them failed", func(c api.ReplayCount) float64 { return c.FailuresPassed }},
	{"rejected wrongly", func(c api.ReplayCount) float64 { return c.RejectedWrongly }},
	{"rejected rightly", func(c api.ReplayCount) float64 { return c.RejectedRightly }},
	{"probes", func(c api.ReplayCount) float64 { return c.Probes }},
	{"  of them failed", func(c api.ReplayCount) float64 { return c.ProbesFailed }},
	{"times opened", func(c api.ReplayCount) float64 { return c.Opens }},
	{"cost, s", func(c api.ReplayCount) float64 { return c.Cost }},
}

// recordText is one thing the tuner did: when, what, by whom and why.
func (s *session) recordText(r api.AdviceRecord) string {
	head := fmt.Sprintf("%s (%s): %s", moment(r.At), ago(r.At, s.env.now()), orDash(r.Kind))
	if r.Author != "" {
		head += ", by " + r.Author
	}
	if r.Plan != "" {
		head += ", plan " + r.Plan
	}
	var lines []string
	for _, words := range changeWordsOf(r.Changes) {
		lines = append(lines, "changed  "+words)
	}
	if r.Why != "" {
		lines = append(lines, "why  "+r.Why)
	}
	if r.Proof != nil {
		lines = append(lines, "proof  "+proofLine(*r.Proof))
	}
	if r.Again != "" {
		lines = append(lines, "run again  "+r.Again)
	}
	if len(lines) == 0 {
		return "\n" + printable(head) + "\n"
	}
	return entries(printable(head), lines)
}

// figure writes a number of the evidence, which may be a small share.
func figure(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }
