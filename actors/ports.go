package actors

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
)

// A Router carries messages to the actor of an identity.
type Router interface {
	// Deliver puts a message into the actor's mailbox, activating the actor if
	// needed. It does not block. It is false if this node does not own the key.
	Deliver(kind, identity string, msg any, sender *actor.PID) bool
	// Tell is Deliver to an actor that is there already; false if it is not.
	Tell(kind, identity string, msg any) bool
	// Passivated says that an actor takes no more messages: after it returns
	// none is delivered to it.
	Passivated(kind, identity string, pid *actor.PID)
}

// An Announcer tells the views and the observers that a breaker moved, and asks
// all members what they saw. It must not block.
type Announcer interface {
	Announce(key breaker.Key, a breaker.Announcement)
	// AskWitnesses starts a round. The answers come through Breakers.Witness,
	// then Breakers.EndRound.
	AskWitnesses(key breaker.Key, q breaker.WitnessQuestion)
}

// A Keeper makes an operator's word outlive the process and the machine.
type Keeper interface {
	// Commit writes a snapshot so that it survives power loss, here and on one
	// other member. It says how that went (all but Before and After).
	Commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) spread.OperatorResult
	// CommitOverlay is Commit for a snapshot with a new overlay, on the member
	// first that would own the key next, or owned it before. If that knows of a
	// later one than it was made from, it returns that and nothing is committed.
	// Nor is it with an error: spread.ErrNotOwner if that member decides about the
	// key and this node does not own it any more.
	CommitOverlay(ctx context.Context, key breaker.Key, s breaker.Snapshot) (spread.OperatorResult, breaker.Overlay, error)
	// Past are the overlays of a key that were in force, for all that can be read here.
	Past(ctx context.Context, key breaker.Key) []breaker.Overlay
	// Decide says that an overlay of a key is being decided here, until done is
	// called: meanwhile nobody else's is committed. An error says that ctx ended
	// while another one was.
	Decide(ctx context.Context, key breaker.Key) (done func(), err error)
}

// An Observer hears which breakers have an actor here, and what those do, before
// anybody acts on it. It must not block. An actor may enter while the one before
// it on the same key has not left yet.
type Observer interface {
	Entered(key breaker.Key)
	Moved(key breaker.Key, t breaker.Transition)
	// Probed hears of a probe that ended while its permit was good.
	Probed(key breaker.Key, o breaker.Outcome)
	Left(key breaker.Key)
}

// A Clock hands out moments.
type Clock interface {
	Moment(members int) breaker.Moment
	Now() breaker.Instant
}

// Options of Breakers. All are required but the Router, which Use sets, and
// those that say so.
type Options struct {
	Node      string
	Router    Router
	Announcer Announcer
	Keeper    Keeper
	Clock     Clock
	Logger    *slog.Logger
	// Policy is the policy in force, always the same pointer until it is replaced.
	Policy func(breaker.Key) *breaker.Policy
	// Amend is the overlay that a change makes of what is known of a key, or
	// what is wrong with the change. It does not look at Match.
	Amend func(breaker.Key, breaker.Snapshot, spread.Lay, breaker.Moment) (next breaker.Overlay, refused []string)
	// Recall is what the view and the store know when an actor starts, or
	// starts over.
	Recall func(breaker.Key) breaker.Snapshot
	// Members is the number of known members.
	Members func() int
	// Observer may be nil.
	Observer Observer
	// IdleAfter is how long an actor that remembers nothing stays; default one
	// minute.
	IdleAfter time.Duration
	// MaxWaiting bounds the outcomes that wait in mailboxes; default 100,000.
	// Beyond it reports are dropped and counted.
	MaxWaiting int
	// MaxActors bounds the breakers that have an actor because of a report; default
	// view.MaxExceptions. Beyond it a key that failed for the first time gets none:
	// its reports are given up and counted, and the rings of its callers go on.
	MaxActors int
}

// Defaults of Options.
const (
	defaultIdleAfter  = time.Minute
	defaultMaxWaiting = 100_000
	defaultMaxActors  = view.MaxExceptions
)
