// Command store measures what cooldown stores promise: how fast a node starts
// with many cooldowns, how fast they are written, and that a Redis that hangs
// slows no decision.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"fleetfuse/internal/fleet"
)

// bench is what all rows share.
type bench struct {
	binary, dir string
	redis       *fleet.Redis // nil where there is none
	row         string       // being measured
	missed      int
}

// A row is one thing that is measured.
type row struct {
	name    string
	redis   bool // needs one
	measure func(context.Context, *bench) error
}

var rows = []row{
	{name: "start", measure: startSQLite},
	{name: "start", redis: true, measure: startRedis},
	{name: "write", measure: writeSQLite},
	{name: "write", redis: true, measure: writeRedis},
	{name: "hang", redis: true, measure: hang},
}

func main() {
	binary := flag.String("node", "../bin/fleetfuse-node", "the node's `binary`, built by make build")
	chosen := flag.String("rows", "", "`names` of the rows, with commas between; default: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	missed, err := run(ctx, *binary, *chosen)
	if err != nil {
		fmt.Fprintln(os.Stderr, "store:", err)
	}
	if err != nil || missed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, chosen string) (missed int, err error) {
	if binary, err = filepath.Abs(binary); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "bench-store-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{binary: binary, dir: dir}
	b.redis, err = fleet.StartRedis(ctx, dir, "--appendonly", "no")
	switch {
	case errors.Is(err, fleet.ErrNoRedis):
		fmt.Println("rows with Redis are left out:", err)
	case err != nil:
		return 0, err
	default:
		defer b.redis.Kill()
	}
	for _, r := range rows {
		if r.redis && b.redis == nil || chosen != "" && !strings.Contains(","+chosen+",", ","+r.name+",") {
			continue
		}
		b.row = r.name
		if err := r.measure(ctx, b); err != nil {
			return b.missed, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("load %s; %d bars missed\n", strings.TrimSpace(string(load)), b.missed)
	return b.missed, nil
}

// say prints a figure and whether it meets its bar.
func (b *bench) say(what, figure, bar string, met bool) {
	verdict := "met"
	if !met {
		verdict = "MISSED"
		b.missed++
	}
	fmt.Printf("%-7s %-52s %-44s %-12s %s\n", b.row, what, figure, bar, verdict)
}
