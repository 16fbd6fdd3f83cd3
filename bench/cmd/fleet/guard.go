package main

import (
	"context"
	"sync"
	"time"

	"fleetfuse/internal/fleet"
)

// guardEvery is how often a guard asks each node.
const guardEvery = 5 * time.Millisecond

// A guard asks nodes all the time about hosts that must be rejected.
type guard struct {
	ctx   context.Context
	stop  context.CancelFunc
	hosts []string
	done  sync.WaitGroup

	mu            sync.Mutex
	answers, gaps int
}

func guarded(ctx context.Context, hosts []string) *guard {
	g := &guard{hosts: hosts}
	g.ctx, g.stop = context.WithCancel(ctx)
	return g
}

// ask has a node asked until the end. A question that fails says nothing.
func (g *guard) ask(n *fleet.Node) {
	g.done.Go(func() {
		t := time.NewTicker(guardEvery)
		defer t.Stop()
		for i := 0; g.ctx.Err() == nil; i++ {
			if a, err := n.Allow(g.ctx, g.hosts[i%len(g.hosts)]); err == nil {
				g.mu.Lock()
				g.answers++
				if a.Allowed {
					g.gaps++
				}
				g.mu.Unlock()
			}
			select {
			case <-t.C:
			case <-g.ctx.Done():
			}
		}
	})
}

func (g *guard) end() {
	g.stop()
	g.done.Wait()
}
