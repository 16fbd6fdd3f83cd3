package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/config"
	"fleetfuse/simulation"
)

func (s *session) simCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "sim",
		Short: "Try policies against simulated outages",
		Long: `Run a simulated fleet in virtual time: the code of the nodes is the real one, the
network, clocks, disks, hosts and workers are not. No node is asked. A scenario is
a YAML file (docs/simulation.md), or one of those that come with this program:

` + listedScenarios(),
		Example: `  fleetfuse-ctl sim run regional-outage
  fleetfuse-ctl sim run outage.yaml --policy fleetfuse.yaml
  fleetfuse-ctl sim replay --seed 7`,
	})
	cmd.AddCommand(s.simRunCommand(), s.simReplayCommand())
	return cmd
}

// listedScenarios lists the names, in lines that fit.
func listedScenarios() string {
	var b strings.Builder
	column := 0
	for _, name := range simulation.Names() {
		if column+len(name)+2 > 78 {
			b.WriteString("\n")
			column = 0
		}
		fmt.Fprintf(&b, "  %s", name)
		column += len(name) + 2
	}
	return b.String()
}

// openScenario reads a scenario by the name of a file, or its own. again is the
// command that asks for one, with the name of one.
func openScenario(name, again string) (simulation.Scenario, error) {
	isFile := strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
	if _, err := os.Stat(name); !isFile && err != nil {
		sc, err := simulation.Named(name)
		if err != nil {
			return sc, &usageError{what: err.Error(), try: again}
		}
		return sc, nil
	}
	sc, err := simulation.LoadScenario(name)
	if missing(name) {
		err = fmt.Errorf("%w; without a file of yours there are %s", err, strings.Join(simulation.Names(), ", "))
	}
	return sc, err
}

// missing reports whether there is no such file.
func missing(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, os.ErrNotExist)
}

// A trial is one policy that a scenario is run under.
type trial struct {
	label string
	plan  simulation.Plan
}

// ofTheScenario labels the policy that a scenario brings along.
const ofTheScenario = "of the scenario"

// openTrials opens a scenario and the policies that it is run under: a file's, or its
// own for "". Of both all problems are told at once. The worlds are equal: the quiet
// part is long enough for each policy; against may be "" for no second one. again is
// the command with a scenario that is there.
func openTrials(name, policy, against, again string) (simulation.Scenario, []trial, error) {
	sc, err := openScenario(name, again)
	problems := []error{err}
	files := []string{policy}
	if against != "" {
		files = append(files, against)
	}
	var labels []string
	var policies []*config.Breakers
	for _, file := range files {
		label, b := ofTheScenario, sc.Plan.Policies
		if file != "" {
			breakers, err := config.Policies(file)
			if missing(file) {
				err = fmt.Errorf("%w; want a configuration, as fleetfuse.example.yaml is one", err)
			}
			problems = append(problems, err)
			label, b = file, &breakers
		}
		labels, policies = append(labels, label), append(policies, b)
	}
	if err := errors.Join(problems...); err != nil {
		return sc, nil, err
	}
	plans, err := sc.Plan.Under(policies...)
	list := make([]trial, len(plans))
	for i := range plans {
		list[i] = trial{labels[i], plans[i]}
	}
	return sc, list, err
}

// refuse reports each thing that is wrong with a file, on a line of its own.
func (s *session) refuse(err error) error {
	var usage *usageError
	if errors.As(err, &usage) { // what is asked for is not there: the rest can wait
		return usage
	}
	for _, p := range apart(err) {
		s.say("fleetfuse-ctl: %s", p)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		s.say("Try: a file that is there; its name is relative to this directory, in a scenario to that of the scenario")
	default:
		s.say("Try: correct this; docs/simulation.md describes scenarios, docs/policy.md policies")
	}
	return failure(exitUsage)
}

// apart are the problems that errors join.
func apart(err error) (problems []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	for _, e := range joined.Unwrap() {
		problems = append(problems, apart(e)...)
	}
	return problems
}

// seedFlag is the seed; without it the scenario's, which is 1.
func seedFlag(cmd *cobra.Command, seed *uint64) {
	cmd.Flags().Uint64Var(seed, "seed", 1, "what is random in the world follows from this `number`")
}
