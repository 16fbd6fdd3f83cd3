package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fleetfuse/api"
)

func (s *session) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say whether the node, its members and its store are well",
		Long: `Say whether the node, the members of its cluster and its store are well. Exits 1
if one of them is not normal: a member is lost, draining or apart, two run
different configurations or share a name, none of the configured peers is
reached, the store was damaged, or it or the place where cooldowns are shared
fails. A member that left is normal, and so is an open breaker: it is doing its
work. A warning says what may go wrong and changes nothing.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := s.client()
			if err != nil {
				return err
			}
			r, err := client.Status(cmd.Context())
			if err != nil {
				return err
			}
			sortMembers(r.Members)
			problems := problemsOf(r, s.env.now())
			if s.json() {
				r.Problems = problems
				err = s.printJSON(r)
			} else {
				err = s.printStatus(r, problems)
			}
			if err == nil && len(problems) > 0 {
				return errNo
			}
			return err
		},
	}
}

// problemsOf lists what is not normal: the node's own words, or ours where it
// shows a problem without words.
func problemsOf(r api.StatusResponse, now time.Time) []string {
	if len(r.Problems) > 0 {
		return r.Problems
	}
	problems := []string{}
	if !r.Ready {
		problems = append(problems, "node "+r.Node+" is not ready: it is starting or draining")
	}
	problems = append(problems, memberProblems(r.Members, now)...)
	if !r.Store.OK {
		text := "store " + r.Store.Kind + " does not work"
		if r.Store.Error != "" {
			text += ": " + r.Store.Error
		}
		problems = append(problems, text)
	}
	if h := r.Shared; h != nil && !h.OK {
		problems = append(problems, "degraded: the shared store "+h.Where+" fails: "+h.Error)
	}
	return problems
}

// condition says whether a store works, and since when not.
func condition(h api.StoreHealth, bad string, now time.Time) string {
	switch {
	case h.OK:
		return "ok"
	case h.Since == nil:
		return bad
	}
	return fmt.Sprintf("%s since %s (%s)", bad, moment(*h.Since), ago(*h.Since, now))
}

func (s *session) printStatus(r api.StatusResponse, problems []string) error {
	now := s.env.now()
	var b strings.Builder
	field := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s%s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	ready := "ready"
	if !r.Ready {
		ready = "not ready"
	}
	field("node", "%s, %s, version %s, up %s", r.Node, ready, orDash(r.Version), span(now.Sub(r.StartedAt)))
	field("store", "%s, %s, %s to write", r.Store.Kind, condition(r.Store, "NOT OK", now), count(r.Store.Pending, "change"))
	if h := r.Shared; h != nil {
		field("shared", "%s, %s, %s there, %s to write", h.Where, condition(h.StoreHealth, "DEGRADED", now),
			count(h.Entries, "key"), count(h.Pending, "key"))
	}
	field("breakers", "%d open, %d half-open, %d local; %s known, %s active",
		r.Open, r.HalfOpen, r.Local, count(r.Hosts, "key"), count(r.Actors, "actor"))
	warnings := r.Store.Warnings
	if r.Shared != nil {
		warnings = append(warnings, r.Shared.Warnings...)
	}
	if len(r.NeedsRestart) > 0 {
		warnings = append(warnings, restartText(r.Node, r.NeedsRestart))
	}
	for _, w := range warnings {
		field("warning", "%s", w)
	}
	if len(problems) == 0 {
		field("problems", "none")
	}
	for _, p := range problems {
		field("PROBLEM", "%s", p)
	}
	if err := s.print(b.String()); err != nil || len(r.Members) == 0 {
		return err
	}
	rows := make([][]string, len(r.Members))
	for i, m := range r.Members {
		rows[i] = []string{marked(m.Name, m.Self), orDash(m.State), goneFor(m, now), strconv.Itoa(m.Owned), orDash(m.APIAddress), orDash(m.Version)}
	}
	if err := s.print("\n"); err != nil {
		return err
	}
	return s.table([]string{"MEMBER", "STATE", "GONE", "OWNED", "API", "VERSION"}, rows)
}
