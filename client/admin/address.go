package admin

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// A target is a parsed address.
type target struct {
	name   string // for messages
	base   string // for URLs
	secure bool   // https
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Secure reports whether an address is one for NewTLS: whether it begins with
// https.
func Secure(addr string) bool {
	scheme, _, ok := strings.Cut(addr, "://")
	return ok && strings.EqualFold(scheme, "https")
}

// parseAddr reads the forms that New and NewTLS document.
func parseAddr(addr string) (target, error) {
	if path, ok := strings.CutPrefix(addr, "unix://"); ok {
		return socketTarget(addr, path)
	}
	authority, scheme := addr, "http"
	if strings.Contains(addr, "://") {
		u, err := url.Parse(addr)
		if err != nil {
			return target{}, badAddr(addr, "it is not a URL")
		}
		if u.Scheme != "http" && u.Scheme != "https" {
			return target{}, badAddr(addr, "its scheme is "+u.Scheme)
		}
		if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return target{}, badAddr(addr, "it has more than a host and a port")
		}
		authority, scheme = u.Host, u.Scheme
	}
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		return target{}, badAddr(addr, "it has no port, or one that cannot be told from the host")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return target{}, badAddr(addr, "its port is not a number from 1 to 65535")
	}
	if strings.ContainsAny(host, "/@?# \t\r\n") {
		return target{}, badAddr(addr, "its host has a character no host has")
	}
	if host == "" {
		host = "127.0.0.1" // ":7140" means this machine, and the node refuses an empty Host
	}
	name := net.JoinHostPort(host, port)
	t := target{name: name, base: scheme + "://" + name, secure: scheme == "https", dial: new(net.Dialer).DialContext}
	if t.secure {
		t.name = t.base
	}
	return t, nil
}

// socketTarget is a node's Unix socket. Its URLs say localhost, a name every
// node answers to.
func socketTarget(addr, path string) (target, error) {
	if !filepath.IsAbs(path) {
		return target{}, badAddr(addr, "its path is not absolute")
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	return target{name: addr, base: "http://localhost", dial: dial}, nil
}

func badAddr(addr, why string) error {
	return fmt.Errorf("address %q: %s; want host:port, http://host:port, https://host:port or unix:///path/to/socket", addr, why)
}
