package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"fleetfuse/api"
)

// maxChangesShown bounds how many changes a reload prints.
const maxChangesShown = 100

func (s *session) configReloadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Make a node read its configuration again, and say what changed",
		Long: `Make the node asked read its configuration files again, and say what changed.
Policies, and what the tuner may do, change at once, without forgetting
anything; what else changed needs a restart of the node, and is named. One error
in the files and nothing changes: each error is listed, and it exits 1.

Only the node asked does it: "fleetfuse-ctl status" says whether all members run
the same.`,
		Example: `  fleetfuse-ctl config check fleetfuse.yaml && fleetfuse-ctl config reload`,
		Args:    noArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := s.client()
			if err != nil {
				return err
			}
			r, err := client.Reload(cmd.Context())
			var refused *api.Problem
			if errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity {
				s.complain(cmd, "", err)
				return errNo // the node answered, and the answer is about the files
			}
			if err != nil {
				return err
			}
			if s.json() {
				return s.printJSON(r)
			}
			return s.printReload(r)
		},
	}
}

func (s *session) printReload(r api.ReloadResponse) error {
	shown := r.Changes[:min(len(r.Changes), maxChangesShown)]
	more := r.More + len(r.Changes) - len(shown)
	head := r.Node + " reloaded its configuration; neither a policy nor the tuner changed"
	if n := more + len(shown); n > 0 {
		head = fmt.Sprintf("%s reloaded its configuration: %s", r.Node, count(n, "change"))
	}
	if r.Before != r.Hash {
		head += fmt.Sprintf(", hash %s -> %s", orDash(shortHash(r.Before)), orDash(shortHash(r.Hash)))
	}
	if err := s.print(printable(head) + "\n"); err != nil {
		return err
	}
	if len(shown) > 0 {
		rows := make([][]string, len(shown))
		for i, c := range shown {
			rows[i] = []string{c.Scope, c.Field, orDash(c.From), orDash(c.To), orDash(c.Origin)}
		}
		if err := s.table([]string{"SCOPE", "FIELD", "FROM", "TO", "ORIGIN"}, rows); err != nil {
			return err
		}
	}
	if more > 0 {
		if err := s.print(fmt.Sprintf("and %d more; fleetfuse-ctl config show --host HOST shows what applies\n", more)); err != nil {
			return err
		}
	}
	if len(r.NeedsRestart) == 0 {
		return nil
	}
	return s.print(wrap(printable(restartText(r.Node, r.NeedsRestart)), textWidth) + "\n")
}

// restartText says which options of a file a node does not run with.
func restartText(node string, options []string) string {
	return fmt.Sprintf("%s changed and %s a restart of %s: %s", count(len(options), "option"), verb(len(options), "needs", "need"), node, list(options))
}
