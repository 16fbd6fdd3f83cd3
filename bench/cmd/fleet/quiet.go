package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	quietCalls = 1_000_000
	quietHosts = 10_000
	quietAsked = 10_000 // of the calls are also asked for
)

// quiet counts what nodes tell each other while every call succeeds. A digest
// that goes to one member every 2 s is not about calls and stands beside.
func quiet(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	time.Sleep(time.Second) // nothing of the start is under way any more
	before, err := frames(ctx, c.nodes)
	if err != nil {
		return err
	}
	start := time.Now()
	err = all(c.nodes, func(i int, n *fleet.Node) error {
		for k := range quietAsked / size {
			if _, err := n.Allow(ctx, quietHost(i+k)); err != nil {
				return err
			}
		}
		outcomes := make([]api.Outcome, api.MaxOutcomes)
		for k := range quietCalls / size / api.MaxOutcomes {
			for j := range outcomes {
				outcomes[j] = api.Outcome{Host: quietHost(i + k*api.MaxOutcomes + j), Status: 200, LatencyMS: 20}
			}
			if err := n.Report(ctx, outcomes...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // for what would be sent late
	took := time.Since(start)
	after, err := frames(ctx, c.nodes)
	if err != nil {
		return err
	}
	counted := 0.0
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(after)) {
		n := after[kind] - before[kind]
		if n > 0 {
			kinds = append(kinds, fmt.Sprintf("%s %.0f", kind, n))
		}
		if kind != "digest" {
			counted += n
		}
	}
	b.say(fmt.Sprintf("frames about breakers for %d calls that succeeded", quietCalls), fmt.Sprintf("%.0f", counted), "0", b.verdict(counted == 0))
	b.say("  all frames of all nodes meanwhile", strings.Join(kinds, ", "), fmt.Sprintf("in %v", took.Round(100*time.Millisecond)), beside)
	return nil
}

func quietHost(i int) string { return fmt.Sprintf("well-%d.example.org", i%quietHosts) }

// frames sums what the nodes sent, by kind.
func frames(ctx context.Context, nodes []*fleet.Node) (map[string]float64, error) {
	sum := map[string]float64{}
	for _, n := range nodes {
		m, err := metrics(ctx, n)
		if err != nil {
			return nil, err
		}
		found := false
		for name, value := range m {
			if kind, ok := strings.CutPrefix(name, `fleetfuse_frames_sent_total{kind="`); ok {
				sum[strings.TrimSuffix(kind, `"}`)] += value
				found = true
			}
		}
		if !found { // it sends digests, whatever happens
			return nil, fmt.Errorf("node %s does not count what it sends", n.Name)
		}
	}
	return sum, nil
}
