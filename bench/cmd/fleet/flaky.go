package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	flakyFor   = 20 * time.Second
	flakyBatch = 100 // outcomes in a report
	flakyEvery = 50 * time.Millisecond
)

// flaky reports calls to one host that fails often but not always, 10,000 a
// second, and counts how often its owner asks the members what they saw. The
// time a call takes matters: a success vouches for the moment it began.
func flaky(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	s, err := follow(ctx, c.nodes)
	if err != nil {
		return err
	}
	defer s.end()
	for _, x := range []struct {
		p       float64
		latency time.Duration
	}{{0.5, 0}, {0.8, 0}, {0.05, 20 * time.Millisecond}, {0.5, 20 * time.Millisecond}, {0.8, 20 * time.Millisecond}} {
		f := &flaking{crew: c, streams: s, p: x.p, latency: x.latency, host: fmt.Sprintf("flaky-%.0f-%d.example.org", 100*x.p, x.latency/time.Millisecond)}
		if err := f.run(ctx); err != nil {
			return err
		}
		b.say(fmt.Sprintf("p(fail) %.2f, calls take %v, %.0f calls/s for %v", f.p, f.latency, f.rate, flakyFor),
			fmt.Sprintf("%.0f rounds, %s; %d of %d rings opened", f.rounds, f.tripped, f.rings, size),
			"at most one round a second", b.verdict(f.rounds <= 1+f.until.Seconds()))
	}
	return nil
}

type flaking struct {
	*crew
	*streams
	p       float64
	latency time.Duration
	host    string

	rate, rounds float64
	rings        int
	tripped      string
	until        time.Duration // of the trip, else of the end
}

const roundsTotal = "fleetfuse_witness_rounds_total"

func (f *flaking) run(ctx context.Context) error {
	before, err := total(ctx, f.nodes, roundsTotal)
	if err != nil {
		return err
	}
	start := time.Now()
	calls := 0
	err = all(f.nodes, func(i int, n *fleet.Node) error {
		sent, err := f.worker(ctx, n, start.Add(time.Duration(i)*flakyEvery/size))
		f.mu.Lock()
		defer f.mu.Unlock()
		calls += sent
		return err
	})
	if err != nil {
		return err
	}
	f.until = time.Since(start)
	after, err := total(ctx, f.nodes, roundsTotal)
	if err != nil {
		return err
	}
	f.rate, f.rounds = float64(calls)/f.until.Seconds(), after-before
	f.tripped = "no trip in " + ms(f.until)
	list, err := f.of(f.host)
	rings := map[int]bool{}
	for _, x := range slices.Backward(list) {
		switch {
		case x.open():
			f.until = x.at.Sub(start)
			f.tripped = "tripped after " + ms(f.until)
		case x.State == "open":
			rings[x.node] = true
		}
	}
	f.rings = len(rings)
	return err
}

// worker reports for one node, beginning a little later than the one before.
func (f *flaking) worker(ctx context.Context, n *fleet.Node, start time.Time) (sent int, err error) {
	time.Sleep(time.Until(start))
	t := time.NewTicker(flakyEvery)
	defer t.Stop()
	outcomes := make([]api.Outcome, flakyBatch)
	for time.Since(start) < flakyFor {
		for i := range outcomes {
			ago := flakyEvery * time.Duration(flakyBatch-1-i) / flakyBatch
			o := api.Outcome{Host: f.host, Status: 200, LatencyMS: f.latency.Milliseconds(), AgeMS: ago.Milliseconds()}
			if rand.Float64() < f.p {
				o.Status = 503
			}
			outcomes[i] = o
		}
		if err := n.Report(ctx, outcomes...); err != nil {
			return sent, err
		}
		sent += flakyBatch
		select {
		case <-t.C:
		case <-ctx.Done():
			return sent, ctx.Err()
		}
	}
	return sent, nil
}
