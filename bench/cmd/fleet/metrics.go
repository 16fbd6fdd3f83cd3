package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"fleetfuse/internal/fleet"
)

// metrics are a node's, by name with labels.
func metrics(ctx context.Context, n *fleet.Node) (map[string]float64, error) {
	resp, err := get(ctx, n, "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	m := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			if m[line[:i]], err = strconv.ParseFloat(line[i+1:], 64); err != nil {
				return nil, fmt.Errorf("node %s: metrics: %w", n.Name, err)
			}
		}
	}
	return m, nil
}

// metric is one of a node's; a counter that was never raised is zero.
func metric(ctx context.Context, n *fleet.Node, name string) (float64, error) {
	m, err := metrics(ctx, n)
	return m[name], err
}

// total is a metric's sum over nodes.
func total(ctx context.Context, nodes []*fleet.Node, name string) (float64, error) {
	sum := 0.0
	for _, n := range nodes {
		v, err := metric(ctx, n, name)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

// get asks a node over its socket, which reaches it in any network, on a
// connection of its own. Where there is a stream, it is a stream.
func get(ctx context.Context, n *fleet.Node, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.HTTP+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	return (&http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", n.Socket)
	}}).RoundTrip(req)
}
