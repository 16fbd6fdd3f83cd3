package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// EventsQuery says which events are asked for; its zero value is the latest of
// every breaker and node.
type EventsQuery struct {
	Key   breaker.Key
	Kinds []string
	// Since is how far back, as the API takes it: a duration or an RFC 3339 time.
	Since string
	Limit int
	// After is the position of an earlier answer: what follows it.
	After string
}

func (q EventsQuery) path() string {
	v := url.Values{}
	set := func(name, text string) {
		if text != "" {
			v.Set(name, text)
		}
	}
	set("key", string(q.Key))
	set("since", q.Since)
	set("after", q.After)
	v["kind"] = q.Kinds
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return "/v1/events?" + v.Encode()
}

// Events returns the newest events of the whole fleet that match, in the order of
// their time.
func (c *Client) Events(ctx context.Context, q EventsQuery) (api.EventsResponse, error) {
	var r api.EventsResponse
	err := c.call(ctx, exchange{method: http.MethodGet, path: q.path(), answer: &r, limit: maxListingBytes})
	return r, err
}

// Summary sums up what breakers did in the last so much time, and what it cost.
func (c *Client) Summary(ctx context.Context, window time.Duration) (api.SummaryResponse, error) {
	var r api.SummaryResponse
	err := c.call(ctx, exchange{
		method: http.MethodGet, path: "/v1/summary?window=" + url.QueryEscape(window.String()), answer: &r, limit: maxListingBytes,
	})
	return r, err
}

// Pauses of a stream. A node sends a sign of life every 5 s.
const (
	silentFor   = 15 * time.Second
	reconnectIn = time.Second
	maxBatch    = 16 << 20 // bytes of one message of a stream
)

// FollowEvents calls got with what happened, then with what happens, until ctx
// ends or got returns an error. When the node goes away it tries again every
// second, tells lost, and goes on where it was.
func (c *Client) FollowEvents(ctx context.Context, q EventsQuery, got func(api.EventsResponse) error, lost func(error)) error {
	for first := true; ; first = false {
		position, err := c.followOnce(ctx, q, got)
		if position != "" {
			q.After = position
		}
		var problem *api.Problem
		var own *gotError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &own):
			return own.err
		case errors.As(err, &problem) && problem.Status < 500, first && position == "" && err != nil:
			return err
		}
		lost(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reconnectIn):
		}
	}
}

// gotError is an error of who follows.
type gotError struct{ err error }

func (e *gotError) Error() string { return e.err.Error() }

// followOnce reads one stream to its end and returns up to where.
func (c *Client) followOnce(ctx context.Context, q EventsQuery, got func(api.EventsResponse) error) (position string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(silentFor, cancel)
	defer silence.Stop()
	x := exchange{method: http.MethodGet, path: q.path()}
	req, err := c.request(ctx, x)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", "text/event-stream, application/problem+json")
	resp, err := c.http.Do(req)
	if err != nil {
		return "", c.unanswered(ctx, false, err)
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
		if err := c.read(x, resp, body); err != nil {
			return "", err
		}
		return "", c.strange(x.path, "it is no stream of events")
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxBatch)
	for lines.Scan() {
		silence.Reset(silentFor)
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var r api.EventsResponse
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			return position, c.strange(x.path, "it is not the JSON this call has: "+err.Error())
		}
		position = r.Position
		if err := got(r); err != nil {
			return position, &gotError{err}
		}
	}
	err = lines.Err()
	if err == nil {
		err = fmt.Errorf("%s ended the stream", c.addr)
	}
	return position, &UnreachableError{Addr: c.addr, Err: err}
}
