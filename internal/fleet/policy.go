package fleet

import (
	"context"
	"syscall"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

// Admin makes an operator's calls to the node, by its socket.
func (n *Node) Admin() (*admin.Client, error) { return admin.New("unix://" + n.Socket) }

// Policy shows a host's policy.
func (n *Node) Policy(ctx context.Context, host string) (api.PolicyResponse, error) {
	c, err := n.Admin()
	if err != nil {
		return api.PolicyResponse{}, err
	}
	return c.Policy(ctx, breaker.HostKey(host))
}

// ChangePolicy replaces fields of a host's policy; match is the version it must
// be made from, "" for any.
func (n *Node) ChangePolicy(ctx context.Context, host string, change api.PolicyChange, match string) (api.PolicyChanged, error) {
	c, err := n.Admin()
	if err != nil {
		return api.PolicyChanged{}, err
	}
	return c.ChangePolicy(ctx, breaker.HostKey(host), change, admin.PolicyOptions{Match: match})
}

// PolicyHistory lists the overlays of a host's policy.
func (n *Node) PolicyHistory(ctx context.Context, host string) (api.PolicyHistory, error) {
	c, err := n.Admin()
	if err != nil {
		return api.PolicyHistory{}, err
	}
	return c.PolicyHistory(ctx, breaker.HostKey(host))
}

// Reload makes the node read its configuration again.
func (n *Node) Reload(ctx context.Context) (api.ReloadResponse, error) {
	c, err := n.Admin()
	if err != nil {
		return api.ReloadResponse{}, err
	}
	return c.Reload(ctx)
}

// Hangup is SIGHUP: the node reads its configuration again.
func (n *Node) Hangup() error { return n.cmd.Process.Signal(syscall.SIGHUP) }
