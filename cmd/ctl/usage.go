package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usage writes how a command is used. Cobra's own calls a group runnable, and
// pflag's shows --help as "--help[=true|false]".
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n  " + useLine(cmd) + "\n")
	if cmd.HasExample() {
		b.WriteString("\nExamples:\n" + strings.TrimRight(cmd.Example, "\n") + "\n")
	}
	listCommands(&b, "Commands", cmd, (*cobra.Command).IsAvailableCommand)
	listCommands(&b, "Topics", cmd, (*cobra.Command).IsAdditionalHelpTopicCommand)
	listFlags(&b, "Flags", cmd.LocalFlags())
	listFlags(&b, "Flags of every command", cmd.InheritedFlags())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nMore about a command: %s COMMAND --help\n", cmd.CommandPath())
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

func useLine(cmd *cobra.Command) string {
	switch {
	case cmd.IsAdditionalHelpTopicCommand():
		return cmd.Root().Name() + " help " + cmd.Name()
	case cmd.HasAvailableSubCommands():
		return cmd.CommandPath() + " COMMAND [flags]"
	}
	line := cmd.UseLine()
	if !strings.Contains(line, "[flags]") {
		line += " [flags]"
	}
	return line
}

func listCommands(b *strings.Builder, title string, parent *cobra.Command, wanted func(*cobra.Command) bool) {
	var list strings.Builder
	for _, cmd := range parent.Commands() {
		if wanted(cmd) {
			fmt.Fprintf(&list, "  %-*s  %s\n", parent.NamePadding(), cmd.Name(), cmd.Short)
		}
	}
	if list.Len() > 0 {
		b.WriteString("\n" + title + ":\n" + list.String())
	}
}

func listFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if flags.HasAvailableFlags() {
		// The padding keeps the column where pflag put it.
		text := strings.ReplaceAll(flags.FlagUsages(), "[=true|false]", strings.Repeat(" ", len("[=true|false]")))
		b.WriteString("\n" + title + ":\n" + text)
	}
}
