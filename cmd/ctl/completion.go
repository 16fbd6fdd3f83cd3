package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

// completionTimeout is how long a person waits for TAB. A node waits half a
// second for members that do not answer.
const completionTimeout = time.Second

func (s *session) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion {bash|zsh|fish|powershell}",
		Short: "Write the completion script of a shell",
		Long: `Write the script that completes commands, flags and the host names the node
knows.`,
		Example: `  source <(fleetfuse-ctl completion bash)
  fleetfuse-ctl completion fish > ~/.config/fish/completions/fleetfuse-ctl.fish`,
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := error(&usageError{
				what: "one shell is wanted: " + strings.Join(shells, ", "),
				try:  cmd.CommandPath() + " bash",
			})
			if len(args) != 1 {
				return err
			}
			script := new(strings.Builder) // cobra does not report every write error
			switch root := cmd.Root(); args[0] {
			case "bash":
				err = root.GenBashCompletionV2(script, true)
			case "zsh":
				err = root.GenZshCompletion(script)
			case "fish":
				err = root.GenFishCompletion(script, true)
			case "powershell":
				err = root.GenPowerShellCompletionWithDesc(script)
			}
			if err != nil {
				return err
			}
			return s.print(script.String())
		},
	}
}

// completeHosts offers the names the node knows. Without a node it offers
// nothing, silently: a message would land in the line being typed.
func (s *session) completeHosts(cmd *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	client, err := s.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := completionContext(cmd)
	defer cancel()
	r, err := client.Breakers(ctx, admin.StateAll)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for _, b := range r.Breakers {
		key, err := breaker.ParseKey(b.Key)
		if err != nil {
			continue
		}
		// A name that needs quoting is none a node accepted.
		if name := hostArg(key); !strings.HasPrefix(name, "'") && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func completionContext(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	parent := cmd.Context()
	if parent == nil {
		parent = context.Background()
	}
	return context.WithTimeout(parent, completionTimeout)
}

// completeFields offers the policy fields of the HOST that was typed already,
// each with an end such as "=".
func (s *session) completeFields(end string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const no = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		if len(args) == 0 {
			return nil, no
		}
		client, key, err := s.target(cmd, args[0])
		if err != nil {
			return nil, no
		}
		ctx, cancel := completionContext(cmd)
		defer cancel()
		r, err := client.Policy(ctx, key)
		if err != nil {
			return nil, no
		}
		var names []cobra.Completion
		for _, v := range r.Values {
			if strings.HasPrefix(v.Field, prefix) && shellWord(v.Field) == v.Field {
				names = append(names, v.Field+end)
			}
		}
		return names, no
	}
}
