package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

func (s *session) configShowCommand() *cobra.Command {
	var host string
	var all bool
	cmd := &cobra.Command{
		Use:   "show [--host HOST]",
		Short: "Show what a node runs with, and where each value was set",
		Long: `Show the configuration that the node asked runs with, and where each value was
set: by a flag, the environment, a file or a profile. Below its own options
stands the policy of breakers nobody named, or with --host that of one breaker.
What nobody set is left out. If the last reload failed it says so, and why; so
it does of options that need a restart of the node.`,
		Example: `  fleetfuse-ctl config show
  fleetfuse-ctl config show --host resolver:crossref --all`,
		Args: noArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var key breaker.Key
			if cmd.Flags().Changed("host") {
				var err error
				if key, err = parseKey(host); err != nil {
					return &usageError{what: "--host: " + err.Error(), try: cmd.CommandPath() + " --host api.example.org"}
				}
			}
			client, err := s.client()
			if err != nil {
				return err
			}
			r, err := client.Config(cmd.Context(), key)
			if err != nil {
				return err
			}
			if s.json() {
				return s.printJSON(r)
			}
			return s.printConfig(r, all)
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "show the policy of this `HOST` instead of the defaults")
	cmd.Flags().BoolVar(&all, "all", false, "what nobody set too")
	_ = cmd.RegisterFlagCompletionFunc("host", s.completeHosts) // fails only for a flag that is not there
	return cmd
}

func (s *session) printConfig(r api.ConfigResponse, all bool) error {
	if err := s.print(s.configText(r)); err != nil {
		return err
	}
	hidden, err := s.printOptions(r.Options, all)
	if err != nil {
		return err
	}
	title := "the policy of breakers nobody named"
	if r.Key != "" {
		title = "the policy of " + r.Key
	}
	if err := s.print("\n" + printable(title) + "\n"); err != nil {
		return err
	}
	fields, err := s.printValues(r.Values, all)
	if err != nil {
		return err
	}
	if len(r.Values) == fields {
		s.say("no field of this policy was set by anybody")
	}
	if hidden+fields > 0 {
		s.say("%s and %s with the built-in value are not shown; with --all they are", count(hidden, "option"), count(fields, "field"))
	}
	return nil
}

// configText says what was read and when, and what went wrong since.
func (s *session) configText(r api.ConfigResponse) string {
	now := s.env.now()
	var b strings.Builder
	row := func(name, value string) { fmt.Fprintf(&b, "%-10s%s\n", name, indented(printable(value), 10)) }
	row("node", r.Node)
	if f := r.Failed; f != nil {
		row("PROBLEM", fmt.Sprintf("the last reload, %s (%s), failed and changed nothing:", moment(f.At), ago(f.At, now)))
		for _, text := range f.Errors {
			b.WriteString("          " + printable(text) + "\n")
		}
	}
	if len(r.NeedsRestart) > 0 {
		row("warning", restartText(r.Node, r.NeedsRestart))
	}
	row("loaded", fmt.Sprintf("%s (%s), hash %s", moment(r.LoadedAt), ago(r.LoadedAt, now), orDash(shortHash(r.Hash))))
	files := "none"
	if len(r.Files) > 0 {
		files = strings.Join(r.Files, ", ")
	}
	row("files", files)
	row("policies", fmt.Sprintf("%s, %s and %s have their own", count(r.Hosts, "host"), count(r.Wildcards, "wildcard"), count(r.Resolvers, "resolver")))
	return b.String()
}

func shortHash(hash string) string { return hash[:min(len(hash), hashShown)] }

// printOptions writes a table of a node's own options, all of them or those
// that somebody set, and returns how many were left out.
func (s *session) printOptions(options []api.ConfigValue, all bool) (hidden int, err error) {
	var rows [][]string
	for _, o := range options {
		if !all && o.Origin == builtIn {
			hidden++
			continue
		}
		rows = append(rows, []string{o.Name, orDash(o.Value), orDash(o.Origin)})
	}
	if len(rows) == 0 {
		return hidden, nil
	}
	if err := s.print("\n"); err != nil {
		return hidden, err
	}
	return hidden, s.table([]string{"OPTION", "VALUE", "ORIGIN"}, rows)
}
