package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"fleetfuse/internal/fleet"
)

// A crew is the nodes of one fleet, of which one may be down.
type crew struct {
	program fleet.Program

	mu    sync.Mutex
	nodes []*fleet.Node
	down  int // index of the node that is down, or none
}

const none = -1

// flags of the nodes: no circuit opens, since only a cooldown is what this is
// about, and every Retry-After is honoured.
var flags = []string{"--breaker-defaults", "fail_max:10000,retry_after_cap:86400", "--log.level", "warn"}

func start(ctx context.Context, p fleet.Program, size int) (*crew, error) {
	nodes, err := p.StartCluster(ctx, size, flags...)
	return &crew{program: p, nodes: nodes, down: none}, err
}

func (c *crew) end() { fleet.KillAll(c.all()) }

func (c *crew) all() []*fleet.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

// up is one of the nodes that run, nil if none does.
func (c *crew) up(rnd *rand.Rand) *fleet.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := rnd.IntN(len(c.nodes))
	if i == c.down {
		i = (i + 1) % len(c.nodes)
	}
	if i == c.down {
		return nil
	}
	return c.nodes[i]
}

// kill kills a node. No word to it begins from just before on, so that those
// that fail were under way, and not merely refused.
func (c *crew) kill(i int) {
	c.mu.Lock()
	c.down = i
	n := c.nodes[i]
	c.mu.Unlock()
	n.Kill()
}

// restart starts the killed node again on its data.
func (c *crew) restart(ctx context.Context) (*fleet.Node, error) {
	n, err := c.boot(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[c.down] = n
	c.down = none
	return n, nil
}

// boot starts the process of the killed node, of which nobody is told yet.
func (c *crew) boot(ctx context.Context) (*fleet.Node, error) {
	args := slices.Clone(flags)
	nodes := c.all()
	for i, n := range nodes {
		if i != c.down {
			args = append(args, "--cluster.peer", n.Gossip)
		}
	}
	return c.program.Start(ctx, nodes[c.down].Name, args...)
}

// whole waits until all nodes know each other.
func (c *crew) whole(ctx context.Context) error {
	nodes := c.all()
	for _, n := range nodes {
		if err := n.AwaitMembers(ctx, len(nodes)); err != nil {
			return err
		}
	}
	return nil
}
