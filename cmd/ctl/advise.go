package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
)

// An advising holds the flags of advise.
type advising struct {
	window  time.Duration
	seconds float64 // the same in another unit
	enforce bool
	plan    string
	explain string
	all     bool
}

func (s *session) adviseCommand() *cobra.Command {
	return s.advise(&cobra.Command{
		Use:   "advise [HOST] [--window 600s] [--enforce [--plan ID]] | advise --explain HOST",
		Short: "Say what the tuner would change of policies and why, and do it",
		Long: `Say what the tuner would change of the policies, of all breakers or of HOST: a
plan. It looks at what callers of the whole fleet saw in the window; each change
has a rule, the probability that the rule's premise is true, and a proof, which
is that window replayed under both policies. A breaker tripped if it opened for
failures that were counted; a Retry-After and an operator open it without that.
The counts are up to a second old. Verdicts:

  now      is made when the plan is enforced
  later    is made if the same change does well at the hosts where it is tried
           first
  refused  is not made; the plan says why

--enforce prints the plan and then does exactly what it says; with --plan it
does what an earlier one said, for ten minutes. It exits 6 with every reason if
nothing may be enforced now, 1 if a change was not made, 5 if the plan is not
known any more. What was changed stays until "policy reset HOST".

--explain HOST shows the evidence in full, and what the tuner did to it before.

"fleetfuse-ctl breaker-advise --window-s 600" is the same command.`,
		Example: `  fleetfuse-ctl breaker advise
  fleetfuse-ctl breaker advise api.example.org --window 30m
  fleetfuse-ctl breaker advise --explain api.example.org
  fleetfuse-ctl breaker advise --enforce`,
		SuggestFor: []string{"tune", "suggest"},
	})
}

// breakerAdviseCommand is advise under the name that scripts know.
func (s *session) breakerAdviseCommand() *cobra.Command {
	return s.advise(&cobra.Command{
		Use:     "breaker-advise [HOST] [--window-s 600] [--enforce]",
		Short:   "The same as breaker advise",
		Long:    `The same as "fleetfuse-ctl breaker advise", whose help says what it does.`,
		Example: `  fleetfuse-ctl breaker-advise --window-s 600`,
		Hidden:  true,
	})
}

// advise gives a command its flags and its work.
func (s *session) advise(cmd *cobra.Command) *cobra.Command {
	var a advising
	cmd.Args = func(cmd *cobra.Command, args []string) error { return a.check(cmd, args) }
	cmd.ValidArgsFunction = s.completeHosts
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if a.explain != "" {
			return s.explainAdvice(cmd, a.explain)
		}
		if a.plan != "" {
			return s.enforcePlan(cmd, nil, a.plan)
		}
		return s.askAdvice(cmd, args, a)
	}
	cmd.Flags().DurationVar(&a.window, "window", 0, "how far back to look: 1m to 1h (default as configured)")
	cmd.Flags().Float64Var(&a.seconds, "window-s", 0, "the same as a `number` of seconds")
	cmd.Flags().BoolVar(&a.enforce, "enforce", false, "do what the plan says")
	cmd.Flags().StringVar(&a.plan, "plan", "", "with --enforce: what this earlier plan says, by its `ID`")
	cmd.Flags().StringVar(&a.explain, "explain", "", "the evidence about this `HOST` in full")
	cmd.Flags().BoolVar(&a.all, "all", false, "every breaker, not only the first 40 (and with --enforce those with a verdict)")
	_ = cmd.RegisterFlagCompletionFunc("explain", s.completeHosts) // fails only for a flag that is not there
	return cmd
}

// check finds flags that make no sense together, before anybody is asked.
func (a *advising) check(cmd *cobra.Command, args []string) error {
	given := cmd.Flags().Changed
	windowed := given("window") || given("window-s")
	wrong := func(what, try string) error { return &usageError{what: what, try: cmd.CommandPath() + try} }
	if given("window-s") && a.seconds >= 0 && a.seconds <= 2*tuner.MostWindow.Seconds() { // else a.window stays zero, which is refused
		a.window = time.Duration(a.seconds * float64(time.Second))
	}
	switch {
	case given("window") && given("window-s"):
		return wrong("--window and --window-s say the same thing; give one of them", " --window 600s")
	case windowed && (a.window < tuner.LeastWindow || a.window > tuner.MostWindow):
		return wrong(fmt.Sprintf("the window must be from %s to %s", span(tuner.LeastWindow), span(tuner.MostWindow)), " --window 600s")
	case given("explain") && (a.enforce || windowed || given("plan") || len(args) > 0):
		return wrong("--explain HOST stands alone: it says what is advised in the configured window, and what was done", " --explain api.example.org")
	case given("explain") && a.explain == "":
		return wrong("--explain needs a HOST", " --explain api.example.org")
	case given("plan") && (!a.enforce || a.plan == ""):
		return wrong("--plan ID is for --enforce", " --enforce --plan ID")
	case given("plan") && (windowed || len(args) > 0):
		return wrong("a plan that was made has its window and its hosts already", " --enforce --plan "+shellWord(a.plan))
	case len(args) > 1:
		return oneHost(cmd, args)
	}
	return nil
}

// askAdvice asks for a plan, says it, and enforces it if that is wanted.
func (s *session) askAdvice(cmd *cobra.Command, args []string, a advising) error {
	keys, err := parseKeys(cmd, args)
	if err != nil {
		return err
	}
	key := breaker.Key("")
	if len(keys) > 0 {
		key = keys[0]
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	plan, err := client.Advise(cmd.Context(), key, a.window)
	if err != nil {
		return err
	}
	switch {
	case !s.json():
		if err := s.printPlan(plan, a); err != nil {
			return err
		}
	case !a.enforce:
		if err := s.printJSON(plan); err != nil {
			return err
		}
	}
	s.warnAdvice(plan)
	if !a.enforce {
		return nil
	}
	return s.enforcePlan(cmd, &plan, plan.ID)
}
