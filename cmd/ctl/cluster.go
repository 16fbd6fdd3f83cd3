package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func (s *session) clusterCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "cluster",
		Short: "Show the members of the cluster, and make one leave",
		Long: `Show the members of the cluster as the node asked sees it, say who owns a
breaker, and make a node leave.`,
		Example: `  fleetfuse-ctl cluster members
  fleetfuse-ctl cluster owner api.example.org
  fleetfuse-ctl cluster leave --addr https://10.0.0.2:7140`,
	})
	cmd.AddCommand(s.membersCommand(), s.ownerCommand(), s.leaveCommand())
	return cmd
}

func (s *session) membersCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "members",
		Short: "List the members of the cluster",
		Long: `List the members of the cluster as the node asked sees it, those that left or
were lost lately among them:

  alive     well
  draining  leaving; owns nothing
  apart     its clock is days off; owns nothing
  lost      went without leaving, in the last 10 minutes
  left      was told to

OWNED counts the breakers a member owns of those that are not closed. Exits 0
whatever the members' states are: "fleetfuse-ctl status" is the judge.`,
		Args: noArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := s.client()
			if err != nil {
				return err
			}
			r, err := client.Cluster(cmd.Context())
			if err != nil {
				return err
			}
			sortMembers(r.Members)
			if s.json() {
				return s.printJSON(r)
			}
			if err := s.printMembers(r.Members); err != nil {
				return err
			}
			for _, p := range misfits(r.Members) {
				s.say("warning: %s", p)
			}
			return nil
		},
	}
}

// owners is what owner answers, as JSON.
type owners struct {
	Owners []api.OwnerResponse `json:"owners"`
	Failed []failedKey         `json:"failed,omitempty"`
}

func (s *session) ownerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "owner HOST...",
		Short: "Say which member owns the breakers of hosts",
		Long: `Say which member owns the breakers of hosts. Every host has an owner, also one
that nobody has called yet. Exits 1 if no member can own it: each one is
draining or apart.`,
		Example: `  fleetfuse-ctl cluster owner api.example.org resolver:crossref`,
		Args:    someHosts, ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := parseKeys(cmd, args)
			if err != nil {
				return err
			}
			o := owners{Owners: []api.OwnerResponse{}}
			failed, failErr := s.each(cmd, keys, func(c *admin.Client, key breaker.Key) error {
				r, err := c.Owner(cmd.Context(), key)
				if err == nil {
					o.Owners = append(o.Owners, r)
				}
				return err
			})
			if failErr != nil && len(failed)+len(o.Owners) == 0 {
				return failErr
			}
			o.Failed = failed
			if err := s.printOwners(o); err != nil {
				return err
			}
			if failErr == nil && s.sayUnowned(o) {
				return errNo
			}
			return failErr
		},
	}
}

func (s *session) printOwners(o owners) error {
	if s.json() {
		return s.printJSON(o)
	}
	if len(o.Owners) == 0 {
		return nil
	}
	rows := make([][]string, len(o.Owners))
	for i, r := range o.Owners {
		rows[i] = []string{r.Key, marked(orDash(r.Owner), r.Self), orDash(r.Address), orDash(r.APIAddress), orDash(r.OwnerID)}
	}
	return s.table([]string{"KEY", "OWNER", "ADDRESS", "API", "ID"}, rows)
}

// sayUnowned reports whether a key has no owner, and says so.
func (s *session) sayUnowned(o owners) bool {
	found := false
	for _, r := range o.Owners {
		if r.OwnerID == "" && r.Owner == "" {
			s.say("%s: no member can own it now: each one is draining or apart", r.Key)
			found = true
		}
	}
	if found {
		s.say("Try: fleetfuse-ctl cluster members")
	}
	return found
}

func (s *session) leaveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "leave",
		Short: "Make the node asked leave the cluster and end",
		Long: `Make the node asked (--addr) leave the cluster and end, as a SIGTERM to it does:
it hands the breakers it owns to the others, finishes what it was asked, and its
process ends. What is open stays open. Exits 0 when the node has accepted; the
rest takes some seconds.

Workers on its machine that use an SDK go on with what they know, and with what
they see themselves, until a node runs there again; callers over plain HTTP get
no answer. A supervisor that restarts the node brings it back.`,
		Example: `  fleetfuse-ctl cluster leave --addr https://10.0.0.2:7140`,
		Args:    nobodyElse, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := s.client()
			if err != nil {
				return err
			}
			r, err := client.Leave(cmd.Context(), api.LeaveRequest{Author: s.author()})
			if err != nil {
				return err
			}
			if s.json() {
				return s.printJSON(r)
			}
			return s.printLeave(r)
		},
	}
}

// nobodyElse wants no argument: whoever names a node may mean another one than
// the one asked.
func nobodyElse(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{
			what: fmt.Sprintf("leave takes no name, and nothing was done about %q: it is the node asked that leaves", args[0]),
			try:  cmd.CommandPath() + " --addr API, with the API address that cluster members shows",
		}
	}
	return nil
}

// printLeave says what happens now, and where to look whether it did.
func (s *session) printLeave(r api.LeaveResponse) error {
	sortMembers(r.Remaining)
	names := make([]string, len(r.Remaining))
	next := ""
	for i, m := range r.Remaining {
		names[i] = m.Name
		if next == "" {
			next = m.APIAddress
		}
	}
	text := r.Node + " is leaving"
	if len(names) == 0 {
		text += ", and no other member is alive to take over: what it knows stays on its disk until it is started again."
	} else {
		text += fmt.Sprintf(": %s %s over the breakers it owns; ", list(names), verb(len(names), "takes", "take"))
		switch r.Owned {
		case 0:
			text += "all of them are closed."
		default:
			text += fmt.Sprintf("%d of them %s not closed.", r.Owned, verb(r.Owned, "is", "are"))
		}
	}
	text += " Then its process ends."
	if err := s.print(wrap(printable(text), textWidth) + "\n"); err != nil {
		return err
	}
	if next != "" {
		s.say("Try: fleetfuse-ctl cluster members --addr %s", shellWord(s.nodeAddr(next)))
	}
	return nil
}
