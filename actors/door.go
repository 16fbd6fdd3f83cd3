package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

// kind names the breaker actors in the cluster.
const kind = "breaker"

// Breakers is the typed door to the breaker actors; with request.go it is the
// only place that talks to protoactor's request API. It reaches the actors of
// this node's own keys. It is safe for concurrent use.
type Breakers struct {
	opt    Options
	system *actor.ActorSystem

	counts counts

	mu   sync.Mutex
	lost map[source]struct{} // whose next report says that one is missing
	gaps atomic.Bool         // lost is not empty
}

// source is who reports on a key.
type source struct {
	key  breaker.Key
	node string
}

// New makes the door. Kinds goes to the cluster, then Use connects the two.
func New(opt Options) *Breakers {
	if opt.IdleAfter == 0 {
		opt.IdleAfter = defaultIdleAfter
	}
	if opt.MaxWaiting == 0 {
		opt.MaxWaiting = defaultMaxWaiting
	}
	if opt.MaxActors == 0 {
		opt.MaxActors = defaultMaxActors
	}
	return &Breakers{opt: opt, lost: map[source]struct{}{}}
}

// Kinds are the actors the cluster must be able to activate.
func (b *Breakers) Kinds() map[string]*actor.Props {
	return map[string]*actor.Props{
		kind: actor.PropsFromProducer(func() actor.Actor { return &breakerActor{door: b} }),
	}
}

// Use connects the door to a running cluster. Call it before anything else.
func (b *Breakers) Use(r Router, system *actor.ActorSystem) { b.opt.Router, b.system = r, system }

// Report hands over outcomes of one key, in order, that a node saw; gap says
// that reports of that node before this one were lost. It never blocks: when
// too many wait they are dropped, and the next report is marked as a gap. When
// there are too many actors those of a key that has none are dropped.
func (b *Breakers) Report(key breaker.Key, node string, gap bool, outcomes []breaker.Outcome) {
	n := int64(len(outcomes))
	if n == 0 {
		return
	}
	from := source{key, node}
	if b.counts.waiting.Add(n) > int64(b.opt.MaxWaiting) {
		b.lose(from, n)
		return
	}
	if b.gaps.Load() {
		gap = b.takeGap(from) || gap
	}
	msg := &report{node: node, gap: gap, outcomes: outcomes}
	if b.counts.active.Load() >= int64(b.opt.MaxActors) {
		if !b.opt.Router.Tell(kind, string(key), msg) {
			b.counts.refused.Add(1) // no gap: who is not there remembers no run
			b.giveUp(n)
		}
		return
	}
	if !b.send(key, msg) {
		b.lose(from, n)
	}
}

// giveUp counts outcomes that nobody takes.
func (b *Breakers) giveUp(outcomes int64) {
	b.counts.waiting.Add(-outcomes)
	b.counts.dropped.Add(uint64(outcomes))
}

// lose gives up a report, of which the next one is to tell.
func (b *Breakers) lose(from source, outcomes int64) {
	b.giveUp(outcomes)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lost) < b.opt.MaxWaiting {
		b.lost[from] = struct{}{}
	}
	b.gaps.Store(true)
}

// takeGap reports whether a report was lost since the last one.
func (b *Breakers) takeGap(from source) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, lost := b.lost[from]
	delete(b.lost, from)
	b.gaps.Store(len(b.lost) > 0)
	return lost
}

// Cool tells the owner of a Retry-After that a node saw.
func (b *Breakers) Cool(key breaker.Key, c breaker.Cooldown) { b.send(key, &cool{c}) }

// Adopt tells the owner what another node says of the key. Without wake an
// actor that is not there stays away.
func (b *Breakers) Adopt(key breaker.Key, s breaker.Snapshot, wake bool) {
	if wake {
		b.send(key, &adopt{s})
		return
	}
	b.opt.Router.Tell(kind, string(key), &adopt{s})
}

// Joined tells the actor, if it is there, that members joined.
func (b *Breakers) Joined(key breaker.Key) { b.opt.Router.Tell(kind, string(key), &joined{}) }

// Witness hands over a member's answer, EndRound says that a round is over.
func (b *Breakers) Witness(key breaker.Key, a breaker.WitnessAnswer) {
	b.opt.Router.Tell(kind, string(key), &witness{a})
}
func (b *Breakers) EndRound(key breaker.Key, round breaker.Stamp) {
	b.opt.Router.Tell(kind, string(key), &endRound{round})
}

// Activate makes sure that the key's actor is there.
func (b *Breakers) Activate(key breaker.Key) { b.send(key, &activate{}) }

// Drop forgets a key that the view had no room for: an actor that outlived its
// exception would be memory without a limit.
func (b *Breakers) Drop(key breaker.Key) { b.opt.Router.Tell(kind, string(key), &drop{}) }

func (b *Breakers) send(key breaker.Key, msg any) bool {
	return b.opt.Router.Deliver(kind, string(key), msg, nil)
}

func (b *Breakers) post() post { return post{b.opt.Router, b.system} }

// Ask asks the owner for a permit.
func (b *Breakers) Ask(ctx context.Context, key breaker.Key, q breaker.Question) (breaker.Answer, error) {
	return request[breaker.Answer](ctx, b.post(), kind, string(key), &ask{wanted{b.opt.Clock.Now().Add(askLimit)}, q}, askLimit)
}

// Inspect shows what the owner knows. It activates the actor if needed.
func (b *Breakers) Inspect(ctx context.Context, key breaker.Key) (breaker.Inspection, error) {
	return request[breaker.Inspection](ctx, b.post(), kind, string(key), &inspect{}, inspectLimit)
}

// wantedBy is for how long an operator's word is waited for.
func (b *Breakers) wantedBy(ctx context.Context) wanted {
	limit := words.ActorLimit
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end))
	}
	return wanted{b.opt.Clock.Now().Add(limit)}
}

// Open is an operator's open.
func (b *Breakers) Open(ctx context.Context, key breaker.Key, d time.Duration, author, detail string) (spread.OperatorResult, error) {
	return request[spread.OperatorResult](ctx, b.post(), kind, string(key), &openUntil{b.wantedBy(ctx), d, author, detail}, words.ActorLimit)
}

// Close is an operator's close.
func (b *Breakers) Close(ctx context.Context, key breaker.Key, author, detail string) (spread.OperatorResult, error) {
	return request[spread.OperatorResult](ctx, b.post(), kind, string(key), &closeNow{b.wantedBy(ctx), author, detail}, words.ActorLimit)
}

// Lay changes an overlay of a breaker's policy.
func (b *Breakers) Lay(ctx context.Context, key breaker.Key, change spread.Lay) (spread.LayResult, error) {
	return request[spread.LayResult](ctx, b.post(), kind, string(key), &lay{b.wantedBy(ctx), change}, words.ActorLimit)
}
