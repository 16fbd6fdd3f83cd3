package node

import (
	"context"
	"errors"
	"net"
	"os"

	"fleetfuse/cluster"
)

// tryPorts says of all addresses at once which cannot be listened on, before any
// other member sees this node come. What is no address, the parts say themselves.
func (n *Node) tryPorts(ctx context.Context) error {
	if n.opt.Gossip.Transport != nil {
		return nil // there is no network
	}
	wanted := []struct{ flag, addr string }{
		{"--http.listen-address", n.opt.HTTPListen},
		{"--cluster.listen-address", n.opt.Gossip.Listen},
		{"--actor.listen-address", n.opt.Actor.Listen},
	}
	var errs []error
	var lc net.ListenConfig
	for _, w := range wanted {
		if w.addr == "" {
			continue
		}
		l, err := lc.Listen(ctx, "tcp", w.addr)
		var refused *os.SyscallError
		switch {
		case err == nil:
			defer l.Close() // at the end: two of them may be the same
		case errors.As(err, &refused):
			errs = append(errs, cluster.CannotListen(w.flag, w.addr, refused))
		}
	}
	return errors.Join(errs...)
}
