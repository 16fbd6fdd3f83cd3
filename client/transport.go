package client

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"fleetfuse/breaker"
)

// A TransportOption changes what a Transport asks or reports.
type TransportOption func(*roundTripper)

// WithRole gives every call a role.
func WithRole(role string) TransportOption {
	return WithCall(func(_ *http.Request, c *Call) { c.Role = role })
}

// WithResolver makes every call a call through a resolver too.
func WithResolver(name string) TransportOption {
	return WithCall(func(_ *http.Request, c *Call) { c.Resolver = name })
}

// WithCall names the call of a request: a role by its path, say. The host is
// already filled in.
func WithCall(name func(*http.Request, *Call)) TransportOption {
	return func(t *roundTripper) { t.name = append(t.name, name) }
}

// WithClassify may change how a call's end is judged: a 200 that is a failure,
// a 500 that is an answer. resp is nil if err is not; its body must not be read.
func WithClassify(judge func(req *http.Request, resp *http.Response, err error, r *Result)) TransportOption {
	return func(t *roundTripper) { t.judge = judge }
}

// Transport returns a round tripper that asks before it sends by base (nil
// means http.DefaultTransport) and reports how it went. A rejected request is
// not sent; its error is an *OpenError. An outcome is judged on the response
// head; a body that breaks later adds a failure.
func (c *Client) Transport(base http.RoundTripper, opts ...TransportOption) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	t := &roundTripper{c: c, base: base}
	for _, o := range opts {
		o(t)
	}
	return t
}

type roundTripper struct {
	c     *Client
	base  http.RoundTripper
	name  []func(*http.Request, *Call)
	judge func(*http.Request, *http.Response, error, *Result)
}

// RoundTrip asks, waits for a probe's delay, sends, judges and reports.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	call := Call{Host: req.URL.Host}
	for _, name := range t.name {
		name(req, &call)
	}
	p, err := t.c.Allow(req.Context(), call)
	if err == nil {
		err = p.Wait(req.Context())
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	defer p.Cancel() // base panicked: the permit must not be lost
	resp, err := t.base.RoundTrip(req)
	r := resultOf(req, resp, err)
	if t.judge != nil {
		t.judge(req, resp, err, &r)
	}
	p.Report(r)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols && resp.Body != http.NoBody && p.fine(r) {
		resp.Body = &body{ReadCloser: resp.Body, req: req, p: p}
	}
	return resp, err
}

// fine reports whether a result was not a failure already.
func (p *Permit) fine(r Result) bool {
	if !p.counted {
		return false
	}
	r = p.sound(r)
	kind, _, _ := p.policy().ClassifyCall(breaker.Evidence{Status: r.Status, Error: r.Error}, r.Latency, r.FromCache)
	return kind != breaker.Failure
}

// body adds a failure to its call if it breaks.
type body struct {
	io.ReadCloser
	req  *http.Request
	p    *Permit
	once sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose) {
		b.once.Do(func() { b.p.brokeLater(errorClass(b.req.Context(), err)) })
	}
	return n, err
}
