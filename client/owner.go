package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
)

// errNodeAway is the answer to a question while the stream is broken.
var errNodeAway = errors.New("the node does not answer")

// node is the gate's owner of all keys: the node, over HTTP.
type node struct {
	base    string
	http    *http.Client
	worker  string
	clock   *clock.Clock
	view    *view
	permits permits
	reports reports
	decided decided
	log     *slog.Logger
	odd     complaints    // about what the node refuses
	refused atomic.Uint64 // outcomes
}

// A statusError is an answer of the node that is none to the question.
type statusError struct {
	path string
	code int
	why  error // the node's problem, nil if it gave none
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("%s: status %d", e.path, e.code)
	if e.why != nil {
		text += ": " + e.why.Error()
	}
	return text
}

func (e *statusError) Unwrap() error { return e.why }

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 1 << 20

// post sends a JSON body and decodes the answer into it.
func (n *node) post(ctx context.Context, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := n.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return refusal(path, resp)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswerBytes)).Decode(answer)
}

// refusal reads why an answer is not what was asked for.
func refusal(path string, resp *http.Response) *statusError {
	e := &statusError{path: path, code: resp.StatusCode}
	var p api.Problem
	if json.NewDecoder(io.LimitReader(resp.Body, maxAnswerBytes)).Decode(&p) == nil && p.Detail != "" {
		e.why = &p
	}
	return e
}

// Ask implements gate.Owner.
func (n *node) Ask(key breaker.Key, q breaker.Question, limit time.Duration, answer func(breaker.Answer, error)) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		answer(n.ask(ctx, key, q))
	}()
}

// ask asks the node for a permit.
func (n *node) ask(ctx context.Context, key breaker.Key, q breaker.Question) (breaker.Answer, error) {
	if !n.view.fed.Load() {
		return breaker.Answer{}, errNodeAway
	}
	req := api.AllowRequest{Role: q.Role}
	req.Host, req.Resolver = split(key)
	var resp api.AllowResponse
	if err := n.post(ctx, "/v1/allow", req, &resp); err != nil {
		return breaker.Answer{}, err
	}
	switch {
	case !resp.Allowed:
		state := breaker.HalfOpen
		if resp.State == breaker.Open.String() {
			state = breaker.Open
		}
		return breaker.Answer{State: state, Reason: breaker.Reason(resp.Reason), RetryIn: milliseconds(resp.RetryAfterMS)}, nil
	case resp.Permit == "":
		n.view.settled(key)
		return breaker.Answer{State: breaker.Closed}, nil
	}
	expires := n.clock.Now().Add(n.view.policy(key).PermitTimeout)
	return breaker.Answer{
		State: breaker.HalfOpen, Permit: n.permits.add(resp.Permit, q.Role, expires, n.clock.Now()), Expires: expires,
		Delay: milliseconds(resp.DelayMS),
	}, nil
}

// Report sends failures and probe results at once. Successes without a permit
// are tallied where the call was reported and sent before them.
func (n *node) Report(key breaker.Key, outcomes []breaker.Outcome) {
	for _, o := range outcomes {
		if o.Kind == breaker.Success && o.Permit == 0 && !o.Slow {
			continue
		}
		n.reports.flushTally(key)
		n.reports.add(n.reportOf(key, o))
	}
	n.reports.wake()
}

// reportOf is an outcome as the node reads it.
func (n *node) reportOf(key breaker.Key, o breaker.Outcome) report {
	r := report{key: key, began: o.Began, ended: o.Ended, keepUntil: o.Ended}
	a := &r.outcome
	a.Host, a.Resolver = split(key)
	a.Role, a.Status, a.Error, a.Count = o.Role, o.Status, o.Error, max(o.Count, 1)
	if a.Status == 0 && a.Error == "" {
		a.Status = http.StatusOK
	}
	if kind, _, _ := n.view.policy(key).ClassifyCall(o.Evidence, 0, false); o.Kind == breaker.Neutral && kind != breaker.Neutral {
		a.FromCache = true // the one other reason to be neutral
	}
	if o.RetryAfter != "" {
		a.RetryAfter = o.RetryAfter
		a.Date = n.reports.dateOf(key, o.RetryAfter)
		r.keepUntil = o.Ended.Add(n.view.policy(key).RetryAfterCap)
	}
	if o.Permit != 0 {
		p := n.permits.take(o.Permit)
		a.Permit = p.token
		r.keepUntil = max(r.keepUntil, p.expires)
	}
	a.NoPermit = a.Permit == ""
	return r
}

// returnedUnsent is the error class of a call that was not made.
const returnedUnsent = "cancelled"

// Return gives a permit back unused.
func (n *node) Return(key breaker.Key, id breaker.PermitID) {
	now := n.clock.Now()
	p := n.permits.take(id)
	if p.token == "" {
		return
	}
	a := api.Outcome{Role: p.role, Error: returnedUnsent, Permit: p.token}
	a.Host, a.Resolver = split(key)
	n.reports.add(report{key: key, outcome: a, began: now, ended: now, keepUntil: p.expires})
	n.reports.wake()
}

// Cool puts a Retry-After in force here. The node learns of it from the report
// that carries its raw text.
func (n *node) Cool(key breaker.Key, c breaker.Cooldown) { n.view.cool(key, c) }

// split is a key as the API names it.
func split(key breaker.Key) (host, resolver string) {
	if key.Scope() == breaker.ScopeResolver {
		return "", key.Name()
	}
	return key.Name(), ""
}

// permits remember the node's tokens by the ids the gate knows them by.
type permits struct {
	mu   sync.Mutex
	last breaker.PermitID
	byID map[breaker.PermitID]permit
}

// permit is one token and the role it was asked for.
type permit struct {
	token, role string
	expires     breaker.Instant
}

func (p *permits) add(token, role string, expires, now breaker.Instant) breaker.PermitID {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil {
		p.byID = map[breaker.PermitID]permit{}
	}
	for id, old := range p.byID {
		if old.expires.Add(time.Minute) < now {
			delete(p.byID, id)
		}
	}
	p.last++
	p.byID[p.last] = permit{token, role, expires}
	return p.last
}

// take removes and returns a permit; it is good once.
func (p *permits) take(id breaker.PermitID) permit {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.byID[id]
	delete(p.byID, id)
	return t
}
