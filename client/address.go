package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// DefaultAddr is where a node listens unless it is told otherwise.
const DefaultAddr = "127.0.0.1:7140"

// dialLimit bounds a connection attempt to the node beside us.
const dialLimit = time.Second

// connectTo returns the base of every URL of a node and a transport to it. No
// proxy: one configured for the worker's traffic may itself be behind a breaker.
func connectTo(addr string) (string, *http.Transport, error) {
	d := &net.Dialer{Timeout: dialLimit}
	t := &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second}
	if path, ok := strings.CutPrefix(addr, "unix://"); ok {
		if !filepath.IsAbs(path) {
			return "", nil, fmt.Errorf("address %q: its path is not absolute; want unix:///path/to/socket", addr)
		}
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) }
		return "http://localhost", t, nil
	}
	authority := strings.TrimSuffix(strings.TrimPrefix(addr, "http://"), "/")
	host, port, err := net.SplitHostPort(authority)
	if err != nil || port == "" || strings.ContainsAny(authority, "/@?# \t\r\n") {
		return "", nil, fmt.Errorf("address %q: want host:port, http://host:port or unix:///path/to/socket", addr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), t, nil
}
