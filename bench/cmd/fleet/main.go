// Command fleet measures what a fleet of five real node processes on loopback
// promises (DESIGN section 10): how fast a trip reaches everybody, how many
// calls a dead host still gets, what is sent when all is well, and what a
// killed or paused node costs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// A row is one thing that is measured, in a fleet of its own.
type row struct {
	name    string
	long    bool // only with -long
	measure func(context.Context, *bench) error
}

var rows = []row{
	{name: "trip", measure: trip},
	{name: "overshoot", measure: overshoot},
	{name: "quiet", measure: quiet},
	{name: "kill", measure: kill},
	{name: "pause", measure: pause},
	{name: "flaky", measure: flaky},
	{name: "memory", measure: memory},
	{name: "policy", measure: policy},
	{name: "reload", measure: reload},
	{name: "events", measure: events},
	{name: "partition", long: true, measure: partition},
	{name: "loss", long: true, measure: loss},
}

func main() {
	binary := flag.String("node", "../bin/fleetfuse-node", "the node's `binary`, built by make build")
	chosen := flag.String("rows", "", "`names` of the rows, with commas between; default: all but the long ones")
	long := flag.Bool("long", false, "also the rows that take minutes and need root")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	missed, err := run(ctx, *binary, *chosen, *long)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
	}
	if err != nil || missed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, chosen string, long bool) (missed int, err error) {
	picked, err := pick(chosen, long)
	if err != nil {
		return 0, err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "bench-fleet-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{binary: binary, dir: dir}
	if err := b.machine(ctx); err != nil {
		return 0, err
	}
	for _, r := range picked {
		b.row = r.name
		if err := r.measure(ctx, b); err != nil {
			return b.missed, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	fmt.Printf("load %s after; %d bars missed\n", load(), b.missed)
	return b.missed, nil
}

// pick are the rows of these names, or all.
func pick(names string, long bool) ([]row, error) {
	var picked []row
	for _, r := range rows {
		if names == "" && (long || !r.long) {
			picked = append(picked, r)
		}
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
		switch {
		case i >= 0:
			picked = append(picked, rows[i])
		case names != "":
			return nil, fmt.Errorf("-rows: there is no row %q; there are %s", name, strings.Join(allNames(), ", "))
		}
	}
	return picked, nil
}

func allNames() []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.name)
	}
	return all
}
