package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
)

// kind names the breaker actors in the cluster.
const kind = "breaker"

// Breakers is the typed door to the breaker actors; with request.go it is the
// only place that talks to protoactor's request API. It is safe for concurrent
// use and is a gate's Owner.
type Breakers struct {
	opt    Options
	system *actor.ActorSystem

	active  atomic.Int64
	waiting atomic.Int64 // outcomes in mailboxes
	panics  atomic.Uint64
	dropped atomic.Uint64

	mu   sync.Mutex
	lost map[breaker.Key]struct{} // keys whose next report says that one is missing
	gaps atomic.Bool              // lost is not empty
}

// New makes the door. Kinds goes to the cluster, then Use connects the two.
func New(opt Options) *Breakers {
	if opt.IdleAfter == 0 {
		opt.IdleAfter = defaultIdleAfter
	}
	if opt.MaxWaiting == 0 {
		opt.MaxWaiting = defaultMaxWaiting
	}
	return &Breakers{opt: opt, lost: map[breaker.Key]struct{}{}}
}

// Kinds are the actors the cluster must be able to activate.
func (b *Breakers) Kinds() map[string]*actor.Props {
	return map[string]*actor.Props{
		kind: actor.PropsFromProducer(func() actor.Actor { return &breakerActor{door: b} }),
	}
}

// Use connects the door to a running cluster. Call it before anything else.
func (b *Breakers) Use(r Router, system *actor.ActorSystem) { b.opt.Router, b.system = r, system }

// Report hands over outcomes of one key, in order. It never blocks: when too
// many wait they are dropped, and the key's next report is marked as a gap.
func (b *Breakers) Report(key breaker.Key, outcomes []breaker.Outcome) {
	n := int64(len(outcomes))
	if n == 0 {
		return
	}
	if b.waiting.Add(n) > int64(b.opt.MaxWaiting) {
		b.lose(key, n)
		return
	}
	msg := &report{node: b.opt.Node, gap: b.gaps.Load() && b.takeGap(key), outcomes: outcomes}
	if !b.send(key, msg) {
		b.lose(key, n)
	}
}

// lose gives up a report.
func (b *Breakers) lose(key breaker.Key, outcomes int64) {
	b.waiting.Add(-outcomes)
	b.dropped.Add(uint64(outcomes))
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lost) < b.opt.MaxWaiting {
		b.lost[key] = struct{}{}
	}
	b.gaps.Store(true)
}

// takeGap reports whether a report of the key was lost since the last one.
func (b *Breakers) takeGap(key breaker.Key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, lost := b.lost[key]
	delete(b.lost, key)
	b.gaps.Store(len(b.lost) > 0)
	return lost
}

// Return gives a permit back.
func (b *Breakers) Return(key breaker.Key, id breaker.PermitID) { b.send(key, &giveBack{id}) }

// Cool announces a Retry-After this node saw and tells the owner, which records
// it. The announcement has been made when it returns: a Retry-After needs no
// owner.
func (b *Breakers) Cool(key breaker.Key, c breaker.Cooldown) {
	seen := breaker.New(b.opt.Policy(key))
	mo := b.opt.Clock.Moment(1)
	seen.Adopt(mo, b.opt.Recall(key))
	if e := seen.Cool(mo, c); e.Announce != nil { // not one that a longer one makes redundant
		b.opt.Announcer.Announce(key, breaker.Announcement{Snapshot: breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}})
	}
	b.send(key, &cool{c})
}

// Replace swaps a breaker's policy.
func (b *Breakers) Replace(key breaker.Key, p *breaker.Policy) { b.send(key, &replace{p}) }

// Activate makes sure that the key's actor is there.
func (b *Breakers) Activate(key breaker.Key) { b.send(key, &activate{}) }

// Drop forgets a key that the view had no room for: an actor that outlived its
// exception would be memory without a limit.
func (b *Breakers) Drop(key breaker.Key) { b.send(key, &drop{}) }

func (b *Breakers) send(key breaker.Key, msg any) bool {
	return b.opt.Router.Deliver(kind, string(key), msg, nil)
}

// Ask asks the owner for a permit.
func (b *Breakers) Ask(ctx context.Context, key breaker.Key, q breaker.Question) (breaker.Answer, error) {
	return request[breaker.Answer](ctx, b, key, &ask{q}, askLimit)
}

// Inspect shows what the owner knows. It activates the actor if needed.
func (b *Breakers) Inspect(ctx context.Context, key breaker.Key) (breaker.Inspection, error) {
	return request[breaker.Inspection](ctx, b, key, &inspect{}, inspectLimit)
}

// Open is an operator's open.
func (b *Breakers) Open(ctx context.Context, key breaker.Key, d time.Duration, author, detail string) (OperatorResult, error) {
	return request[OperatorResult](ctx, b, key, &openUntil{d, author, detail}, operatorLimit)
}

// Close is an operator's close.
func (b *Breakers) Close(ctx context.Context, key breaker.Key, author, detail string) (OperatorResult, error) {
	return request[OperatorResult](ctx, b, key, &closeNow{author, detail}, operatorLimit)
}

// Active is the number of breakers that have an actor here.
func (b *Breakers) Active() int { return int(b.active.Load()) }

// Panics counts the panics contained so far, Dropped the outcomes lost because
// too many waited or there was no owner.
func (b *Breakers) Panics() uint64  { return b.panics.Load() }
func (b *Breakers) Dropped() uint64 { return b.dropped.Load() }
