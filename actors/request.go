package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// ErrPanicked is returned when a step of the machine panicked.
// spread.ErrNoOwner is, when no owner answered in time.
var ErrPanicked = errors.New("the breaker panicked")

// Limits of requests. A gate that gets no answer falls back on its ring.
const (
	askLimit      = 100 * time.Millisecond
	inspectLimit  = time.Second
	operatorLimit = 5 * time.Second
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

// request sends a message to the key's actor and waits for its one answer.
func request[T any](ctx context.Context, b *Breakers, key breaker.Key, msg any, limit time.Duration) (T, error) {
	var zero T
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	in := inbox{make(chan any, 1)}
	registry := b.system.ProcessRegistry
	sender, ok := registry.Add(in, "request"+registry.NextId())
	if !ok {
		return zero, fmt.Errorf("%w: %s: the request's id is taken", spread.ErrNoOwner, key)
	}
	defer registry.Remove(sender)
	if !b.opt.Router.Deliver(kind, string(key), msg, sender) {
		return zero, fmt.Errorf("%w: %s", spread.ErrNoOwner, key)
	}
	select {
	case <-ctx.Done():
		return zero, fmt.Errorf("%w: %s: %w", spread.ErrNoOwner, key, context.Cause(ctx))
	case answer := <-in.answer:
		return read[T](key, answer)
	}
}

// read takes an answer apart.
func read[T any](key breaker.Key, answer any) (T, error) {
	var zero T
	switch answer := answer.(type) {
	case T:
		return answer, nil
	case *actor.DeadLetterResponse:
		return zero, fmt.Errorf("%w: %s: its actor is gone", spread.ErrNoOwner, key)
	case error:
		return zero, answer
	}
	return zero, fmt.Errorf("%s answered with a %T", key, answer)
}
