package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/config"
)

func (s *session) configCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "config",
		Short: "Check configuration files, show what a node runs with, reload it",
		Example: `  fleetfuse-ctl config check fleetfuse.yaml
  fleetfuse-ctl config show --host api.example.org
  fleetfuse-ctl config reload`,
	})
	cmd.AddCommand(s.configCheckCommand(), s.configShowCommand(), s.configReloadCommand())
	return cmd
}

func (s *session) configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Say everything that is wrong with configuration files",
		Long: `Read configuration files as a node does, the later over the earlier, and say
everything that is wrong with them. No node is asked, and no environment or flag
is looked at. Exits 1 if a node would refuse them; a warning is about what is
allowed and probably not meant.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{what: "no file is named", try: "fleetfuse-ctl config check FILE"}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, files []string) error {
			found := config.Check(files)
			err := s.printFindings(files, found)
			if slices.ContainsFunc(files, unreadable) {
				s.say("Try: fleetfuse-ctl config check FILE with a file that is there and that you may read")
			}
			for _, f := range found {
				if err == nil && !f.Warning {
					err = errNo
				}
			}
			return err
		},
	}
}

func unreadable(file string) bool {
	f, err := os.Open(file)
	if err == nil {
		f.Close()
	}
	return err != nil
}

func (s *session) printFindings(files []string, found []config.Finding) error {
	if s.json() {
		if found == nil {
			found = []config.Finding{}
		}
		return s.printJSON(map[string]any{"findings": found})
	}
	if len(found) == 0 {
		return s.print(printable(strings.Join(files, ", ")) + ": ok\n")
	}
	var b strings.Builder
	for _, f := range found {
		b.WriteString(printable(describeFinding(f)) + "\n")
		if f.Source != "" {
			fmt.Fprintf(&b, "    %s\n", printable(f.Source))
			if f.Column > 0 {
				fmt.Fprintf(&b, "    %s^\n", strings.Repeat(" ", f.Column-1))
			}
		}
	}
	return s.print(b.String())
}

// describeFinding is a finding in one line: where, and what.
func describeFinding(f config.Finding) string {
	text := f.Text
	if f.Warning {
		text = "warning: " + text
	}
	switch {
	case f.File == "":
		return text
	case f.Line == 0:
		return f.File + ": " + text
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, text)
}
