package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fleetfuse/api"
)

// joinLimit bounds the time until members know each other.
const joinLimit = 20 * time.Second

// StartCluster starts nodes n1, n2, ... of one cluster and waits until each
// knows all others. args are further flags of each.
func (p Program) StartCluster(ctx context.Context, size int, args ...string) ([]*Node, error) {
	return startCluster(ctx, size, func(i int, peer ...string) (*Node, error) {
		return p.Start(ctx, nodeName(i), append(peer, args...)...)
	})
}

func nodeName(i int) string { return fmt.Sprint("n", i+1) }

// startCluster starts a first node, then all others with it as their peer.
func startCluster(ctx context.Context, size int, start func(i int, peer ...string) (*Node, error)) ([]*Node, error) {
	first, err := start(0)
	if err != nil {
		return nil, err
	}
	nodes := make([]*Node, size)
	nodes[0] = first
	errs := make([]error, size)
	var all sync.WaitGroup
	for i := 1; i < size; i++ {
		all.Go(func() { nodes[i], errs[i] = start(i, "--cluster.peer", first.Gossip) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			KillAll(nodes)
			return nil, err
		}
	}
	for _, n := range nodes {
		if err := n.AwaitMembers(ctx, size); err != nil {
			KillAll(nodes)
			return nil, err
		}
	}
	return nodes, nil
}

// KillAll kills nodes; nil ones are passed over.
func KillAll(nodes []*Node) {
	for _, n := range nodes {
		if n != nil {
			n.Kill()
		}
	}
}

// Members lists the members as the node sees them.
func (n *Node) Members(ctx context.Context) ([]api.Member, error) {
	var r api.ClusterResponse
	_, err := n.Call(ctx, "GET", "/v1/cluster", nil, &r)
	return r.Members, err
}

// AwaitMembers waits until the node knows so many live members.
func (n *Node) AwaitMembers(ctx context.Context, size int) error {
	return n.AwaitFor(ctx, joinLimit, fmt.Sprint(size, " live members"), func() (bool, error) {
		members, err := n.Members(ctx)
		var seen []string
		live := 0
		for _, m := range members {
			seen = append(seen, fmt.Sprintf("%s#%d %s", m.Name, m.Epoch, m.State))
			if m.State == api.MemberAlive {
				live++
			}
		}
		if err == nil && live != size {
			err = fmt.Errorf("it sees %q", seen)
		}
		return live == size, err
	})
}

// AwaitFor is Await with a limit.
func (n *Node) AwaitFor(ctx context.Context, limit time.Duration, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return n.Await(ctx, what, holds)
}

// Await polls until something holds; errors while polling are tried again.
func (n *Node) Await(ctx context.Context, what string, holds func() (bool, error)) error {
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		ok, err := holds()
		if err == nil && ok {
			return nil
		}
		select {
		case <-poll.C:
		case <-n.exited:
			return fmt.Errorf("node %s ended while %s was awaited: %v\n%s", n.Name, what, n.err, n.Log())
		case <-ctx.Done():
			return fmt.Errorf("node %s: %s was awaited in vain (last error: %v)\n%s", n.Name, what, err, n.Log())
		}
	}
}
