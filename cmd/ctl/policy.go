package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func (s *session) policyCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "policy",
		Short: "Show and replace the policy of a breaker",
		Long: `Show the policy of a breaker and replace parts of it at run time, for the whole
fleet. What is replaced lies in an overlay over the configuration files,
survives restarts, and has a version; every change makes a new one from the one
before. HOST is a host name such as api.example.org, or resolver:NAME.`,
		Example: `  fleetfuse-ctl policy show api.example.org
  fleetfuse-ctl policy replace api.example.org --set fail_max=3 --dry-run
  fleetfuse-ctl policy rollback api.example.org`,
	})
	cmd.AddCommand(s.policyShowCommand(), s.policyReplaceCommand(), s.policyResetCommand(), s.policyHistoryCommand(), s.policyRollbackCommand())
	return cmd
}

func (s *session) policyShowCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "show HOST",
		Short: "Show a policy: its values, and who replaced what",
		Long: `Show the policy of a breaker, field by field, and where each value was set: by
an operator or the tuner at run time, a flag, the environment, a file or a
profile. Fields that nobody set are left out. Below are the overlays: who
replaced what at run time, when, why and until when.`,
		Example: `  fleetfuse-ctl policy show api.example.org
  fleetfuse-ctl policy show resolver:crossref --all`,
		SuggestFor:        []string{"get", "list"},
		Args:              oneHost,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, key, err := s.target(cmd, args[0])
			if err != nil {
				return err
			}
			r, err := client.Policy(cmd.Context(), key)
			if err != nil {
				return err
			}
			if s.json() {
				return s.printJSON(r)
			}
			return s.printPolicy(r, key, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "fields with their built-in value too")
	return cmd
}

// target is the node that is asked and the one key it is asked about.
func (s *session) target(cmd *cobra.Command, arg string) (*admin.Client, breaker.Key, error) {
	keys, err := parseKeys(cmd, []string{arg})
	if err != nil {
		return nil, "", err
	}
	client, err := s.client()
	return client, keys[0], err
}

func (s *session) printPolicy(r api.PolicyResponse, key breaker.Key, all bool) error {
	text := r.Key + "  version " + r.Version
	if r.Version == noVersion {
		text += " (no operator replaced anything)"
	}
	if r.Owner != "" {
		text += ", owner " + r.Owner
	}
	if err := s.print(printable(text) + "\n"); err != nil {
		return err
	}
	hidden, err := s.printValues(r.Values, all)
	if err != nil {
		return err
	}
	for _, o := range r.Overlays {
		if err := s.print("\n" + s.overlayText(o)); err != nil {
			return err
		}
	}
	if r.Note != "" {
		s.say("warning: %s", r.Note)
	}
	if hidden > 0 {
		s.say("%s with the built-in value %s not shown; with --all %s", count(hidden, "field"), verb(hidden, "is", "are"), verb(hidden, "it is", "they are"))
	}
	return nil
}

// builtIn is the origin of a value that nobody set.
const builtIn = "default"

// printValues writes a table of the values, all of them or those that somebody
// set, and returns how many were left out.
func (s *session) printValues(values []api.PolicyValue, all bool) (hidden int, err error) {
	var rows [][]string
	for _, v := range values {
		if !all && v.Origin == builtIn {
			hidden++
			continue
		}
		rows = append(rows, []string{v.Field, valueText(v.Value), orDash(v.Origin)})
	}
	if len(rows) == 0 {
		return hidden, nil
	}
	return hidden, s.table([]string{"FIELD", "VALUE", "ORIGIN"}, rows)
}

// noVersion is the version of a policy of which nothing was replaced.
const noVersion = "0"

// checkVersion wants a version as policy show prints it, or none.
func checkVersion(cmd *cobra.Command, flag, version string) error {
	if n, err := strconv.ParseUint(version, 10, 64); version == "" || err == nil && strconv.FormatUint(n, 10) == version {
		return nil
	}
	return &usageError{
		what: fmt.Sprintf("--%s %q is no version; one is a number such as %q", flag, version, "5"),
		try:  cmd.Root().Name() + " policy history HOST",
	}
}

// moved tells an operator who expected another version which one is in force,
// and how to go on.
// same is what of the command has to be said again beside the version.
func moved(err error, key breaker.Key, want, same string) error {
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != http.StatusPreconditionFailed || p.Version == "" || want == "" {
		return err
	}
	return &api.Problem{
		Status: p.Status, Detail: fmt.Sprintf("%s: nothing was done: its policy is at version %s, not %s", key, p.Version, want), Errors: p.Errors,
		Try: "fleetfuse-ctl policy show " + hostArg(key) + ", then the same with " + same + "--check-version " + shellWord(p.Version),
	}
}

// notFound is an answer that lacks what was asked for.
func notFound(what, try string) error {
	return &api.Problem{Status: http.StatusNotFound, Detail: what, Try: try}
}
