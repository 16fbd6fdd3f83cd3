package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"fleetfuse/client"
)

// The environment of a worker process: this program, run again.
const (
	envWorker   = "FLEETFUSE_DEMO_WORKER"
	envAddr     = "FLEETFUSE_DEMO_NODE"
	envUpstream = "FLEETFUSE_DEMO_UPSTREAM"
	envPause    = "FLEETFUSE_DEMO_PAUSE"
)

// tally is what a worker prints ten times a second, as one line of JSON:
// totals since it started.
type tally struct {
	Sent, Rejected, Probes uint64
	Other                  string `json:",omitempty"` // an error nobody expected
}

const tallyEvery = 100 * time.Millisecond

// work calls the upstream through the SDK until standard input ends or a
// signal comes.
func work(name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the parent is gone
		stop()
	}()
	pause, err := time.ParseDuration(os.Getenv(envPause))
	if err != nil {
		return err
	}
	c, err := client.New(client.Options{Addr: os.Getenv(envAddr), Worker: name, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.Ready(ctx); err != nil {
		return err
	}
	web := &http.Client{Transport: c.Transport(&http.Transport{MaxIdleConnsPerHost: 16}), Timeout: 5 * time.Second}
	defer web.CloseIdleConnections()
	var odd oddity
	loop(ctx, c, func() { odd.note(call(ctx, web, os.Getenv(envUpstream))) }, pause, &odd)
	return nil
}

// loop calls at a steady rate and prints what it did.
func loop(ctx context.Context, c *client.Client, one func(), pause time.Duration, odd *oddity) {
	next, show := time.NewTicker(pause), time.NewTicker(tallyEvery)
	defer next.Stop()
	defer show.Stop()
	out := json.NewEncoder(os.Stdout)
	print := func() {
		n := c.Counts()
		_ = out.Encode(tally{Sent: n.Allowed, Rejected: n.Rejected, Probes: n.Probes, Other: odd.take()})
	}
	print()
	var calls sync.WaitGroup
	for {
		select {
		case <-ctx.Done():
			calls.Wait()
			print()
			return
		case <-next.C:
			calls.Go(one)
		case <-show.C:
			print()
		}
	}
}

// call makes one call; a rejection and a response are both fine.
func call(ctx context.Context, web *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := web.Do(req)
	if err != nil {
		if _, open := errors.AsType[*client.OpenError](err); open || ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("a call: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// oddity is the latest error nobody expected.
type oddity struct {
	mu   sync.Mutex
	text string
}

func (o *oddity) note(err error) {
	if err == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = err.Error()
}

func (o *oddity) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text
	o.text = ""
	return text
}
