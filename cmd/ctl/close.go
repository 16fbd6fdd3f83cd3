package main

import (
	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func (s *session) closeCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "close HOST... [--reason TEXT]",
		Short: "Let calls to hosts through again, at once",
		Long: `Let calls to hosts through again, at once, for every worker of the fleet: ends
cooldowns (also a Retry-After the host asked for), closes the circuit and
forgets the failures counted so far.`,
		Example:           `  fleetfuse-ctl breaker close api.example.org --reason "fixed upstream"`,
		Args:              someHosts,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := parseKeys(cmd, args)
			if err != nil {
				return err
			}
			if err := checkReason(reason); err != nil {
				return err
			}
			request := api.CloseRequest{Reason: reason, Author: s.author()}
			return s.operate(cmd, keys, func(c *admin.Client, key breaker.Key) (api.OperatorResponse, error) {
				return c.Close(cmd.Context(), key, request)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "a `text` for those who ask later")
	return cmd
}
