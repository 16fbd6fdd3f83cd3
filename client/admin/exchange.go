package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"fleetfuse/api"
)

// An exchange is one request and the place for its answer.
type exchange struct {
	method string
	path   string
	match  string // If-Match; "" sends none
	body   any    // nil sends none
	answer any    // nil reads none
	limit  int64  // of the answer, in bytes
	// harmless is true of what changes nothing although it is no GET.
	harmless bool
}

// call carries out an exchange.
func (c *Client) call(ctx context.Context, x exchange) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		limit := DefaultTimeout
		if x.method != http.MethodGet {
			limit = WordTimeout
		}
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	var connected atomic.Bool // from here on the request may have arrived
	req, err := c.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), x)
	if err != nil {
		return err
	}
	sent := func() bool { return connected.Load() && x.method != http.MethodGet && !x.harmless }
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unanswered(ctx, sent(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, x.limit+1))
	if err != nil {
		return c.unanswered(ctx, sent(), err)
	}
	if int64(len(body)) > x.limit {
		return c.strange(x.path, fmt.Sprintf("it is longer than %d bytes", x.limit))
	}
	return c.read(x, resp, body)
}

func (c *Client) request(ctx context.Context, x exchange) (*http.Request, error) {
	var body io.Reader
	if x.body != nil {
		b, err := json.Marshal(x.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, x.method, c.base+x.path, body)
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", err)
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	if x.match != "" {
		req.Header.Set("If-Match", x.match)
	}
	if x.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// unanswered sorts the errors of a request that got no whole answer.
func (c *Client) unanswered(ctx context.Context, sent bool, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if m := c.mismatch(err); m != nil {
		return c.differs(m)
	}
	u := &UnreachableError{Addr: c.addr, Sent: sent, Err: err}
	if !sent && hungUp(err) { // somebody is there
		u.Hint = otherPort + ", or once more if the node was just stopped"
	}
	return u
}

func (c *Client) differs(m *mismatch) error {
	return &UnreachableError{Addr: c.addr, Hint: m.hint, Err: m}
}

// read turns an answer into x.answer, a problem or an AnswerError.
func (c *Client) read(x exchange, resp *http.Response, body []byte) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "application/problem+json" && resp.StatusCode >= 400 {
		var p api.Problem
		if err := json.Unmarshal(body, &p); err != nil {
			return c.strange(x.path, "its problem is not JSON")
		}
		p.Status = resp.StatusCode // what HTTP says is what was answered
		if p.Detail == "" {
			p.Detail = p.Title
		}
		if p.Detail == "" {
			p.Detail = http.StatusText(p.Status)
		}
		return &p
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		if c.plainRefused(resp.StatusCode, body) {
			return c.differs(c.wantsTLS(nil))
		}
		return c.strange(x.path, fmt.Sprintf("HTTP status %d without a problem that explains it", resp.StatusCode))
	}
	if x.answer == nil {
		return nil
	}
	if err := json.Unmarshal(body, x.answer); err != nil {
		return c.strange(x.path, "it is not the JSON this call has: "+err.Error())
	}
	return nil
}
