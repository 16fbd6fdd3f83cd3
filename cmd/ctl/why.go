package main

import (
	"strings"
	"time"

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
	Try        []string    `json:"try"`
}

func (s *session) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why HOST",
		Short: "Explain in plain words what a breaker does and why",
		Long: `Explain in plain words what a breaker does and why: since when, by which rule,
on what evidence, when the next probe is due, and what you can do. It also speaks
about a healthy host: what was seen, and how far it is from opening.`,
		Example: `  fleetfuse-ctl breaker why api.example.org`,
		Args:    oneHost, ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := s.breaker(cmd, args[0])
			if err != nil {
				return err
			}
			x := explain(b, s.env.now())
			if s.json() {
				return s.printJSON(x)
			}
			return s.print(s.explanationText(x))
		},
	}
}

func (s *session) explanationText(x explanation) string {
	var t strings.Builder
	t.WriteString(printable(x.Breaker.Key) + " is " + s.paint(printable(x.Breaker.State)) + "\n")
	for _, p := range x.Paragraphs {
		t.WriteString("\n" + wrap(printable(p), textWidth) + "\n")
	}
	t.WriteString("\nWhat you can do:\n")
	for _, command := range x.Try {
		t.WriteString("  " + printable(command) + "\n")
	}
	return t.String()
}

// An account tells about one breaker at one time. Each method is a paragraph,
// empty where there is nothing to tell.
type account struct {
	api.Breaker
	now time.Time
}

func explain(b api.Breaker, now time.Time) explanation {
	a := account{b, now}
	x := explanation{Breaker: b, Paragraphs: []string{}, Try: a.commands()}
	for _, p := range []string{
		a.effect(), a.gaps(), a.rings(), a.since(), a.rule(), a.evidence(), a.others(), a.progress(), a.seen(), a.outlook(), a.keeper(),
	} {
		if p != "" {
			x.Paragraphs = append(x.Paragraphs, p)
		}
	}
	return x
}

func (a *account) is(state breaker.State) bool { return a.State == state.String() }

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
