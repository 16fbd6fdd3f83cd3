package httpapi

import (
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// guard is the hygiene in front of every request: a web page in a browser on
// this machine must not be able to steer the node (DNS rebinding, forged
// requests), and a panic is an answer, not a crash.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.opt.Metrics.Panicked()
				s.opt.Logger.Error("a request panicked", slog.String("path", breaker.Cut(r.URL.Path)), slog.Any("panic", p),
					slog.String("stack", string(debug.Stack())))
				fail(w, http.StatusInternalServerError, "internal error", "see the node's log")
			}
		}()
		switch {
		case !s.hostAllowed(r):
			fail(w, http.StatusForbidden, fmt.Sprintf("the Host header %s is neither a loopback address nor listed", quoted(r.Host)),
				"list it in --http.allowed-hosts")
		case !s.originAllowed(r):
			fail(w, http.StatusForbidden, fmt.Sprintf("the Origin %s is foreign", quoted(r.Header.Get("Origin"))),
				"call the API from a program, not from a page of another site")
		case slices.Contains(mutations, r.Method) && !isJSON(r) && !isBare(r):
			fail(w, http.StatusUnsupportedMediaType, "a "+r.Method+" needs Content-Type: application/json", "-H 'Content-Type: application/json'")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, api.MaxBodyBytes)
			next.ServeHTTP(w, r)
		}
	})
}

// mutations are the methods of calls that change something. A page of another
// site cannot send JSON unasked.
var mutations = []string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete}

// isBare reports whether it is a DELETE without a body, which needs no type: a
// browser asks before it sends any DELETE.
func isBare(r *http.Request) bool { return r.Method == http.MethodDelete && r.ContentLength == 0 }

func isJSON(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && t == "application/json"
}

func (s *Server) hostAllowed(r *http.Request) bool {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && addr.Network() == "unix" {
		return true
	}
	return s.known(r.Host)
}

func (s *Server) originAllowed(r *http.Request) bool {
	o := r.Header.Get("Origin")
	if o == "" {
		return true
	}
	u, err := url.Parse(o)
	return err == nil && s.known(u.Host)
}

// known reports whether host:port is loopback or listed, in whatever spelling.
func (s *Server) known(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() { // almost always, and spelling is dearer
		return true
	}
	host, err := hostname.Normalize(host)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback() || slices.Contains(s.opt.AllowedHosts, host)
}
