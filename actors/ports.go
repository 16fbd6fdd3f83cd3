package actors

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
)

// A Router carries messages to the actor of an identity.
type Router interface {
	// Deliver puts a message into the actor's mailbox, activating the actor if
	// needed. It does not block. It is false if there is no owner to send to.
	Deliver(kind, identity string, msg any, sender *actor.PID) bool
	// Passivated says that an actor takes no more messages: after it returns
	// none is delivered to it.
	Passivated(kind, identity string, pid *actor.PID)
}

// An Announcer tells the views and the observers that a breaker moved. It must
// not block and must not call back into Breakers.
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

// Options of Breakers. All are required but the Router, which Use sets, and
// those that name a default.
type Options struct {
	Node      string
	Router    Router
	Announcer Announcer
	Keeper    Keeper
	Clock     Clock
	Logger    *slog.Logger
	Policy    func(breaker.Key) *breaker.Policy
	// Recall is what the view and the store know when an actor starts, or
	// starts over.
	Recall func(breaker.Key) breaker.Snapshot
	// Members is the number of known members.
	Members func() int
	// IdleAfter is how long an actor that remembers nothing stays; default one
	// minute.
	IdleAfter time.Duration
	// MaxWaiting bounds the outcomes that wait in mailboxes; default 100,000.
	// Beyond it reports are dropped and counted.
	MaxWaiting int
}

// Defaults of Options.
const (
	defaultIdleAfter  = time.Minute
	defaultMaxWaiting = 100_000
)
