package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// summaryRows is how many breakers a summary shows.
const summaryRows = 40

func (s *session) summaryCommand() *cobra.Command {
	var window string
	var all bool
	cmd := &cobra.Command{
		Use:   "summary [--window 1h]",
		Short: "Sum up what breakers did, and what it cost and saved",
		Long: `Sum up the last hour, or --window, of the whole fleet. For each breaker:

  OPENS     how often it opened for the fleet, and why
  PROBES    how many of its probes succeeded: many failures mean that it probes
            too early
  CALLS     that were made, and the share that failed
  NOT SENT  calls that were rejected, by what: a cooldown (Retry-After, an
            operator), the circuit, or the ring of one node alone

The counts are those of the last hour in memory and of a week on disk.`,
		Example: `  fleetfuse-ctl breaker summary
  fleetfuse-ctl breaker summary --window 24h -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			length, err := parseLength(cmp.Or(window, "1h"))
			if err != nil {
				return &usageError{what: fmt.Sprintf("--window %q is not a duration such as 10m, 24h or 7d", window), try: cmd.CommandPath() + " --window 24h"}
			}
			client, err := s.client()
			if err != nil {
				return err
			}
			r, err := client.Summary(cmd.Context(), length)
			if err != nil {
				return err
			}
			if s.json() {
				return s.printJSON(r)
			}
			return s.printSummary(r, all)
		},
	}
	cmd.Flags().StringVar(&window, "window", "", "how far back: a `duration` such as 10m, 24h or 7d (default 1h)")
	cmd.Flags().BoolVar(&all, "all", false, "every breaker, not only the first 40")
	return cmd
}

func (s *session) printSummary(r api.SummaryResponse, all bool) error {
	shown := r.Breakers
	if !all && len(shown) > summaryRows {
		shown = shown[:summaryRows]
	}
	rows := make([][]string, len(shown))
	for i, b := range shown {
		rows[i] = summaryRow(b)
	}
	if len(rows) == 0 {
		s.say("nobody called anything in the last %s", millis(r.WindowMS))
	} else if err := s.table([]string{"BREAKER", "OPENS", "WHY", "PROBES", "CALLS", "FAILED", "NOT SENT", "BY"}, rows); err != nil {
		return err
	}
	if n := len(r.Breakers) - len(shown); n > 0 {
		s.say("%s more: --all", count(n, "breaker"))
	}
	if r.Cut {
		s.say("warning: there were more opens than were looked at; OPENS is too low: use a shorter --window")
	}
	if len(r.Missing) > 0 {
		s.say("warning: %s did not answer; what its callers saw is missing", list(r.Missing))
	}
	return nil
}

func summaryRow(b api.BreakerSummary) []string {
	opens := strconv.Itoa(b.Opens)
	if b.LocalOpens > 0 {
		opens += fmt.Sprintf(" + %d local", b.LocalOpens)
	}
	probes := "-"
	if n := b.ProbesOK + b.ProbesFailed; n > 0 {
		probes = fmt.Sprintf("%d of %d", b.ProbesOK, n)
	}
	failed := "-"
	if b.Calls > 0 {
		failed = fmt.Sprintf("%.1f %%", 100*float64(b.Failures)/float64(b.Calls))
	}
	return []string{
		printable(hostArg(breaker.Key(b.Key))), opens, printable(reasonsOf(b.OpenReasons)), probes,
		strconv.FormatUint(b.Calls, 10), failed, strconv.FormatUint(b.NotSent, 10), rejectedBy(b),
	}
}

// reasonsOf lists reasons, the most frequent first.
func reasonsOf(reasons map[string]int) string {
	names := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		if reasons[a] != reasons[b] {
			return reasons[b] - reasons[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", reasons[name], name)
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ", ")
}

func rejectedBy(b api.BreakerSummary) string {
	var parts []string
	for _, p := range []struct {
		n    uint64
		what string
	}{{b.Cooldown, "cooldown"}, {b.Circuit, "circuit"}, {b.Local, "local ring"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}
