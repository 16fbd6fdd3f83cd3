package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

func (s *session) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check HOST",
		Short: "Exit 0 if the breaker is closed, 1 if it is not",
		Long: `Exit 0 if the breaker is closed, 1 if it is open or half-open, higher if there
is no answer. In the modes off and shadow calls are allowed in every state: that
is 0. What only other nodes reject, each by what it saw itself, is closed
for the node asked. Asking takes no permit: a worker that wants to probe asks its
node with POST /v1/allow.`,
		Example: `  fleetfuse-ctl breaker check api.example.org && ./harvest`,
		Args:    oneHost, ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := s.breaker(cmd, args[0])
			if err != nil {
				return err
			}
			if err := s.printCheck(b); err != nil {
				return err
			}
			if b.Note != "" {
				s.say("warning: %s", b.Note)
			}
			if b.State != breaker.Closed.String() && !elsewhere(b) && !toothless(b) {
				return errNo
			}
			return nil
		},
	}
}

func (s *session) printCheck(b api.Breaker) error {
	if s.json() {
		return s.printJSON(b)
	}
	if elsewhere(b) {
		return s.print(fmt.Sprintf("%s is %s here; only %s (%s)\n",
			printable(b.Key), s.paint(breaker.Closed.String()), printable(rejecting(b)), printable(b.Reason)))
	}
	text := printable(b.Key) + " is " + s.paint(printable(b.State))
	if b.Reason != "" && b.State != breaker.Closed.String() {
		text += " (" + printable(b.Reason) + ")"
	}
	if b.State == breaker.Open.String() {
		text += fmt.Sprintf(", for another %s", millis(b.RemainingMS))
	}
	if b.Local {
		text += "; only " + printable(rejecting(b))
	}
	if toothless(b) {
		text += fmt.Sprintf(", in mode %s: calls are allowed", printable(b.Mode))
	}
	return s.print(text + "\n")
}

// breaker asks for the one breaker an argument names.
func (s *session) breaker(cmd *cobra.Command, arg string) (api.Breaker, error) {
	keys, err := parseKeys(cmd, []string{arg})
	if err != nil {
		return api.Breaker{}, err
	}
	client, err := s.client()
	if err != nil {
		return api.Breaker{}, err
	}
	return client.Breaker(cmd.Context(), keys[0])
}
