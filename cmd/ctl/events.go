package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func (s *session) eventsCommand() *cobra.Command {
	var q admin.EventsQuery
	var follow bool
	cmd := &cobra.Command{
		Use:   "events [HOST]",
		Short: "Tell what happened in the whole fleet, or to one breaker",
		Long: `Tell what happened in the whole fleet, the latest last: breakers that opened and
closed, cooldowns, what operators said, changes of policies, probes, what the
tuner suggested, members that came and went, parts of nodes that failed. Nodes
keep it for a week.

With --follow it goes on with what happens, until Ctrl-C; if the node goes away
it waits for it and misses nothing. With -o json each event is then a line.`,
		Example: `  fleetfuse-ctl events --since 1h
  fleetfuse-ctl events api.example.org --kind transition --kind cooldown
  fleetfuse-ctl events --follow -o json`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error { return s.askEvents(cmd, args, q, follow) },
	}
	flags := cmd.Flags()
	flags.StringVar(&q.Since, "since", "", "how far back: a `duration` (1h, 2d) or a time (2026-01-02T15:04:05Z)")
	flags.StringArrayVar(&q.Kinds, "kind", nil, "only this `kind`: "+wrap(strings.Join(api.EventKinds, " ")+" (repeatable)", 56))
	flags.IntVar(&q.Limit, "limit", 0, "the latest so many, at most 10,000 (default 100)")
	flags.BoolVar(&follow, "follow", false, "go on with what happens")
	return cmd
}

func (s *session) askEvents(cmd *cobra.Command, args []string, q admin.EventsQuery, follow bool) error {
	if problems := eventsProblems(cmd, &q, follow); len(problems) > 0 {
		return &usageError{what: strings.Join(problems, "; "), try: cmd.CommandPath() + " --since 24h --kind transition --limit 100"}
	}
	keys, err := parseKeys(cmd, args)
	if err != nil {
		return err
	}
	if len(keys) == 1 {
		q.Key = keys[0]
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	if follow {
		return s.follow(cmd, client, q)
	}
	r, err := client.Events(cmd.Context(), q)
	if err != nil {
		return err
	}
	return s.printEvents(r)
}

// maxEvents is the most that a node answers with.
const maxEvents = 10_000

// eventsProblems says all that is wrong with the flags, and puts --since as the API
// takes it.
func eventsProblems(cmd *cobra.Command, q *admin.EventsQuery, follow bool) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch {
	case !cmd.Flags().Changed("limit"):
	case follow:
		problem("--follow has no end, and so no --limit")
	case q.Limit < 1 || q.Limit > maxEvents:
		problem("--limit is %d; want 1 to 10,000", q.Limit)
	}
	for _, kind := range q.Kinds {
		if !slices.Contains(api.EventKinds, kind) {
			problem("--kind %.80q is no kind of event; want %s", kind, strings.Join(api.EventKinds, ", "))
		}
	}
	if d, err := parseLength(q.Since); err == nil && d >= 0 {
		q.Since = d.String()
	} else if _, err := time.Parse(time.RFC3339, q.Since); err != nil && q.Since != "" {
		problem("--since %.80q is neither how far back (1h, 2d) nor a time (2026-01-02T15:04:05Z)", q.Since)
	}
	return problems
}

// follow tells what happens until the operator ends it.
func (s *session) follow(cmd *cobra.Command, client *admin.Client, q admin.EventsQuery) error {
	var missing []string
	header := !s.json()
	return client.FollowEvents(cmd.Context(), q, func(r api.EventsResponse) error {
		if header {
			header = false
			if err := s.print(eventLine(eventHeader)); err != nil {
				return err
			}
		}
		for _, e := range r.Events {
			if err := s.tellEvent(e); err != nil {
				return err
			}
		}
		s.sayGaps(r.Gaps)
		if !slices.Equal(missing, r.Missing) {
			if missing = r.Missing; len(missing) > 0 {
				s.say("warning: %s %s not answer; what happened there is told later", list(missing), verb(len(missing), "does", "do"))
			} else {
				s.say("all members answer again")
			}
		}
		return nil
	}, func(err error) { s.say("warning: %v; trying again every second", err) })
}

func (s *session) tellEvent(e api.Event) error {
	if s.json() {
		return s.printJSONLine(e)
	}
	return s.print(eventLine(eventRow(e)))
}

func (s *session) printEvents(r api.EventsResponse) error {
	if s.json() {
		return s.printJSON(r)
	}
	rows := make([][]string, len(r.Events))
	for i, e := range r.Events {
		rows[i] = eventRow(e)
	}
	if len(rows) > 0 {
		if err := s.table(eventHeader, rows); err != nil {
			return err
		}
	} else {
		s.say("nothing happened that matches")
	}
	if r.More {
		s.say("there is more before that: --limit N or --since")
	}
	s.sayGaps(withinShown(r))
	if len(r.Missing) > 0 {
		s.say("warning: %s did not answer; what happened there is missing", list(r.Missing))
	}
	return nil
}

