// Command kills kills nodes with kill -9 at random moments under load, starts
// them again on their data, and says how much of what they had acknowledged
// survived (DESIGN sections 2 and 6): operators' opens and closes, and
// Retry-Afters listed as durable. It ends with "survived", or with "lost N" and
// exit code 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"fleetfuse/internal/fleet"
)

// options are the flags.
type options struct {
	binary       string
	nodes, kills int
	seed         uint64
	wipe         bool
}

func main() {
	var o options
	flag.StringVar(&o.binary, "node", "../bin/fleetfuse-node", "the node's `binary`, built by make build")
	flag.IntVar(&o.nodes, "nodes", 1, "how many nodes the fleet has")
	flag.IntVar(&o.kills, "kills", 200, "how often a node is killed")
	flag.Uint64Var(&o.seed, "seed", 0, "of whom is killed, when, and what is said; 0 picks one")
	flag.BoolVar(&o.wipe, "wipe", false, "delete a killed node's state.db: a single node loses all, and this must see it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	lost, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kills:", err)
	}
	if err != nil || lost > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (lost int, err error) {
	if o.nodes < 1 || o.kills < 1 {
		return 0, errors.New("-nodes and -kills are at least 1")
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000) + 1
	}
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "kills-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fmt.Printf("%d kills, %d nodes, seed %d, load %s before\n", o.kills, o.nodes, o.seed, load())
	c, err := start(ctx, fleet.Program{Binary: binary, Dir: dir}, o.nodes)
	if err != nil {
		return 0, err
	}
	defer c.end()
	t := talk(ctx, c, o.seed)
	defer t.end()
	began := time.Now()
	k := &killing{crew: c, talk: t, rnd: rand.New(rand.NewPCG(o.seed, 0)), wipe: o.wipe, many: o.kills}
	for range o.kills {
		if err := k.once(ctx); err != nil {
			return 0, fmt.Errorf("kill %d: %w", len(k.restarts)+1, err)
		}
	}
	t.end()
	k.print(time.Since(began))
	return t.words.lost + t.cooldowns.lost, nil
}
