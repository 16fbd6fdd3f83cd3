package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fleetfuse/client/admin"
)

// An environment is what ctl takes from the machine it runs on.
type environment struct {
	getenv     func(string) string
	hostname   func() (string, error)
	now        func() time.Time
	openScreen openScreen
}

// A session is one invocation of ctl: its streams, its environment and the
// flags every command has.
type session struct {
	stdout io.Writer
	stderr io.Writer
	env    environment

	addr   string
	files  admin.TLSFiles
	output choice
	color  choice

	secure bool // the node is asked over TLS
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env environment) int {
	s := &session{
		stdout: stdout,
		stderr: stderr,
		env:    env,
		output: choice{value: "table", words: []string{"table", "json"}},
		color:  choice{value: "auto", words: []string{"auto", "always", "never"}},
	}
	root := s.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return s.finish(cmd, err)
}

func (s *session) rootCommand() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "fleetfuse-ctl",
		Short: "Ask a fleetfuse node about breakers and members, open and close breakers",
		Long: `fleetfuse-ctl asks any node of a fleet about the shared circuit breakers and the
members of the cluster, and tells it to open or close a breaker or to replace
its policy. What it finds out goes to stdout, everything else to stderr. The
exit code is the answer: see "fleetfuse-ctl help exit-codes".`,
		Example: `  fleetfuse-ctl status
  fleetfuse-ctl breaker show
  fleetfuse-ctl breaker why api.example.org`,
		// Errors are printed by finish, once, with the next command to try.
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 { // "ctl open --for 10m": it is the command that is wrong
			return cmd.RunE(cmd, cmd.Flags().Args())
		}
		return &usageError{what: err.Error(), try: cmp.Or(habits[err.Error()], cmd.CommandPath()+" --help")}
	})
	flags := root.PersistentFlags()
	s.reachFlags(flags)
	flags.VarP(&s.output, "output", "o", "how the answer is written: table or json")
	flags.Var(&s.color, "color", "colour the answer: auto, always or never")
	root.SetUsageFunc(usage)
	root.SetHelpCommand(helpCommand())
	root.AddCommand(s.statusCommand(), s.breakerCommand(), s.breakerAdviseCommand(), s.eventsCommand(), s.topCommand(), s.policyCommand(), s.clusterCommand(), s.configCommand(), s.simCommand(), s.versionCommand(), s.completionCommand(), exitCodesTopic())
	return root
}

// habits are flags of other programs, and what does that here.
var habits = map[string]string{
	"unknown flag: --version":           "fleetfuse-ctl version",
	"unknown shorthand flag: 'v' in -v": "fleetfuse-ctl version",
	"unknown flag: --json":              "-o json",
}

// group makes a command that only holds others. Cobra would print help and
// exit 0 for a name it does not know; a script must not take that for a yes.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		help := cmd.CommandPath() + " --help"
		if len(args) == 0 {
			return &usageError{what: "no command is named", try: help}
		}
		what := fmt.Sprintf("%s has no command %q", cmd.CommandPath(), args[0])
		if near := meant(cmd, args[0]); near != "" {
			return &usageError{what: what, try: near}
		}
		return &usageError{what: what, try: help}
	}
	cmd.SuggestionsMinimumDistance = 2
	return cmd
}

// meant is the command that was probably meant: one of that name a level
// below, as in "ctl open" for "ctl breaker open", or one spelled much like it.
func meant(cmd *cobra.Command, name string) string {
	for _, sub := range cmd.Commands() {
		for _, below := range sub.Commands() {
			if below.Name() == name {
				return below.CommandPath()
			}
		}
	}
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return cmd.CommandPath() + " " + near[0]
	}
	return ""
}

// helpCommand is cobra's, except that an unknown topic is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command or topic",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return &usageError{what: fmt.Sprintf("there is no help about %q", strings.Join(args, " ")), try: cmd.Root().Name() + " --help"}
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
	}
}
