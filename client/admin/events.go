package admin

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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
	if q.Limit != 0 { // of one below zero the node says what is wrong with it
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
// second, tells lost, and goes on where it was: got hears of every event once. A
// duration in q.Since counts from now, however often it must try.
func (c *Client) FollowEvents(ctx context.Context, q EventsQuery, got func(api.EventsResponse) error, lost func(error)) error {
	if d, err := time.ParseDuration(q.Since); err == nil && d >= 0 {
		q.Since = time.Now().Add(-d).UTC().Format(time.RFC3339Nano)
	}
	f := follower{Client: c, query: q, got: got, told: map[string]struct{}{}}
	for {
		err := f.once(ctx)
		var problem *api.Problem
		var own *gotError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &own):
			return own.err
		case errors.As(err, &problem) && problem.Status < http.StatusInternalServerError, !f.began:
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

// maxTold bounds the events remembered: who is asked next may have what the last
// one told by the log of another member.
const maxTold = 4096

// A follower is a stream of events over connections that end.
type follower struct {
	*Client
	query EventsQuery // its After is how far it came
	got   func(api.EventsResponse) error
	began bool
	told  map[string]struct{}
	order []string // of told, the oldest first
}

// take passes on what was not told yet.
func (f *follower) take(r api.EventsResponse) error {
	f.query.After = r.Position
	r.Events = slices.DeleteFunc(r.Events, func(e api.Event) bool {
		if _, told := f.told[e.ID]; told {
			return true
		}
		if f.told[e.ID] = struct{}{}; len(f.order) == maxTold {
			delete(f.told, f.order[0])
			f.order = f.order[1:]
		}
		f.order = append(f.order, e.ID)
		return false
	})
	if err := f.got(r); err != nil {
		return &gotError{err}
	}
	return nil
}

// gotError is an error of who follows.
type gotError struct{ err error }

func (e *gotError) Error() string { return e.err.Error() }

// once reads one stream to its end.
func (f *follower) once(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(silentFor, func() { cancel(fmt.Errorf("%s gave no sign of life for %v", f.addr, silentFor)) })
	defer silence.Stop()
	x := exchange{method: http.MethodGet, path: f.query.path()}
	req, err := f.request(ctx, x)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream, application/problem+json")
	resp, err := f.http.Do(req)
	if err != nil {
		return f.unanswered(ctx, false, err)
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
		if err := f.read(x, resp, body); err != nil {
			return err
		}
		return f.strange(x.path, "it is no stream of events")
	}
	f.began = true
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
			return f.strange(x.path, "it is not the JSON this call has: "+err.Error())
		}
		if err := f.take(r); err != nil {
			return err
		}
	}
	err = cmp.Or(lines.Err(), fmt.Errorf("%s ended the stream", f.addr))
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &UnreachableError{Addr: f.addr, Err: err}
}
