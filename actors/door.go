package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"

	"fleetfuse/breaker"
)

// A Router finds the actor of a key.
type Router interface {
	PID(kind, identity string) *actor.PID
	Passivated(kind, identity string, pid *actor.PID)
}

// An Announcer tells the views and the observers that a breaker moved.
type Announcer interface {
	Announce(key breaker.Key, a breaker.Announcement)
}

// A Keeper makes snapshots outlive the process.
type Keeper interface {
	// Put writes soon; it does not block on I/O.
	Put(key breaker.Key, s breaker.Snapshot)
	// Commit has written when it returns nil.
	Commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) error
	// Lasting reports whether what is written outlives the process.
	Lasting() bool
}

// A Clock hands out moments.
type Clock interface {
	Moment(members int) breaker.Moment
	Now() breaker.Instant
}

// Options of Breakers. All are required; Router may be set before first use.
type Options struct {
	Node      string
	Router    Router
	Announcer Announcer
	Keeper    Keeper
	Clock     Clock
	Logger    *slog.Logger
	Policy    func(breaker.Key) *breaker.Policy
	// Recall is what the view and the store know at activation.
	Recall func(breaker.Key) breaker.Snapshot
	// Members is the number of known members.
	Members func() int
}

// kind names the breaker actors in the cluster.
const kind = "breaker"

// ErrNoOwner is returned when no owner answered in time.
var ErrNoOwner = errors.New("the breaker's owner did not answer")

// Breakers is the typed door to the breaker actors, and the only place that
// talks to protoactor's request API.
type Breakers struct {
	opt    Options
	system *actor.ActorSystem
	panics atomic.Uint64
}

// New makes the door. Kinds goes to the cluster, then Use connects the two.
func New(opt Options) *Breakers { return &Breakers{opt: opt} }

// Kinds are the actors the cluster must be able to activate.
func (b *Breakers) Kinds() map[string]*actor.Props {
	return map[string]*actor.Props{kind: actor.PropsFromProducer(
		func() actor.Actor { return &breakerActor{door: b} },
		actor.WithReceiverMiddleware(b.identify),
	)}
}

// identify gives a fresh actor its key before it sees its first message.
func (b *Breakers) identify(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
		if a, ok := c.Actor().(*breakerActor); ok && a.key == "" {
			if ctx, ok := c.(actor.Context); ok {
				a.key = breaker.Key(proto.GetClusterIdentity(ctx).Identity)
			}
		}
		next(c, e)
	}
}

// Use connects the door to a running cluster.
func (b *Breakers) Use(r Router, system *actor.ActorSystem) { b.opt.Router, b.system = r, system }

// Report hands over outcomes of one key, in order. It never blocks.
func (b *Breakers) Report(key breaker.Key, outcomes []breaker.Outcome) {
	b.send(key, &report{outcomes})
}

// Return gives a permit back.
func (b *Breakers) Return(key breaker.Key, id breaker.PermitID) { b.send(key, &giveBack{id}) }

// Cool tells the owner of a Retry-After.
func (b *Breakers) Cool(key breaker.Key, c breaker.Cooldown) { b.send(key, &cool{c}) }

// Replace swaps a breaker's policy.
func (b *Breakers) Replace(key breaker.Key, p *breaker.Policy) { b.send(key, &replace{p}) }

func (b *Breakers) send(key breaker.Key, msg any) {
	if pid := b.opt.Router.PID(kind, string(key)); pid != nil {
		b.system.Root.Send(pid, msg)
	}
}

// Activate makes sure that the key's actor is there.
func (b *Breakers) Activate(key breaker.Key) { b.opt.Router.PID(kind, string(key)) }

// Ask asks the owner for a permit.
func (b *Breakers) Ask(ctx context.Context, key breaker.Key, q breaker.Question) (breaker.Answer, error) {
	return request[breaker.Answer](ctx, b, key, &ask{q})
}

// Inspect shows what the owner knows.
func (b *Breakers) Inspect(ctx context.Context, key breaker.Key) (breaker.Inspection, error) {
	return request[breaker.Inspection](ctx, b, key, &inspect{})
}

// Open is an operator's open.
func (b *Breakers) Open(ctx context.Context, key breaker.Key, d time.Duration, author, detail string) (OperatorResult, error) {
	return request[OperatorResult](ctx, b, key, &openUntil{d, author, detail})
}

// Close is an operator's close.
func (b *Breakers) Close(ctx context.Context, key breaker.Key, author, detail string) (OperatorResult, error) {
	return request[OperatorResult](ctx, b, key, &closeNow{author, detail})
}

// Panics counts the panics contained so far.
func (b *Breakers) Panics() uint64 { return b.panics.Load() }

// requestLimit bounds a request whose context has no deadline.
const requestLimit = 5 * time.Second

// request sends a message to the key's actor and waits for its one answer.
func request[T any](ctx context.Context, b *Breakers, key breaker.Key, msg any) (T, error) {
	var zero T
	pid := b.opt.Router.PID(kind, string(key))
	if pid == nil {
		return zero, ErrNoOwner
	}
	limit := requestLimit
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	answer, err := b.system.Root.RequestFuture(pid, msg, max(limit, time.Millisecond)).Result()
	if err != nil {
		return zero, fmt.Errorf("%w: %s: %w", ErrNoOwner, key, err)
	}
	switch answer := answer.(type) {
	case T:
		return answer, nil
	case error:
		return zero, answer
	}
	return zero, fmt.Errorf("%s answered with a %T", key, answer)
}