// withinShown are the gaps of an answer, without those from before the first event
// that it shows, if it was cut there.
func withinShown(r api.EventsResponse) []api.MemberGap {
	if !r.More || len(r.Events) == 0 {
		return r.Gaps
	}
	first := r.Events[0].Time
	return slices.DeleteFunc(slices.Clone(r.Gaps), func(g api.MemberGap) bool { return g.Time != nil && g.Time.Before(first) })
}

func (s *session) sayGaps(gaps []api.MemberGap) {
	for _, g := range gaps {
		s.say("warning: %s", gapText(g))
	}
}

// gapText says what is missing. A node that was killed is over it: what may be
// missing is from just before it came back.
func gapText(g api.MemberGap) string {
	if g.Reason == "crash" && g.Time != nil {
		return fmt.Sprintf("%s was killed and started again at %s: what happened there just before it was killed may be missing", g.Node, moment(*g.Time))
	}
	what := "events"
	if g.Events > 0 {
		what = count(int(g.Events), "event")
	}
	why := gapReasons[g.Reason]
	if why == "" {
		why = g.Reason
	}
	return fmt.Sprintf("%s of %s cannot be shown: %s", what, g.Node, why)
}

// gapReasons are the reasons of gaps for people.
var gapReasons = map[string]string{
	"pruned":     "they are older than is kept",
	"dropped":    "its disk took none, and its memory was full",
	"crash":      "it was killed; what it had not written is lost, if there was anything",
	"unreadable": "its disk does not answer",
	"unknown":    "its log never had that position",
}

var eventHeader = []string{"TIME (UTC)", "WHAT", "EVENT", "DETAIL"}

// eventWidths are those of a line that is told before the next is known.
var eventWidths = []int{23, 34, 24}

func eventLine(row []string) string {
	var t strings.Builder
	for i, cell := range row {
		if i < len(eventWidths) {
			fmt.Fprintf(&t, "%-*s  ", eventWidths[i], cell)
			continue
		}
		t.WriteString(cell)
	}
	return strings.TrimRight(t.String(), " ") + "\n"
}

// eventRow is an event for people.
func eventRow(e api.Event) []string {
	what := e.Node
	if e.Key != "" {
		what = hostArg(breaker.Key(e.Key))
	}
	return []string{printable(e.Time.UTC().Format("2006-01-02 15:04:05.000")), printable(what), printable(happened(e)), printable(eventDetail(e))}
}

// happened says in a few words what an event is.
func happened(e api.Event) string {
	switch e.Kind {
	case "member":
		return "member " + e.To
	case "degraded":
		return e.To + " fails"
	case "recovered":
		return e.To + " works again"
	case "probe":
		return "probe: " + e.To
	case "policy":
		return "policy: " + e.To
	case "advice":
		return "advice: " + e.To
	case "local":
		return "ring: " + e.From + " > " + e.To
	case "cooldown":
		return "asked to wait " + millis(e.LengthMS)
	}
	switch {
	case e.From == "": // a kind that only a newer node knows
		return e.Kind + ": " + e.To
	case e.From == breaker.Closed.String() && (e.To == breaker.HalfOpen.String() || e.Detail == adopted): // as an owner sees it that takes it over
		return "taken over: " + e.To
	case e.From != e.To:
		return e.From + " > " + e.To
	case e.To == breaker.Open.String():
		return "open, extended"
	}
	return e.To + " (was " + e.From + ")"
}

func eventDetail(e api.Event) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if e.Reason != "" {
		add("%s", e.Reason)
	}
	if e.Role != "" {
		add("role %s", e.Role)
	}
	if v := e.Evidence; v != nil {
		if v.Failures > 0 {
			add("%s", count(v.Failures, "failure"))
		}
		switch {
		case v.Error != "":
			add("last: %s", v.Error)
		case v.Status != 0:
			add("last: %d", v.Status)
		}
		if len(v.Witnesses) > 0 {
			add("seen by %s", list(v.Witnesses))
		}
	}
	if e.Kind == "operator" && e.LengthMS > 0 {
		add("for %s", span(time.Duration(e.LengthMS)*time.Millisecond))
	}
	if e.Author != "" {
		add("by %s", e.Author)
	}
	if e.Detail != "" && e.Detail != adopted {
		add("%q", e.Detail)
	}
	if e.Key != "" && e.Node != "" {
		add("on %s", e.Node)
	}
	return strings.Join(parts, ", ")
}
