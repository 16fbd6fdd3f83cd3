package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/httpapi"
)

// tunerKey is placed as a breaker's key is: its owner hosts the tuner.
const tunerKey = breaker.Key(actors.TunerIdentity)

// observeTuner is the name by which members ask the one that hosts the tuner.
const observeTuner = "tuner"

// tunerQuery is a question for the tuner.
type tunerQuery struct {
	What     string      `json:"what"` // one of the asks below
	Key      breaker.Key `json:"key,omitempty"`
	WindowMS int64       `json:"window_ms,omitempty"`
	Plan     string      `json:"plan,omitempty"`
	Author   string      `json:"author,omitempty"`
	For      purpose     `json:"for,omitempty"`
}

// wait is how long the answer may take.
func (q *tunerQuery) wait() time.Duration {
	if q.What == askEnforce {
		return enforceWait
	}
	return tunerWait
}

const (
	askAdvice  = "advice"
	askEnforce = "enforce"
)

// tunerAnswer is what the tuner's host answers: an answer, or why there is none.
type tunerAnswer struct {
	Answer  json.RawMessage `json:"answer,omitempty"`
	Unknown bool            `json:"unknown,omitempty"` // the plan
	Busy    bool            `json:"busy,omitempty"`
	// UncalledMS is for how long nobody called the breaker that was asked about.
	UncalledMS int64    `json:"uncalled_ms,omitempty"`
	Blocked    []string `json:"blocked,omitempty"`
}

// Advise implements httpapi.Tuner.
func (n *Node) Advise(ctx context.Context, key breaker.Key, window time.Duration) (api.AdviceResponse, error) {
	return askTuner[api.AdviceResponse](ctx, n, tunerQuery{What: askAdvice, Key: key, WindowMS: window.Milliseconds()})
}

// Enforce implements httpapi.Tuner.
func (n *Node) Enforce(ctx context.Context, plan, author string) (api.EnforceResponse, error) {
	return askTuner[api.EnforceResponse](ctx, n, tunerQuery{What: askEnforce, Plan: plan, Author: author})
}

// How long answers may take: a plan needs counts, events and outcomes of all members,
// and replays; to enforce one, the owners of all breakers that it changes.
const (
	tunerWait   = 20 * time.Second
	enforceWait = 45 * time.Second
)

// askTuner asks the member that hosts the tuner; one that does not any more has a
// successor.
func askTuner[T any](ctx context.Context, n *Node, q tunerQuery) (answer T, err error) {
	for again := false; ; again = true {
		host := read(n.board, func(s *spread.Node) string { return s.Owner(tunerKey) })
		a, err := n.askTunerAt(ctx, host, q)
		switch {
		case err == nil:
			return answerOf[T](a, q.Key)
		case ctx.Err() != nil:
			return answer, context.Cause(ctx)
		case again || read(n.board, func(s *spread.Node) string { return s.Owner(tunerKey) }) == host:
			return answer, err
		}
	}
}

func (n *Node) askTunerAt(ctx context.Context, host string, q tunerQuery) (tunerAnswer, error) {
	return ofMember(ctx, n, host, observeTuner, q, q.wait(), func() (tunerAnswer, error) { return n.tuning.answer(ctx, q) })
}

func answerOf[T any](a tunerAnswer, key breaker.Key) (answer T, err error) {
	switch {
	case a.Unknown:
		return answer, httpapi.ErrUnknownPlan
	case a.Busy:
		return answer, httpapi.ErrBusy
	case a.UncalledMS > 0:
		return answer, &httpapi.UncalledError{Key: key, Window: time.Duration(a.UncalledMS) * time.Millisecond}
	case len(a.Blocked) > 0:
		return answer, &httpapi.BlockedError{Reasons: a.Blocked}
	}
	return answer, json.Unmarshal(a.Answer, &answer)
}

// answer answers a question as the tuner's host.
func (t *tuning) answer(ctx context.Context, q tunerQuery) (tunerAnswer, error) {
	var answer any
	var err error
	switch q.What {
	case askAdvice:
		answer, err = t.advise(ctx, q.Key, time.Duration(min(max(q.WindowMS, 0), inMemory.Milliseconds()))*time.Millisecond, q.For)
	case askEnforce:
		answer, err = t.enforce(ctx, q.Plan, q.Author)
	default:
		err = fmt.Errorf("the tuner knows no %q: is %s of an older version?", q.What, t.node.opt.Name)
	}
	var blocked *httpapi.BlockedError
	var uncalled *httpapi.UncalledError
	switch {
	case errors.Is(err, httpapi.ErrUnknownPlan):
		return tunerAnswer{Unknown: true}, nil
	case errors.Is(err, httpapi.ErrBusy):
		return tunerAnswer{Busy: true}, nil
	case errors.As(err, &uncalled):
		return tunerAnswer{UncalledMS: uncalled.Window.Milliseconds()}, nil
	case errors.As(err, &blocked):
		return tunerAnswer{Blocked: blocked.Reasons}, nil
	case err != nil:
		return tunerAnswer{}, err
	}
	text, err := json.Marshal(answer)
	return tunerAnswer{Answer: text}, err
}

// answerMember is answer to another member.
func (t *tuning) answerMember(ctx context.Context, q tunerQuery) (tunerAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, q.wait())
	defer cancel()
	return t.answer(ctx, q)
}
