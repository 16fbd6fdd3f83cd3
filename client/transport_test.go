package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fleetfuse/api"
)

func TestErrorClass(t *testing.T) {
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{dead, context.Canceled, "cancelled"},
		{late, context.DeadlineExceeded, "timeout"},
		{t.Context(), dial(syscall.ECONNREFUSED), "connect"},
		{t.Context(), dial(syscall.ENETUNREACH), "no-route"},
		{t.Context(), &net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}, "proxy"},
		{t.Context(), dial(&net.DNSError{Err: "no such host", Name: "x"}), "dns"},
		{t.Context(), fmt.Errorf("read: %w", syscall.ECONNRESET), "reset"},
		{t.Context(), io.ErrUnexpectedEOF, "reset"},
		{t.Context(), errors.New("what?"), "other"},
	} {
		if got := errorClass(c.ctx, c.err); got != c.want {
			t.Errorf("%v: got %s, want %s", c.err, got, c.want)
		}
	}
}

func TestTLSErrorsAreTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	resp, err := base.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("the certificate was trusted")
	}
	if got := errorClass(t.Context(), err); got != "tls" {
		t.Errorf("%v: %s", err, got)
	}
}

func TestClientTimeoutIsAFailure(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	web := &http.Client{Transport: c.Transport(u.Client().Transport), Timeout: 20 * time.Millisecond}
	resp, err := web.Get(u.URL)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("no timeout")
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%v; reported: %+v", err, n.outcomes)
		}
	})
	eventually(t, "a timeout is reported", func() bool {
		return n.reported(func(o api.Outcome) bool { return o.Error == "timeout" }) == 1
	})
}

func TestTransportNamesRoleAndResolverAndTakesTheHooksWord(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u := newUpstream(t, status(200))
	rt := c.Transport(u.Client().Transport, WithRole("meta"), WithResolver("crossref"),
		WithClassify(func(_ *http.Request, _ *http.Response, _ error, r *Result) { *r = Result{Error: "other"} }))
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, u.URL, nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	eventually(t, "both keys are told", func() bool {
		is := func(o api.Outcome) bool { return o.Error == "other" && o.Role == "metadata" }
		return n.reported(func(o api.Outcome) bool { return is(o) && o.Host == u.host() }) == 1 &&
			n.reported(func(o api.Outcome) bool { return is(o) && o.Resolver == "crossref" }) == 1
	})
}

func TestRejectionClosesTheRequestBody(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	c.view.apply(api.ViewEvent{Exceptions: []api.Exception{{Key: "host:a.example", State: "open", Reason: "cli-open", RemainingMS: 5000, Stamp: 1}}})
	body := &closing{Reader: strings.NewReader("x")}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a.example/", body)
	_, err := (&http.Client{Transport: c.Transport(nil)}).Do(req)
	if open, ok := errors.AsType[*OpenError](err); !ok || !body.closed {
		t.Fatalf("%v, closed %v", err, body.closed)
	} else if want := "host:a.example is open: cli-open; retry in "; !strings.HasPrefix(open.Error(), want) {
		t.Errorf("%q", open.Error())
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestUnixSocketAndBadAddresses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(t, testPolicy())
	s := &http.Server{Handler: n.Config.Handler, ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	c, err := New(Options{Addr: "unix://" + path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	for _, addr := range []string{"unix://relative", "localhost", "127.0.0.1:", "http://h:1/path", "https://h:1", "h:abc", ":99999", "h:0"} {
		if c, err := New(Options{Addr: addr}); err == nil {
			_ = c.Close()
			t.Errorf("%q was taken", addr)
		}
	}
}
