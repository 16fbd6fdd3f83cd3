package main

import (
	"bufio"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/simulation"
)

func (s *session) simReplayCommand() *cobra.Command {
	var name, policy, against string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Tell the story of one run, event by event",
		Long: `Run one world and tell what happened in it, each line with its second. The last
line is "hash: HEX", a sum of everything that happened: the same version, scenario,
policy and seed have the same one. Without --scenario it is a world that is drawn
from the seed: its fleet, hosts, policies, faults and operators. Where sim run had
compared two policies, --against names the other one: the world is the same only if
its quiet part is long enough for both. Exits 1 if a promise was broken.`,
		Example: `  fleetfuse-ctl sim replay --seed 7
  fleetfuse-ctl sim replay --scenario split-brain --seed 3`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.json() {
				return &usageError{what: "a story is told as text", try: "fleetfuse-ctl sim run SCENARIO -o json, which reports the run"}
			}
			plan := simulation.Random(seed)
			switch {
			case name != "":
				_, list, err := openTrials(name, policy, against)
				if err != nil {
					return s.refuse(cmd, err)
				}
				plan = list[0].plan
				plan.Seed = seed
			case policy != "":
				return s.needsScenario(cmd, "--policy", policy)
			case against != "":
				return s.needsScenario(cmd, "--against", against)
			}
			return s.replay(cmd.Context(), plan)
		},
	}
	seedFlag(cmd, &seed)
	cmd.Flags().StringVar(&name, "scenario", "", "the `scenario`: a file, or the name of one that comes with this program")
	cmd.Flags().StringVar(&policy, "policy", "", "configuration `file` whose policies replace those of the scenario")
	cmd.Flags().StringVar(&against, "against", "", "the other `file` that was compared: it only sizes the quiet part")
	return cmd
}

// needsScenario refuses policies for a world that has its own.
func (s *session) needsScenario(cmd *cobra.Command, flag, file string) error {
	return &usageError{what: flag + " needs --scenario: a world drawn from a seed draws its policies too", try: cmd.CommandPath() + " --scenario regional-outage " + flag + " " + shellWord(file)}
}

// replay runs a world and tells its story.
func (s *session) replay(ctx context.Context, plan simulation.Plan) error {
	w := simulation.New(plan)
	out := bufio.NewWriterSize(s.stdout, 64<<10)
	var failed error
	write := func(line string) {
		if _, err := out.WriteString(strings.TrimRight(printable(line), " ") + "\n"); err != nil && failed == nil {
			failed = &outputError{err} // the reader is gone: the run need not go on
		}
	}
	w.Tell(write)
	w.Record(func(float64) bool { return failed == nil && ctx.Err() == nil })
	w.Run()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case failed != nil:
		return failed
	}
	write("hash: " + w.Hash())
	if err := out.Flush(); err != nil {
		return &outputError{err}
	}
	if len(w.Violations()) > 0 {
		return errNo
	}
	return nil
}
