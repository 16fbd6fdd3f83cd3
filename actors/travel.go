package actors

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"fleetfuse/breaker"
	"fleetfuse/wire"
)

// departing gives a message or an answer its wire form, so that it can travel
// to another node. It is nil for one that cannot.
func departing(msg any, key breaker.Key, now breaker.Instant) proto.Message {
	switch m := msg.(type) {
	case *report:
		w := &wire.Report{Key: string(key), Node: m.node, Gap: m.gap}
		for _, o := range m.outcomes {
			w.Outcomes = append(w.Outcomes, outcomeOut(o, now))
		}
		return w
	case *ask:
		return &wire.Ask{Key: string(key), Node: m.question.Node, Id: m.question.ID, Role: m.question.Role}
	case *giveBack:
		return &wire.ReturnPermit{Key: string(key), Permit: uint64(m.permit)}
	case *cool:
		return &wire.Cool{Key: string(key), Cooldown: cooldownOut(m.cooldown, now)}
	case *openUntil:
		return &wire.OperatorOpen{Key: string(key), Length: int64(m.d), Author: m.author, Detail: m.detail}
	case *closeNow:
		return &wire.OperatorClose{Key: string(key), Author: m.author, Detail: m.detail}
	case *inspect:
		return &wire.Inspect{Key: string(key)}
	case *replace:
		return &wire.Replace{Key: string(key)}
	}
	return answerOut(msg, now)
}

// answerOut is departing for answers.
func answerOut(answer any, now breaker.Instant) proto.Message {
	switch m := answer.(type) {
	case breaker.Answer:
		return &wire.AskReply{
			State: wire.State(m.State), Permit: uint64(m.Permit), ExpiresIn: ahead(m.Expires, now),
			Delay: int64(m.Delay), RetryIn: int64(m.RetryIn), Reason: string(m.Reason),
		}
	case OperatorResult:
		w := &wire.OperatorReply{
			Before: statusOut(m.Before, now), After: statusOut(m.After, now),
			Durable: m.Durable, Copies: int64(m.Copies),
		}
		if m.Err != nil {
			w.Error = m.Err.Error()
		}
		return w
	case breaker.Inspection:
		return inspectionOut(m, now)
	case error:
		return &wire.Failure{Error: m.Error(), Panicked: errors.Is(m, ErrPanicked)}
	}
	return nil
}

// arriving reads a message or an answer and reports whether it came in wire
// form. What it cannot read it returns as it is.
func arriving(msg any, now breaker.Instant) (any, bool) {
	switch w := msg.(type) {
	case *wire.Report:
		m := &report{node: w.Node, gap: w.Gap, outcomes: make([]breaker.Outcome, 0, len(w.Outcomes))}
		for _, o := range w.Outcomes {
			m.outcomes = append(m.outcomes, outcomeIn(o, w.Node, now))
		}
		return m, true
	case *wire.Ask:
		return &ask{breaker.Question{ID: w.Id, Node: w.Node, Role: w.Role}}, true
	case *wire.ReturnPermit:
		return &giveBack{breaker.PermitID(w.Permit)}, true
	case *wire.Cool:
		return &cool{cooldownIn(w.Cooldown, now)}, true
	case *wire.OperatorOpen:
		return &openUntil{time.Duration(w.Length), w.Author, w.Detail}, true
	case *wire.OperatorClose:
		return &closeNow{w.Author, w.Detail}, true
	case *wire.Inspect:
		return &inspect{}, true
	case *wire.Replace:
		return &replace{}, true
	}
	return answerIn(msg, now)
}

// answerIn is arriving for answers.
func answerIn(msg any, now breaker.Instant) (any, bool) {
	switch w := msg.(type) {
	case *wire.AskReply:
		return breaker.Answer{
			State: stateIn(w.State), Permit: breaker.PermitID(w.Permit), Expires: at(w.ExpiresIn, now),
			Delay: time.Duration(w.Delay), RetryIn: time.Duration(w.RetryIn), Reason: breaker.Reason(w.Reason),
		}, true
	case *wire.OperatorReply:
		m := OperatorResult{
			Before: statusIn(w.Before, now), After: statusIn(w.After, now), Durable: w.Durable, Copies: int(w.Copies),
		}
		if w.Error != "" {
			m.Err = errors.New(w.Error)
		}
		return m, true
	case *wire.InspectReply:
		return inspectionIn(w, now), true
	case *wire.Failure:
		if w.Panicked {
			return fmt.Errorf("%w: on its owner: %s", ErrPanicked, w.Error), true
		}
		return errors.New(w.Error), true
	}
	return msg, false
}

// ahead is what remains until an instant, nil for never.
func ahead(i, now breaker.Instant) *int64 {
	if i == 0 {
		return nil
	}
	return proto.Int64(int64(i.Sub(now)))
}

// behind is the age of an instant, nil for never.
func behind(i, now breaker.Instant) *int64 {
	if i == 0 {
		return nil
	}
	return proto.Int64(int64(now.Sub(i)))
}

// at is the instant with so much left, never for nil.
func at(remaining *int64, now breaker.Instant) breaker.Instant {
	if remaining == nil {
		return 0
	}
	return known(now.Add(time.Duration(*remaining)))
}

// ago is the instant of an age, never for nil.
func ago(age *int64, now breaker.Instant) breaker.Instant {
	if age == nil {
		return 0
	}
	return known(now.Add(-time.Duration(*age)))
}

// known keeps an instant that happens to be the origin from meaning never.
func known(i breaker.Instant) breaker.Instant {
	if i == 0 {
		return 1
	}
	return i
}
