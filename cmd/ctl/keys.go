package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// parseKey reads HOST as an operator types it.
func parseKey(arg string) (breaker.Key, error) { return hostname.Key(arg) }

// parseKeys reads all arguments before anything is done about the first, so
// that a slip in the last changes nothing, and says so where there are several. A
// key named twice counts once.
func parseKeys(cmd *cobra.Command, args []string) ([]breaker.Key, error) {
	var keys []breaker.Key
	var bad, wrong []string
	for _, arg := range args {
		key, err := parseKey(arg)
		switch {
		case err != nil:
			bad, wrong = append(bad, arg), append(wrong, whyNoKey(arg, err))
		case !slices.Contains(keys, key):
			keys = append(keys, key)
		}
	}
	if len(bad) == 0 {
		return keys, nil
	}
	if len(args) > 1 {
		wrong = append(wrong, "names are checked first, so nothing was done")
	}
	return nil, &usageError{what: strings.Join(wrong, "; "), try: correction(cmd, bad[0])}
}

// wildcard reports whether an argument means many hosts.
func wildcard(arg string) bool { return strings.HasPrefix(strings.TrimPrefix(arg, "host:"), "*") }

func whyNoKey(arg string, err error) string {
	if wildcard(arg) {
		return fmt.Sprintf("%.80q is a wildcard: those stand in the configuration alone, here each HOST is named", arg)
	}
	return err.Error()
}

// correction is the command with the host of a pasted URL, else the help.
func correction(cmd *cobra.Command, arg string) string {
	if wildcard(arg) {
		return "fleetfuse-ctl config show, for the wildcards there are; docs/policy.md says how to write one"
	}
	text := arg
	if !strings.Contains(text, "://") {
		text = "//" + text
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" && u.Host != arg {
		if key, err := parseKey(u.Host); err == nil {
			return cmd.CommandPath() + " " + hostArg(key)
		}
	}
	return cmd.CommandPath() + " --help"
}

// hostArg writes a key as an operator types it, quoted for a shell.
func hostArg(key breaker.Key) string {
	name := key.Name()
	if key.Scope() == breaker.ScopeHost && !strings.Contains(name, ":") {
		return shellWord(name)
	}
	return shellWord(string(key))
}

// someHosts wants at least one HOST, oneHost exactly one.
func someHosts(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &usageError{what: "no HOST is named", try: cmd.CommandPath() + " api.example.org"}
	}
	return nil
}

func oneHost(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return &usageError{
			what: fmt.Sprintf("one HOST is wanted, %d are named", len(args)),
			try:  cmd.CommandPath() + " " + shellWord(args[0]),
		}
	}
	return someHosts(cmd, args)
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{what: fmt.Sprintf("%q is more than %s takes", args[0], cmd.Name()), try: cmd.CommandPath()}
	}
	return nil
}
