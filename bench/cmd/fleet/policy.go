package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	replacements = 500
	live         = 10_000 // breakers with an actor
	reloads      = 5
)

// policy measures from just before a policy is replaced until that is
// acknowledged: by then it is on the disks of two nodes. Every node is asked,
// about breakers of every owner. Then all nodes are asked what they obey.
func policy(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	var hosts []string
	for i := range c.nodes {
		some, err := c.ownedBy(ctx, i, 10, "policy")
		if err != nil {
			return err
		}
		hosts = append(hosts, some...)
	}
	var acknowledged, obeyed []time.Duration
	for i := range replacements {
		host, failMax := hosts[i*7%len(hosts)], 10+i
		start := time.Now()
		a, err := c.nodes[i%size].ChangePolicy(ctx, host, api.PolicyChange{Set: map[string]any{"fail_max": failMax}}, "")
		if err != nil {
			return err
		}
		acknowledged = append(acknowledged, time.Since(start))
		if !a.Durable || a.Copies < 2 {
			return fmt.Errorf("a replacement was acknowledged with %+v", a)
		}
		err = all(c.nodes, func(_ int, n *fleet.Node) error {
			return n.AwaitFor(ctx, 10*time.Second, "a policy", func() (bool, error) {
				b, err := n.Breaker(ctx, host)
				return err == nil && b.Policy.FailMax == failMax, err
			})
		})
		if err != nil {
			return err
		}
		obeyed = append(obeyed, time.Since(start))
	}
	p99 := at(acknowledged, 0.99)
	b.say(fmt.Sprintf("%d policies replaced: request -> acknowledged", replacements), quantiles(acknowledged), "p99 <= 20 ms", b.verdict(p99 <= 20*time.Millisecond))
	b.say(fmt.Sprintf("  request -> seen at all %d nodes, by asking them", size), quantiles(obeyed), "", beside)
	return nil
}

// reload measures how long a node reads its configuration again while breakers
// are live, and what that does to decisions: one node that owns them all, then
// five at once.
func reload(ctx context.Context, b *bench) error {
	file := filepath.Join(b.dir, "reload.yaml")
	if err := os.WriteFile(file, config(0), 0o600); err != nil {
		return err
	}
	alone := b.program()
	n, err := alone.Start(ctx, "alone", "--config", file)
	if err != nil {
		return err
	}
	one := &crew{program: alone, nodes: []*fleet.Node{n}}
	defer one.end()
	took, busy, calm, err := one.reload(ctx, file)
	if err != nil {
		return err
	}
	b.say(fmt.Sprintf("%d reloads of a node with %d live breakers, %d hosts in the file", reloads, live, live), quantiles(took), "<= 2 s",
		b.verdict(slices.Max(took) <= 2*time.Second))
	b.say("  POST /v1/allow before", quantiles(calm), "", beside)
	b.say("  POST /v1/allow meanwhile", quantiles(busy), "", beside)
	one.end()

	five, err := b.fleet(ctx, "--config", file)
	defer five.end()
	if err != nil {
		return err
	}
	if took, busy, _, err = five.reload(ctx, file); err != nil {
		return err
	}
	b.say(fmt.Sprintf("  %d nodes at once on these cores", size), quantiles(took), "", beside)
	b.say("  POST /v1/allow meanwhile", quantiles(busy), "", beside)
	return nil
}

// reload makes all nodes read a file that changes, again and again, and measures
// decisions of the first node meanwhile and before.
func (c *crew) reload(ctx context.Context, file string) (took, busy, calm []time.Duration, err error) {
	if err := c.enliven(ctx); err != nil {
		return nil, nil, nil, err
	}
	if calm, err = decisions(ctx, c.nodes[0], func() error { time.Sleep(2 * time.Second); return nil }); err != nil {
		return nil, nil, nil, err
	}
	for i := range reloads {
		if err := os.WriteFile(file, config(i+1), 0o600); err != nil {
			return nil, nil, nil, err
		}
		more, err := decisions(ctx, c.nodes[0], func() error {
			return all(c.nodes, func(_ int, n *fleet.Node) error {
				start := time.Now()
				r, err := n.Reload(ctx)
				if err == nil && len(r.Changes) == 0 {
					err = fmt.Errorf("%s found nothing to change", n.Name)
				}
				if n == c.nodes[0] {
					took = append(took, time.Since(start))
				}
				return err
			})
		})
		if err != nil {
			return nil, nil, nil, err
		}
		busy = append(busy, more...)
		time.Sleep(300 * time.Millisecond)
	}
	return took, busy, calm, nil
}

// config is a file with a policy for every live host; each edition another one.
func config(edition int) []byte {
	text := fmt.Appendf(nil, "defaults: {fail_max: %d}\nhosts:\n", 100+edition)
	for i := range live {
		text = fmt.Appendf(text, "  live-%d.example.org: {fail_max: %d, roles: {metadata: {trial_calls: 2}}}\n", i, 200+edition)
	}
	return text
}

// enliven gives every host a failure, so that its owner counts it.
func (c *crew) enliven(ctx context.Context) error {
	for i := 0; i < live; i += 500 {
		var outcomes []api.Outcome
		for k := range 500 {
			outcomes = append(outcomes, failures(fmt.Sprintf("live-%d.example.org", i+k), 1)...)
		}
		if err := c.nodes[i/500%len(c.nodes)].Report(ctx, outcomes...); err != nil {
			return err
		}
	}
	return c.nodes[0].AwaitFor(ctx, time.Minute, "actors", func() (bool, error) {
		actors := 0
		for _, n := range c.nodes {
			st, err := n.Status(ctx)
			if err != nil {
				return false, err
			}
			actors += st.Actors
		}
		return actors >= live, nil
	})
}

// decisions measures those about live hosts at a node while something is done.
func decisions(ctx context.Context, n *fleet.Node, meanwhile func() error) (took []time.Duration, err error) {
	done := make(chan error, 1)
	go func() { done <- meanwhile() }()
	for i := 0; ; i++ {
		select {
		case err := <-done:
			return took, err
		default:
		}
		start := time.Now()
		if _, err := n.Allow(ctx, fmt.Sprintf("live-%d.example.org", i%live)); err != nil {
			return took, err
		}
		took = append(took, time.Since(start))
	}
}
