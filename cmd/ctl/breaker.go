package main

import (
	"errors"

	"github.com/spf13/cobra"

	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func (s *session) breakerCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "breaker",
		Short: "Show, open, close and tune breakers",
		Long: `Show, open, close and tune breakers. HOST is a host name such as
api.example.org, or resolver:NAME for the breaker of a resolver.`,
		Example: `  fleetfuse-ctl breaker show
  fleetfuse-ctl breaker why api.example.org
  fleetfuse-ctl breaker open api.example.org --for 10m --reason "maintenance"`,
	})
	cmd.AddCommand(s.showCommand(), s.openCommand(), s.closeCommand(), s.checkCommand(), s.whyCommand(), s.summaryCommand(), s.adviseCommand())
	return cmd
}

// A failedKey is a key about which a command got no answer.
type failedKey struct {
	Key      string `json:"key"`
	ExitCode int    `json:"exit_code"`
	Error    string `json:"error"`
}

// each does one thing for every key and goes on after an error. It reports
// errors as they happen and returns them, and the worst as the exit code.
func (s *session) each(cmd *cobra.Command, keys []breaker.Key, do func(*admin.Client, breaker.Key) error) ([]failedKey, error) {
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	var failed []failedKey
	worst := exitYes
	for _, key := range keys {
		err := do(client, key)
		if err == nil {
			continue
		}
		var output *outputError
		if errors.As(err, &output) || cmd.Context().Err() != nil {
			return failed, err // nobody reads on, or wants more
		}
		s.complain(cmd, string(key), err)
		failed = append(failed, failedKey{string(key), exitCode(err), err.Error()})
		worst = max(worst, exitCode(err))
	}
	if worst != exitYes {
		return failed, failure(worst)
	}
	return nil, nil
}
