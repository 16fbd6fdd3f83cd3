package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func (s *session) openCommand() *cobra.Command {
	var length, seconds, reason string
	cmd := &cobra.Command{
		Use:   "open HOST... {--for 10m | --seconds N} [--reason TEXT]",
		Short: "Stop calls to hosts for a time",
		Long: `Stop calls to hosts, for every worker of the fleet. The time is required and is
30 days at most, so that nothing stays open because it was forgotten.`,
		Example: `  fleetfuse-ctl breaker open api.example.org --for 10m --reason "maintenance"
  fleetfuse-ctl breaker open resolver:crossref --seconds 600`,
		Args:              someHosts,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := parseKeys(cmd, args)
			if err != nil {
				return err
			}
			d, err := openLength(length, seconds)
			if err != nil {
				return &usageError{what: err.Error(), try: cmd.CommandPath() + " " + hostArg(keys[0]) + " --for 10m"}
			}
			if err := checkReason(reason); err != nil {
				return err
			}
			request := api.OpenRequest{Seconds: d.Seconds(), Reason: reason, Author: s.author()}
			return s.operate(cmd, keys, func(c *admin.Client, key breaker.Key) (api.OperatorResponse, error) {
				return c.Open(cmd.Context(), key, request)
			})
		},
	}
	cmd.Flags().StringVar(&length, "for", "", "how long: a `duration` such as 90s, 10m, 1h30m or 2d")
	cmd.Flags().StringVar(&seconds, "seconds", "", "how long: a `number` of seconds")
	cmd.Flags().StringVar(&reason, "reason", "", "a `text` for those who ask later")
	return cmd
}

// openLength reads --for or --seconds, of which exactly one must be given.
func openLength(length, seconds string) (time.Duration, error) {
	var d time.Duration
	switch {
	case length == "" && seconds == "":
		return 0, fmt.Errorf("how long? An open needs --for or --seconds")
	case length != "" && seconds != "":
		return 0, fmt.Errorf("--for and --seconds say the same thing; give one of them")
	case seconds != "":
		x, err := strconv.ParseFloat(seconds, 64)
		if err != nil || math.IsNaN(x) {
			return 0, fmt.Errorf("--seconds %q is not a number", seconds)
		}
		// Clamped first: a float beyond int64 converts to anything.
		d = time.Duration(min(max(x, -1), 2*breaker.MaxOpen.Seconds()) * float64(time.Second))
	default:
		var err error
		if d, err = parseLength(length); err != nil {
			return 0, fmt.Errorf("--for %q is not a duration such as 90s, 10m, 1h30m or 2d", length)
		}
	}
	switch {
	case d <= 0:
		return 0, fmt.Errorf("the time must be longer than zero (to end an open: breaker close)")
	case d > breaker.MaxOpen:
		return 0, fmt.Errorf("the time is longer than 30 days")
	}
	return d, nil
}

// parseLength is time.ParseDuration that knows days: "2d", "1d12h".
func parseLength(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, err
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	return d + more, err
}

func checkReason(reason string) error {
	if len(reason) > api.MaxText {
		return &usageError{what: fmt.Sprintf("--reason has %d bytes; at most %d are kept", len(reason), api.MaxText)}
	}
	return nil
}

// author is USER@HOSTNAME, so that whoever asks why knows whom to ask.
func (s *session) author() string {
	user := s.env.getenv("USER")
	if user == "" {
		user = "unknown"
	}
	host, err := s.env.hostname()
	if err != nil || host == "" {
		host = "unknown"
	}
	name := strings.ToValidUTF8(user+"@"+host, "?")
	for len(name) > api.MaxText {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name
}
