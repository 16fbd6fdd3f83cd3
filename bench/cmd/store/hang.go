package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	blocks    = 6               // alternating: Redis answers, Redis hangs
	block     = 8 * time.Second // longer than a node waits for an answer
	reportAll = 20              // decisions between two reports of a Retry-After
)

// hang compares decisions of a node whose Redis answers with those while it
// hangs, in alternating blocks, with cooldowns to share all the while.
func hang(ctx context.Context, b *bench) error {
	proxy, err := fleet.StartProxy(b.redis.Address)
	if err != nil {
		return err
	}
	defer proxy.Close()
	n, err := fleet.Program{Binary: b.binary, Dir: filepath.Join(b.dir, "hang")}.Start(ctx, "n", "--cooldown-store", "redis://"+proxy.Address)
	if err != nil {
		return err
	}
	defer n.Kill()
	took := map[bool][]time.Duration{}
	for i := range blocks {
		hangs := i%2 == 1
		set := proxy.Pass
		if hangs {
			set = proxy.Hang
		}
		if err := set(); err != nil {
			return err
		}
		list, err := decide(ctx, n, i)
		if err != nil {
			return err
		}
		took[hangs] = append(took[hangs], list...)
	}
	for _, list := range took {
		slices.Sort(list)
	}
	p := func(hangs bool, q float64) time.Duration { return took[hangs][int(q*float64(len(took[hangs])-1))] }
	for _, q := range []float64{0.5, 0.99} {
		ratio := float64(p(true, q)) / float64(p(false, q))
		b.say(fmt.Sprintf("POST /v1/allow while Redis hangs, p%.0f, to while it answers", 100*q),
			fmt.Sprintf("%.2f  (%v, %v)", ratio, p(true, q).Round(time.Microsecond), p(false, q).Round(time.Microsecond)), "~ 1", ratio < 1.2)
	}
	return nil
}

// decide asks one question after the other for as long as a block takes; now
// and then a host says Retry-After.
func decide(ctx context.Context, n *fleet.Node, which int) (took []time.Duration, err error) {
	for i, end := 0, time.Now().Add(block); time.Now().Before(end); i++ {
		if i%reportAll == 0 {
			o := api.Outcome{Host: fmt.Sprintf("busy-%d-%d.example.org", which, i), Status: 429, RetryAfter: "60"}
			if err := n.Report(ctx, o); err != nil {
				return nil, err
			}
		}
		began := time.Now()
		if _, err := n.Allow(ctx, fmt.Sprintf("host-%d.example.org", i%100)); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
