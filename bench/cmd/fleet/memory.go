package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	rest        = 5 * time.Second // in which a fleet is left alone before its memory is read
	spreadLimit = 4 * time.Minute // only stops hangs
	spreadPoll  = 50 * time.Millisecond
)

// memory reads the resident memory of nodes whose view holds more and more
// exceptions. A node owns a fifth of them and has an actor for each of these.
func memory(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	var empty float64
	have := 0
	for _, want := range []int{0, 10_000, 100_000} {
		start := time.Now()
		if err := c.except(ctx, have, want); err != nil {
			return err
		}
		have = want
		took := time.Since(start)
		time.Sleep(rest)
		rss, heap, err := c.footprint(ctx)
		if err != nil {
			return err
		}
		each := ""
		if want == 0 {
			empty = rss[size/2]
		} else {
			each = fmt.Sprintf("%.0f B each; everywhere in %s", (rss[size/2]-empty)/float64(want), ms(took))
		}
		b.say(fmt.Sprintf("resident memory of a node with %d exceptions", want),
			fmt.Sprintf("median %.0f MiB  max %.0f MiB  (heap in use %.0f)", rss[size/2]/mib, rss[size-1]/mib, heap/mib), each, beside)
	}
	return nil
}

const mib = 1 << 20

// except reports a Retry-After of each new host and waits until all nodes know.
func (c *crew) except(ctx context.Context, have, want int) error {
	if err := all(c.nodes, func(i int, n *fleet.Node) error {
		for from := have + i*api.MaxOutcomes; from < want; from += size * api.MaxOutcomes {
			var outcomes []api.Outcome
			for k := range api.MaxOutcomes {
				outcomes = append(outcomes, api.Outcome{Host: fmt.Sprintf("busy-%d.example.org", from+k), Status: 429, RetryAfter: "900"})
			}
			if err := n.Report(ctx, outcomes...); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	limit := time.Now().Add(spreadLimit)
	for _, n := range c.nodes {
		for {
			open, err := metric(ctx, n, "fleetfuse_breakers_open")
			if err != nil {
				return err
			}
			if int(open) == want {
				break
			}
			if time.Now().After(limit) {
				return fmt.Errorf("node %s knows %.0f of %d exceptions after %v", n.Name, open, want, spreadLimit)
			}
			time.Sleep(spreadPoll)
		}
	}
	return nil
}

// footprint is the resident memory of the nodes, sorted, and the median of
// their heaps.
func (c *crew) footprint(ctx context.Context) (rss []float64, heap float64, err error) {
	var heaps []float64
	for _, n := range c.nodes {
		m, err := metrics(ctx, n)
		if err != nil {
			return nil, 0, err
		}
		rss = append(rss, m["process_resident_memory_bytes"])
		heaps = append(heaps, m["go_memstats_heap_inuse_bytes"])
	}
	slices.Sort(rss)
	slices.Sort(heaps)
	return rss, heaps[size/2], nil
}
