package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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
		Args: replayArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan := simulation.Random(seed)
			switch {
			case name != "":
				_, list, err := openTrials(name, policy, against, cmd.CommandPath()+" --scenario regional-outage")
				if err != nil {
					return s.refuse(err)
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
	cmd.Flags().VarP(told{}, "output", "o", "a story is text")
	return cmd
}

// replayArgs says where the scenario goes, which sim run takes without a flag.
func replayArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return &usageError{what: fmt.Sprintf("replay wants its scenario after --scenario, not %q alone", args[0]), try: cmd.CommandPath() + " --scenario " + shellWord(args[0])}
	}
	return noArgs(cmd, args)
}

// told is the one way in which a story is written. "table" is the word of the other
// commands for it.
type told struct{}

func (told) String() string { return "text" }
func (told) Type() string   { return "text" }

func (told) Set(s string) error {
	if s != "text" && s != "table" {
		return errors.New("a story is text; fleetfuse-ctl sim run SCENARIO -o json reports the run")
	}
	return nil
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
