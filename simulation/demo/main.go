// Command demo shows one node protecting real calls: a real upstream over TCP
// goes healthy, 503, healthy, 429 with Retry-After, healthy, while eight worker
// processes call it through the SDK.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"fleetfuse/client"
	"fleetfuse/internal/fleet"
)

// schedule is under 30 s long.
var schedule = []phase{
	{lasts: 4 * time.Second, status: http.StatusOK, says: "healthy"},
	{lasts: 5 * time.Second, status: http.StatusServiceUnavailable, says: "answers 503"},
	{lasts: 6 * time.Second, status: http.StatusOK, says: "healthy again"},
	{lasts: time.Second, status: http.StatusTooManyRequests, retryAfter: 5, says: "answers 429 with Retry-After: 5"},
	{lasts: 8 * time.Second, status: http.StatusOK, says: "healthy, but has asked to be left alone"},
}

// policy keeps the waits short enough to watch.
const policy = "reset:3,half_open.jitter:0"

func main() {
	if name := os.Getenv(envWorker); name != "" {
		exitOn(work(name))
		return
	}
	binary := flag.String("node", "bin/fleetfuse-node", "the node's `binary`")
	workers := flag.Int("workers", 8, "worker processes")
	rate := flag.Int("rate", 50, "calls a second of each worker")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *workers < 1 || *rate < 1 {
		exitOn(errors.New("-workers and -rate must be at least 1"))
	}
	exitOn(run(ctx, *binary, *workers, time.Second/time.Duration(*rate)))
}

func exitOn(err error) {
	if errors.Is(err, context.Canceled) {
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// errLate is the promise broken.
var errLate = errors.New("calls reached the upstream while its Retry-After ran")

func run(ctx context.Context, binary string, workers int, pause time.Duration) error {
	dir, err := os.MkdirTemp("", "fleetfuse-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	node, err := fleet.Program{Binary: path, Dir: dir}.Start(ctx, "demo", "--breaker-defaults", policy)
	if node != nil {
		defer func() { _ = node.Stop() }()
	}
	if err != nil {
		return err
	}
	up, err := startUpstream(schedule)
	if err != nil {
		return err
	}
	defer func() { _ = up.server.Close() }()
	return perform(ctx, up, "unix://"+node.Socket, workers, pause)
}

// perform runs the schedule and prints it.
func perform(ctx context.Context, up *upstream, addr string, workers int, pause time.Duration) error {
	eye, err := client.New(client.Options{Addr: addr, Worker: "demo", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = eye.Close() }()
	crew, err := startCrew(ctx, workers, pause, addr, "http://"+up.addr+"/")
	defer crew.leave()
	if err != nil {
		return err
	}
	fmt.Printf("one node at %s, one upstream at %s, %d worker processes, each %d calls/s\n\n", addr, up.addr, workers, time.Second/pause)
	up.begin()
	playing, end := context.WithTimeout(ctx, up.total())
	defer end()
	s := &show{began: time.Now(), upstream: up, crew: crew, eye: eye, before: crew.total()}
	s.run(playing)
	crew.leave()
	return conclude(ctx, os.Stdout, crew.total(), up.seen())
}

// conclude prints the totals. A show that was ended early proves nothing, and says so.
func conclude(ctx context.Context, w io.Writer, t tally, s seen) error {
	if err := ctx.Err(); err != nil {
		fmt.Fprintln(w, "\nended early: whether the promises hold was not seen")
		return err
	}
	if !summary(w, t, s) {
		return errLate
	}
	return nil
}
