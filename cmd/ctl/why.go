package main

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// textWidth is a width every terminal has.
const textWidth = 78

// An explanation is what why answers, as JSON.
type explanation struct {
	Breaker    api.Breaker `json:"breaker"`
	Paragraphs []string    `json:"paragraphs"`
	// PolicyValues are those of the rule that fired, or could fire.
	PolicyValues []api.PolicyValue    `json:"policy_values"`
	Beliefs      *api.BeliefsResponse `json:"beliefs,omitempty"`
	Events       []api.Event          `json:"events"` // its last ones
	// Unanswered says what could not be found out.
	Unanswered []string `json:"unanswered,omitempty"`
	Try        []string `json:"try"`
}

func (s *session) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why HOST",
		Short: "Explain in plain words what a breaker does and why",
		Long: `Explain in plain words what a breaker does and why: since when, by which rule,
on which failures and who reported them, with which values of its policy and
where those were set, when the next probe is due and who holds permits, what
each node believes and how that differs from the owner, what happened to it
last, and what you can do. It also speaks about a healthy host: how far it is
from opening.

With -o json: breaker (as "breaker show" has it, with last_open.counted, the
failures that fired the rule), paragraphs, policy_values, beliefs, events,
unanswered, try.`,
		Example: `  fleetfuse-ctl breaker why api.example.org`,
		Args:    oneHost, ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := s.find(cmd, args[0])
			if err != nil {
				return err
			}
			x := explain(f, s.env.now())
			if s.json() {
				return s.printJSON(x)
			}
			if err := s.print(s.explanationText(f, x)); err != nil {
				return err
			}
			for _, text := range x.Unanswered {
				s.say("warning: %s", text)
			}
			return nil
		},
	}
}

func (s *session) explanationText(f findings, x explanation) string {
	a := account{f, s.env.now()}
	var t strings.Builder
	t.WriteString(printable(x.Breaker.Key) + " is " + s.paint(printable(x.Breaker.State)) + "\n")
	for _, p := range x.Paragraphs {
		t.WriteString("\n" + wrap(printable(p), textWidth) + "\n")
	}
	t.WriteString(entries("The failures that fired it, the latest last (UTC):", a.counted()))
	t.WriteString(entries("Policy values that matter, and where each was set:", valueLines(x.PolicyValues)))
	t.WriteString(entries("What each node believes:", a.believed()))
	t.WriteString(entries("What happened to it last (UTC):", a.happenings()))
	t.WriteString("\nWhat you can do:\n")
	for _, command := range x.Try {
		t.WriteString("  " + printable(command) + "\n")
	}
	return t.String()
}

// entries is a list under a title, nothing if it is empty. Two blanks in a line
// begin its second column, which what is too long goes on below.
func entries(title string, lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	var t strings.Builder
	t.WriteString("\n" + title + "\n")
	for _, l := range lines {
		l = printable(l)
		first, rest, _ := strings.Cut(l, "  ")
		rest = strings.TrimLeft(rest, " ")
		column := 2 + utf8.RuneCountInString(l) - utf8.RuneCountInString(rest)
		switch {
		case rest == "":
			t.WriteString("  " + indented(first, 4) + "\n")
		case column+longestWord(rest) > textWidth:
			t.WriteString("  " + first + "\n      " + indented(rest, 6) + "\n")
		default:
			t.WriteString("  " + first + strings.Repeat(" ", column-2-utf8.RuneCountInString(first)) + indented(rest, column) + "\n")
		}
	}
	return t.String()
}

func longestWord(text string) (longest int) {
	for word := range strings.FieldsSeq(text) {
		longest = max(longest, utf8.RuneCountInString(word))
	}
	return longest
}

// An account tells about one breaker at one time. Each method is a paragraph,
// empty where there is nothing to tell.
type account struct {
	findings
	now time.Time
}

func explain(f findings, now time.Time) explanation {
	a := account{f, now}
	x := explanation{
		Breaker: f.Breaker, Paragraphs: []string{}, PolicyValues: a.involved(), Beliefs: f.beliefs, Events: f.events,
		Unanswered: f.unanswered, Try: a.commands(),
	}
	for _, p := range []string{
		a.effect(), a.gaps(), a.rings(), a.since(), a.rule(), a.evidence(), a.others(), a.progress(), a.unheard(), a.outlook(), a.keeper(),
	} {
		if p != "" {
			x.Paragraphs = append(x.Paragraphs, p)
		}
	}
	return x
}

func (a *account) is(state breaker.State) bool { return a.State == state.String() }

// opened is the transition that opened it, nil if that is not known or over, or
// if only rings are open.
func (a *account) opened() *api.Transition {
	switch {
	case a.is(breaker.Closed) || a.Local:
		return nil
	case a.LastOpen != nil:
		return a.LastOpen
	case a.Last != nil && a.Last.To == breaker.Open.String(): // a node that does not tell LastOpen
		return a.Last
	}
	return nil
}

// until is when an open breaker's time runs out.
func (a *account) until() time.Time {
	if a.Until != nil {
		return *a.Until
	}
	return a.now.Add(time.Duration(a.RemainingMS) * time.Millisecond)
}

// commands are what an operator may want to do next.
func (a *account) commands() []string {
	key := breaker.Key(a.Key)
	host := hostArg(key)
	if toothless(a.Breaker) { // to open or close it would change nothing for callers
		return []string{
			"fleetfuse-ctl policy show " + host + "  # where its mode was set, and until when",
			"fleetfuse-ctl policy replace " + host + " --set mode=enforce --reason TEXT  # let it reject",
		}
	}
	open := "fleetfuse-ctl breaker open " + host + " --for 10m --reason TEXT"
	if a.is(breaker.Closed) {
		return []string{open + "  # stop all calls to it"}
	}
	now := "  # let calls through now"
	if a.Reason == string(breaker.ReasonRetryAfter) {
		now += ", against the host's word"
	}
	return []string{
		"fleetfuse-ctl breaker close " + host + " --reason TEXT" + now,
		open + "  # keep it open for longer",
	}
}
