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
// that a slip in the last changes nothing. A key named twice counts once.
func parseKeys(cmd *cobra.Command, args []string) ([]breaker.Key, error) {
	var keys []breaker.Key
	for _, arg := range args {
		key, err := parseKey(arg)
		if err != nil {
			return nil, &usageError{what: err.Error(), try: correction(cmd, arg)}
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// correction is the command with the host of a pasted URL, else the help.
func correction(cmd *cobra.Command, arg string) string {
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
