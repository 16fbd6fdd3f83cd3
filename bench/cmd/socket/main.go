// Command socket measures POST /v1/allow of a real node over its Unix socket,
// with 1 and with 64 callers, beside an empty answer (GET /healthz) of the same
// node: what HTTP itself costs here.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetfuse/internal/fleet"
)

func main() {
	binary := flag.String("node", "../bin/fleetfuse-node", "the node, built by make build")
	length := flag.Duration("for", 3*time.Second, "how long each row is measured")
	flag.Parse()
	if err := run(*binary, *length); err != nil {
		fmt.Fprintln(os.Stderr, "socket:", err)
		os.Exit(1)
	}
}

func run(binary string, length time.Duration) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	n, err := fleet.Program{Binary: binary, Dir: dir}.Start(context.Background(), "n1")
	if err != nil {
		return err
	}
	defer n.Kill()
	fmt.Printf("%-18s %8s %10s %10s %10s\n", "over the socket", "callers", "ops/s", "p50", "p99")
	for _, callers := range []int{1, 64} {
		for _, what := range []string{"GET /healthz", "POST /v1/allow"} {
			took, err := measure(n.Socket, what, callers, length)
			if err != nil {
				return err
			}
			slices.Sort(took)
			at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(100 * time.Nanosecond) }
			fmt.Printf("%-18s %8d %10.0f %10v %10v\n", what, callers, float64(len(took))/length.Seconds(), at(0.5), at(0.99))
		}
	}
	return nil
}

// measure calls in a loop from several callers and returns how long each call
// took.
func measure(socket, what string, callers int, length time.Duration) ([]time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: callers,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	defer client.CloseIdleConnections()
	method, path, _ := strings.Cut(what, " ")
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var group sync.WaitGroup
	deadline := time.Now().Add(length)
	for range callers {
		group.Go(func() {
			var took []time.Duration
			var err error
			for err == nil && time.Now().Before(deadline) {
				start := time.Now()
				err = call(client, method, path)
				took = append(took, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil {
				failed = err
			}
		})
	}
	group.Wait()
	return all, failed
}

func call(client *http.Client, method, path string) error {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(`{"host":"api.example.org"}`)
	}
	req, err := http.NewRequest(method, "http://localhost"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return nil
}
