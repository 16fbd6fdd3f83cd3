package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/cluster/spread"
)

// ErrPanicked is returned when a step of a breaker, or of the tuner, panicked.
// spread.ErrNoOwner is, when no owner answered in time.
var ErrPanicked = errors.New("the actor panicked")

// Limits of requests. A gate that gets no answer falls back on its ring.
const (
	askLimit     = 100 * time.Millisecond
	inspectLimit = time.Second
)

// An inbox is the sender of one request: a process that takes one answer.
// protoactor's Future would do but cannot be left before its timeout.
type inbox struct{ answer chan any }

// SendUserMessage takes the first answer; a second one has no reader.
func (i inbox) SendUserMessage(_ *actor.PID, message any) {
	_, msg, _ := actor.UnwrapEnvelope(message)
	select {
	case i.answer <- msg:
	default:
	}
}

// SendSystemMessage is part of actor.Process; nobody watches an inbox.
func (i inbox) SendSystemMessage(*actor.PID, any) {}

// Stop is part of actor.Process.
func (i inbox) Stop(*actor.PID) {}

// post sends to actors of this node's own identities and waits for answers.
type post struct {
	router Router
	system *actor.ActorSystem
}

// request sends a message to an identity's actor and waits for its one answer.
func request[T any](ctx context.Context, p post, kind, identity string, msg any, limit time.Duration) (T, error) {
	var zero T
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	in := inbox{make(chan any, 1)}
	registry := p.system.ProcessRegistry
	sender, ok := registry.Add(in, "request"+registry.NextId())
	if !ok {
		return zero, fmt.Errorf("%w: %s: the request's id is taken", spread.ErrNoOwner, identity)
	}
	defer registry.Remove(sender)
	if !p.router.Deliver(kind, identity, msg, sender) {
		return zero, fmt.Errorf("%w: %s", spread.ErrNoOwner, identity)
	}
	select {
	case <-ctx.Done():
		return zero, fmt.Errorf("%w: %s: %w", spread.ErrNoOwner, identity, context.Cause(ctx))
	case answer := <-in.answer:
		return read[T](identity, answer)
	}
}

// read takes an answer apart.
func read[T any](identity string, answer any) (T, error) {
	var zero T
	switch answer := answer.(type) {
	case T:
		return answer, nil
	case *actor.DeadLetterResponse:
		return zero, fmt.Errorf("%w: %s: its actor is gone", spread.ErrNoOwner, identity)
	case error:
		return zero, answer
	}
	return zero, fmt.Errorf("%s answered with a %T", identity, answer)
}
