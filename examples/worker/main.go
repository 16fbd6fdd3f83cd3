// Command worker is a worker to start from: it fetches the URLs it is given, again
// and again, and leaves a host alone when the fleet knows that it is down or has
// asked for a pause.
//
//	fleetfuse-node dev                                    # the node of this machine
//	go run . https://api.crossref.org/works?rows=1        # as many workers as you like
//
// Stop the host, or have it answer 429 with a Retry-After: every worker on every
// machine stops calling it. fleetfuse-ctl breaker show says why.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"fleetfuse/client"
)

const (
	pause    = time.Second      // between two fetches of one URL
	limit    = 10 * time.Second // of one fetch; a host that is slower has failed
	maxBytes = 10 << 20         // of one answer
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := work(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func work(ctx context.Context, urls []string) error {
	if len(urls) == 0 {
		return errors.New("which URLs? worker https://api.example.org/works")
	}
	// One client for the whole process: it holds what the node knows in memory, so
	// that a decision about a closed or an open breaker waits for nobody.
	breakers, err := client.New(client.Options{Addr: os.Getenv("FLEETFUSE_ADDR")}) // "" is the node of this machine
	if err != nil {
		return err
	}
	defer breakers.Close() // sends what was not yet reported

	// Not needed: without a node the worker goes on by what it sees itself. Here
	// it is so that you notice.
	ready, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := breakers.Ready(ready); err != nil {
		slog.Warn("going on without the fleet", "err", err)
	}

	// The breaker is a http.RoundTripper like any other. Put what retries or waits
	// above it, so that each try is asked about and reported, and what caches above
	// it too, so that an answer from the cache is not taken for one of the host.
	web := &http.Client{Timeout: limit, Transport: breakers.Transport(http.DefaultTransport,
		// A role has a budget of its own: artifacts that fail do not keep you from
		// metadata of the same host.
		client.WithCall(func(r *http.Request, c *client.Call) { c.Role = role(r.URL.Path) }),
		// What is a failure to you need not be one to HTTP.
		client.WithClassify(classify),
	)}

	var all sync.WaitGroup
	for _, url := range urls {
		all.Go(func() { keepFetching(ctx, breakers, web, url) })
	}
	all.Wait()
	return nil
}

// role says what a call is for, by its path.
func role(path string) string {
	if strings.HasSuffix(path, ".pdf") {
		return "artifact"
	}
	return "metadata"
}

// classify finds failures that look like successes: some hosts answer a 200 with
// a page that asks whether you are a robot. It must not read the body.
func classify(_ *http.Request, resp *http.Response, _ error, r *client.Result) {
	if resp != nil && resp.StatusCode == http.StatusOK && resp.Header.Get("X-Robot-Check") != "" {
		r.Error = "other"
	}
}

// pauseOf is how long to wait until the next fetch of a URL: longer than usual
// where the fleet advises a part of the usual rate, as of a host that answers 429.
func pauseOf(breakers *client.Client, address string) time.Duration {
	u, err := url.Parse(address)
	if err != nil {
		return pause // fetching it says why
	}
	part := breakers.RateMultiplier(client.Call{Host: u.Host, Role: role(u.Path)})
	return time.Duration(float64(pause) / part)
}

// keepFetching fetches a URL until ctx ends.
func keepFetching(ctx context.Context, breakers *client.Client, web *http.Client, url string) {
	for ctx.Err() == nil {
		n, err := fetch(ctx, web, url)
		wait := pauseOf(breakers, url)
		var open *client.OpenError
		switch {
		case errors.As(err, &open):
			// Nothing was sent. Come back when it makes sense, not all workers in the
			// same instant; until then there is other work to do.
			wait = open.RetryAfter + rand.N(pause)
			slog.Info("left alone", "url", url, "reason", open.Reason, "again_in", wait.Round(time.Millisecond))
		case err != nil && ctx.Err() == nil:
			slog.Warn("failed", "url", url, "err", err) // reported already
		case err == nil:
			slog.Info("fetched", "url", url, "bytes", n)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// fetch fetches a URL once.
func fetch(ctx context.Context, web *http.Client, url string) (bytes int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := web.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	// A body that breaks off is a failure too; the transport sees it while you read.
	bytes, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBytes))
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		err = errors.New(resp.Status)
	}
	return bytes, err
}
