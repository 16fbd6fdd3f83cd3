package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func (s *session) policyHistoryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "history HOST",
		Short: "List what was replaced of a policy, the latest first",
		Long: `List what was replaced of the policy of a breaker at run time, as far as the
members of the fleet remember, the latest first:

  current     in force
  replaced    by a later version
  expired     had only temporary fields, and their time is over
  superseded  made by somebody who did not know of the others, and not in force`,
		Example:           `  fleetfuse-ctl policy history api.example.org`,
		Args:              oneHost,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, key, err := s.target(cmd, args[0])
			if err != nil {
				return err
			}
			h, err := client.PolicyHistory(cmd.Context(), key)
			if err != nil {
				return err
			}
			if s.json() {
				return s.printJSON(h)
			}
			return s.printHistory(h)
		},
	}
}

func (s *session) printHistory(h api.PolicyHistory) error {
	for i, o := range h.Entries {
		text := s.overlayText(o)
		if i > 0 {
			text = "\n" + text
		}
		if err := s.print(text); err != nil {
			return err
		}
	}
	if len(h.Entries) == 0 {
		s.say("%s: nothing was replaced at run time", h.Key)
	}
	s.sayForgotten(h.Partial)
	return nil
}

// sayForgotten says what a history lacks.
func (s *session) sayForgotten(silent []string) {
	if len(silent) > 0 {
		s.say("warning: %s did not answer; versions that only %s %s are missing", list(silent), verb(len(silent), "it", "they"), verb(len(silent), "remembers", "remember"))
	}
}

func (s *session) policyRollbackCommand() *cobra.Command {
	var flags changeFlags
	var to string
	cmd := &cobra.Command{
		Use:   "rollback HOST [--to VERSION]",
		Short: "Bring back an earlier version of what was replaced of a policy",
		Long: `Bring back an earlier version of what operators replaced of the policy of a
breaker: the one that the current version was made from, or --to another one
that "policy history" lists; --to 0 undoes all that operators replaced. That makes a
new version, so that a second rollback undoes the first. What was temporary
stays away; what the tuner replaced stays as it is. Exits 5 if the version is
not in the history, or there is none to go back to.`,
		Example: `  fleetfuse-ctl policy rollback api.example.org --dry-run
  fleetfuse-ctl policy rollback api.example.org --to 4`,
		Args:              oneHost,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd); err != nil {
				return err
			}
			if err := checkVersion(cmd, "to", to); err != nil {
				return err
			}
			client, key, err := s.target(cmd, args[0])
			if err != nil {
				return err
			}
			back, current, err := s.rollbackTarget(cmd, client, key, to)
			if err != nil {
				return err
			}
			return s.rollback(cmd, client, key, back, current, flags)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the `version` to bring back")
	flags.add(cmd)
	return cmd
}

// rollbackTarget finds the overlay to bring back, and the version in force.
func (s *session) rollbackTarget(cmd *cobra.Command, c *admin.Client, key breaker.Key, to string) (back api.PolicyOverlay, current string, err error) {
	p, err := c.Policy(cmd.Context(), key)
	if err != nil {
		return back, "", err
	}
	h, err := c.PolicyHistory(cmd.Context(), key)
	if err != nil {
		return back, "", err
	}
	if p.Note != "" {
		s.say("warning: %s", p.Note)
	}
	s.sayForgotten(h.Partial)
	history := "fleetfuse-ctl policy history " + hostArg(key)
	if to == "" {
		if p.Version == noVersion {
			return back, "", notFound(fmt.Sprintf("%s: no operator replaced anything, so there is nothing to go back to", key), history)
		}
		newest, ok := versionIn(h, p.Version)
		if !ok {
			return back, "", notFound(fmt.Sprintf("%s: version %s, which is in force, is not in the history, so what it was made from is unknown", key, p.Version),
				history+", then --to VERSION")
		}
		to = newest.Base
	}
	back, ok := versionIn(h, to)
	if !ok && to != noVersion {
		return back, "", notFound(fmt.Sprintf("%s: version %s is not in the history", key, to), history)
	}
	return back, p.Version, nil
}

// versionIn finds a version of the operator's overlay. Two nodes that did not
// know of each other may have made the same: the one that is in line counts.
func versionIn(h api.PolicyHistory, version string) (api.PolicyOverlay, bool) {
	isIt := func(o api.PolicyOverlay) bool { return o.Register == api.RegisterOperator && o.Version == version }
	i := slices.IndexFunc(h.Entries, func(o api.PolicyOverlay) bool { return isIt(o) && o.State != stateSuperseded })
	if i < 0 {
		i = slices.IndexFunc(h.Entries, isIt)
	}
	if i < 0 {
		return api.PolicyOverlay{Version: version}, false
	}
	return h.Entries[i], true
}

// stateSuperseded is what a history calls a version that lost.
const stateSuperseded = "superseded"

// rollback makes the lasting fields of an overlay the operator's overlay.
func (s *session) rollback(cmd *cobra.Command, c *admin.Client, key breaker.Key, back api.PolicyOverlay, current string, flags changeFlags) error {
	o := admin.PolicyOptions{Whole: true, Match: current, DryRun: flags.dryRun}
	if flags.version != "" {
		o.Match = flags.version
	}
	reason := flags.reason
	if reason == "" {
		reason = "rollback to version " + back.Version
	}
	if len(back.Temporary) > 0 {
		s.say("note: version %s had temporary fields, which are not brought back: %s", back.Version, fieldsText(back.Temporary))
	}
	fields := back.Fields
	if fields == nil { // and yet not a DELETE, which would reset the tuner's overlay too
		fields = map[string]any{}
	}
	r, err := c.ChangePolicy(cmd.Context(), key, api.PolicyChange{Set: fields, Author: s.author(), Reason: reason}, o)
	if err != nil {
		return moved(err, key, o.Match, "--to "+shellWord(back.Version)+" ")
	}
	done := "rolled back to version " + back.Version
	if back.Version == noVersion {
		done = "what operators replaced was reset"
	}
	return s.printChanged(r, changed{
		done: done, apply: s.applied(cmd, key, &flags, r.Version, []string{"--to", shellWord(back.Version)}),
	})
}
