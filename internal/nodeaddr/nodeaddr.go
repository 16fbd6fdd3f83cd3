// Package nodeaddr reads the address of a node, as workers and operators give it.
package nodeaddr

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// Default is where a node listens unless it is told otherwise.
const Default = "127.0.0.1:7140"

// A Target is a parsed address.
type Target struct {
	Name   string // for messages
	Base   string // for URLs
	Secure bool   // https
	socket string // path of a Unix socket, "" for TCP
}

// Dial is how an http.Transport reaches the node.
func (t Target) Dial(d *net.Dialer) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if t.socket == "" {
		return d.DialContext
	}
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", t.socket) }
}

// Parse reads host:port, http://host:port, https://host:port and
// unix:///path/to/socket. The URLs of a socket say localhost, a name every node
// answers to.
func Parse(addr string) (Target, error) {
	if path, ok := strings.CutPrefix(addr, "unix://"); ok {
		if !filepath.IsAbs(path) {
			return Target{}, Bad(addr, "its path is not absolute")
		}
		return Target{Name: addr, Base: "http://localhost", socket: path}, nil
	}
	authority, scheme := addr, "http"
	if strings.Contains(addr, "://") {
		u, err := url.Parse(addr)
		if err != nil {
			return Target{}, Bad(addr, "it is not a URL")
		}
		if u.Scheme != "http" && u.Scheme != "https" {
			return Target{}, Bad(addr, "its scheme is "+u.Scheme)
		}
		if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return Target{}, Bad(addr, "it has more than a host and a port")
		}
		authority, scheme = u.Host, u.Scheme
	}
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		return Target{}, Bad(addr, "it has no port, or one that cannot be told from the host")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return Target{}, Bad(addr, "its port is not a number from 1 to 65535")
	}
	if strings.ContainsAny(host, "/@?# \t\r\n") {
		return Target{}, Bad(addr, "its host has a character no host has")
	}
	if host == "" {
		host = "127.0.0.1" // ":7140" means this machine, and the node refuses an empty Host
	}
	name := net.JoinHostPort(host, port)
	t := Target{Name: name, Base: scheme + "://" + name, Secure: scheme == "https"}
	if t.Secure {
		t.Name = t.Base
	}
	return t, nil
}

// Bad is the error of an address that a program cannot use, and why.
func Bad(addr, why string) error {
	return fmt.Errorf("address %q: %s; want host:port, http://host:port, https://host:port or unix:///path/to/socket", addr, why)
}
