package main

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

// A listing is what show answers, as JSON.
type listing struct {
	Node     string        `json:"node,omitempty"`
	Breakers []api.Breaker `json:"breakers"`
	Partial  []string      `json:"partial,omitempty"`
	Failed   []failedKey   `json:"failed,omitempty"`
}

func (s *session) showCommand() *cobra.Command {
	var openOnly, all bool
	cmd := &cobra.Command{
		Use:   "show [HOST...]",
		Short: "List breakers that are not closed, or the ones named",
		Long: `List the breakers of the whole cluster that are not closed, or the ones named,
whichever node is asked. A host nobody complained about is closed. "local" says
that only some nodes reject, each by what it saw itself, and which.`,
		Example: `  fleetfuse-ctl breaker show
  fleetfuse-ctl breaker show --all -o json
  fleetfuse-ctl breaker show api.example.org resolver:crossref`,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case openOnly && all:
				return &usageError{what: "--open-only and --all contradict each other", try: cmd.CommandPath() + " --all"}
			case len(args) > 0:
				return s.showNamed(cmd, args, openOnly)
			case openOnly:
				return s.showListed(cmd, breaker.Open.String())
			case all:
				return s.showListed(cmd, admin.StateAll)
			}
			return s.showListed(cmd, "")
		},
	}
	cmd.Flags().BoolVar(&openOnly, "open-only", false, "only breakers that are open, not half-open ones")
	cmd.Flags().BoolVar(&all, "all", false, "closed breakers too")
	return cmd
}

func (s *session) showListed(cmd *cobra.Command, state string) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	r, err := client.Breakers(cmd.Context(), state)
	if err != nil {
		return err
	}
	if err := s.printListing(listing{Node: r.Node, Breakers: r.Breakers, Partial: r.Partial}); err != nil {
		return err
	}
	if len(r.Breakers) == 0 {
		s.sayNone(state, r.Closed)
	}
	s.sayPartial(r.Partial)
	return nil
}

// sayPartial says what the answer lacks.
func (s *session) sayPartial(silent []string) {
	if len(silent) > 0 {
		s.say("warning: %s did not answer; rings that are open there are missing", list(silent))
	}
}

// sayNone explains an empty list, which is good news but looks like a fault.
func (s *session) sayNone(state string, closed int) {
	hosts := "no host is known yet"
	switch {
	case closed == 1:
		hosts = "1 host is closed"
	case closed > 1:
		hosts = count(closed, "host") + " are closed"
	}
	switch state {
	case admin.StateAll:
		s.say("no breaker is known: no call was reported yet")
	case "":
		s.say("no breaker is open or half-open; %s", hosts)
	default:
		s.say("no breaker is open; %s", hosts)
	}
}

func (s *session) showNamed(cmd *cobra.Command, args []string, openOnly bool) error {
	keys, err := parseKeys(cmd, args)
	if err != nil {
		return err
	}
	var l listing
	failed, failErr := s.each(cmd, keys, func(c *admin.Client, key breaker.Key) error {
		b, err := c.Breaker(cmd.Context(), key)
		if err == nil && (!openOnly || b.State == breaker.Open.String()) {
			l.Breakers = append(l.Breakers, b)
		}
		return err
	})
	if failErr != nil && len(failed) == 0 {
		return failErr
	}
	l.Failed = failed
	for _, b := range l.Breakers {
		if b.Note != "" {
			s.say("warning: %s: %s", b.Key, b.Note)
		}
		l.Partial = append(l.Partial, b.Partial...)
	}
	slices.Sort(l.Partial)
	l.Partial = slices.Compact(l.Partial)
	s.sayPartial(l.Partial)
	if len(l.Breakers) > 0 || s.json() {
		if err := s.printListing(l); err != nil {
			return err
		}
	} else if len(failed) == 0 {
		s.say("none of the hosts named is open")
	}
	return failErr
}

// severity orders states for a reader: what is wrong comes first. A state that
// only a newer node knows comes last.
func severity(state string) int {
	return slices.Index([]string{"closed", "half_open", "open"}, state)
}

func (s *session) printListing(l listing) error {
	if l.Breakers == nil {
		l.Breakers = []api.Breaker{} // [] in JSON, not null
	}
	slices.SortFunc(l.Breakers, func(a, b api.Breaker) int {
		return cmp.Or(cmp.Compare(severity(b.State), severity(a.State)), cmp.Compare(a.Key, b.Key))
	})
	if s.json() {
		return s.printJSON(l)
	}
	if len(l.Breakers) == 0 {
		return nil
	}
	rows := make([][]string, len(l.Breakers))
	for i, b := range l.Breakers {
		rows[i] = []string{b.Key, b.State, orDash(b.Reason), remaining(b), orDash(b.Owner), note(b)}
	}
	return s.table([]string{"KEY", "STATE", "REASON", "REMAINING", "OWNER", "DETAIL"}, rows)
}

// note is the detail, and what an operator must know to read the row right.
func note(b api.Breaker) string {
	detail := b.Detail
	add := func(text string) {
		if detail != "" {
			detail += "; "
		}
		detail += text
	}
	if b.Author != "" {
		add("by " + b.Author)
	}
	switch {
	case b.Local:
		add("local: only " + rejecting(b))
	case len(b.LocalNodes) > 0:
		add("rings open too: " + list(b.LocalNodes))
	}
	if toothless(b) {
		add("mode " + b.Mode + ": calls are allowed")
	}
	return detail
}

// rejecting names the nodes whose rings alone reject: "n1 and n2 reject".
func rejecting(b api.Breaker) string {
	if len(b.LocalNodes) == 0 {
		return "the node asked rejects"
	}
	return list(b.LocalNodes) + " " + verb(len(b.LocalNodes), "rejects", "reject")
}

// elsewhere reports whether only the rings of other nodes than the one asked
// reject. For its own workers the breaker is closed.
func elsewhere(b api.Breaker) bool {
	return b.Local && b.Node != "" && !slices.Contains(b.LocalNodes, b.Node)
}

// toothless reports whether the policy lets calls through whatever the state.
func toothless(b api.Breaker) bool {
	return b.Mode == string(breaker.ModeShadow) || b.Mode == string(breaker.ModeOff)
}

func remaining(b api.Breaker) string {
	if b.State != breaker.Open.String() {
		return "-"
	}
	return millis(b.RemainingMS)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
