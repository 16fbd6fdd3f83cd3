package admin

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// AdviceTimeout bounds a question for advice whose context has no deadline: all
// members are asked, and what they saw is replayed. EnforceTimeout bounds the
// enforcing of a plan, which may be about hundreds of breakers.
const (
	AdviceTimeout  = 25 * time.Second
	EnforceTimeout = 55 * time.Second
)

// maxAdviceBytes bounds the answers: advice about 500 breakers, or the records
// of one with what each was decided from.
const maxAdviceBytes = 64 << 20

// Advise asks what the tuner would change, of one breaker or of all ("", a zero
// window is as configured): a plan that the tuner remembers for ten minutes. A
// breaker that nobody called is a Problem of status 404.
func (c *Client) Advise(ctx context.Context, key breaker.Key, window time.Duration) (api.AdviceResponse, error) {
	q := url.Values{}
	if key != "" {
		q.Set("key", string(key))
	}
	if window != 0 {
		q.Set("window", window.String())
	}
	path := "/v1/advice"
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	ctx, cancel := within(ctx, AdviceTimeout)
	defer cancel()
	var a api.AdviceResponse
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxAdviceBytes})
	if err == nil && (a.ID == "" || a.Tuner == "") {
		err = c.strange(path, "it names no plan or no tuner")
	}
	return a, err
}

// Enforce does exactly what a plan says. One that is not known any more is a
// Problem of status 404; one of status 409 says that nothing was done, and its
// Errors are all the reasons.
func (c *Client) Enforce(ctx context.Context, id, author string) (api.EnforceResponse, error) {
	path := "/v1/advice/" + url.PathEscape(id) + "/enforce"
	ctx, cancel := within(ctx, EnforceTimeout)
	defer cancel()
	var a api.EnforceResponse
	err := c.call(ctx, exchange{method: http.MethodPost, path: path, body: api.EnforceRequest{Author: author}, answer: &a, limit: maxAdviceBytes})
	if err == nil && a.ID != id {
		err = c.strange(path, "it is about another plan")
	}
	return a, err
}

// Explain asks for the evidence about a breaker in full, and for what the tuner
// did to it.
func (c *Client) Explain(ctx context.Context, key breaker.Key) (api.ExplainResponse, error) {
	path := "/v1/advice/explain?key=" + url.QueryEscape(string(key))
	ctx, cancel := within(ctx, AdviceTimeout)
	defer cancel()
	var a api.ExplainResponse
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxAdviceBytes})
	if err == nil && a.Key == "" {
		err = c.strange(path, "it names no key")
	}
	return a, err
}

// within bounds a context that has no deadline.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}
