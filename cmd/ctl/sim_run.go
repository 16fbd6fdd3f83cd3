package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/simulation"
)

// maxSeeds bounds a campaign.
const maxSeeds = 100_000

// simRun is what one "sim run" is about.
type simRun struct {
	name            string // of the scenario, as it was given
	scenario        simulation.Scenario
	trials          []trial
	policy, against string
	seed            uint64
	seeds           int
	output          choice
}

func (s *session) simRunCommand() *cobra.Command {
	r := &simRun{output: choice{"text", []string{"text", "json", "html"}, map[string]string{"table": "text"}}}
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario and say what a policy came to in it",
		Long: `Run a scenario and say which calls were not sent while a host was down, which
were wrongly rejected, how many reached a host that was down, and how long it
took until calls were allowed again. With --policy the policies of a configuration
file replace those of the scenario; with --against there are two columns.
Exits 1 if a promise of fleetfuse was broken: that is a defect, and the seed shows
it again (sim replay).`,
		Example: `  fleetfuse-ctl sim run brown-out
  fleetfuse-ctl sim run brown-out --policy now.yaml --against next.yaml -o html > report.html
  fleetfuse-ctl sim run outage.yaml --seeds 50`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{what: "one scenario is wanted: a file, or one of " + strings.Join(simulation.Names(), ", "), try: cmd.CommandPath() + " regional-outage"}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return simulation.Names(), cobra.ShellCompDirectiveDefault // files too
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.simRun(cmd, r, args[0]) },
	}
	seedFlag(cmd, &r.seed)
	cmd.Flags().IntVar(&r.seeds, "seeds", 1, "run this `number` of seeds, each with the next seed, and say median, least and most")
	cmd.Flags().StringVar(&r.policy, "policy", "", "configuration `file` whose policies replace those of the scenario")
	cmd.Flags().StringVar(&r.against, "against", "", "another `file`, to compare with")
	cmd.Flags().VarP(&r.output, "output", "o", "how the report is written: text, json or html")
	return cmd
}

func (s *session) simRun(cmd *cobra.Command, r *simRun, name string) error {
	switch {
	case r.seeds < 1 || r.seeds > maxSeeds:
		return &usageError{what: fmt.Sprintf("--seeds is %d; want 1 to %d", r.seeds, maxSeeds), try: cmd.CommandPath() + " --help"}
	case r.seeds > 1 && r.output.value == "html":
		return &usageError{what: "a page shows one run, not a campaign of several seeds", try: "-o text or -o json with --seeds, or -o html without"}
	}
	var err error
	r.name = name
	if r.scenario, r.trials, err = openTrials(name, r.policy, r.against, cmd.CommandPath()+" regional-outage"); err != nil {
		return s.refuse(err)
	}
	p := s.newProgress(cmd.Context(), r.seeds*len(r.trials))
	defer p.clear()
	if r.seeds > 1 {
		return s.campaign(r, p)
	}
	var reports []simulation.Report
	for _, t := range r.trials {
		report, err := r.run(t, r.seed, p)
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	p.clear()
	return s.printReports(r, reports)
}

// run runs one world.
func (r *simRun) run(t trial, seed uint64, p *progress) (simulation.Report, error) {
	t.plan.Seed = seed
	w := simulation.New(t.plan)
	recorder := w.Record(p.step)
	w.Run()
	p.done++
	if err := context.Cause(p.ctx); err != nil {
		return simulation.Report{}, err
	}
	return recorder.Report(r.scenario, t.label), nil
}

func (s *session) printReports(r *simRun, reports []simulation.Report) error {
	var err error
	switch r.output.value {
	case "json":
		err = s.printJSON(map[string]any{"runs": reports})
	case "html":
		if err = simulation.WriteHTML(s.stdout, reports); err != nil {
			err = &outputError{err}
		}
	default:
		err = s.print(printableLines(simulation.Text(reports)))
	}
	for i := range reports {
		if err == nil && len(reports[i].Violations) > 0 {
			s.tellReplay(r, reports[i].Policy, reports[i].Seed)
			return errNo
		}
	}
	return err
}

// campaign runs the scenario with one seed after the other.
func (s *session) campaign(r *simRun, p *progress) error {
	var c simulation.Campaign
	for k := range r.seeds {
		for i, t := range r.trials {
			report, err := r.run(t, r.seed+uint64(k), p)
			if err != nil {
				return err
			}
			c.Add(i, &report)
		}
	}
	p.clear()
	c.Sum()
	var err error
	if r.output.value == "json" {
		err = s.printJSON(c)
	} else {
		err = s.print(printableLines(c.String()))
	}
	for _, p := range c.Policies {
		if err == nil && p.Broken > 0 {
			s.tellReplay(r, p.Policy, p.Violations[0].Seed)
			return errNo
		}
	}
	return err
}

// tellReplay says how to see a broken promise again. The other policy that was
// compared belongs to it: it may have made the world longer.
func (s *session) tellReplay(r *simRun, policy string, seed uint64) {
	again := fmt.Sprintf("fleetfuse-ctl sim replay --scenario %s --seed %d", shellWord(r.name), seed)
	other := r.against
	if policy != ofTheScenario {
		again += " --policy " + shellWord(policy)
		if policy == r.against {
			other = r.policy
		}
	}
	if other != "" {
		again += " --against " + shellWord(other)
	}
	s.say("A promise of fleetfuse was broken. Try: %s", again)
}

// printableLines is printable for text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
