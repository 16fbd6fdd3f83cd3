package node

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fleetfuse/actors"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/cluster/words"
	"fleetfuse/cooldownstore"
	"fleetfuse/gate"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
)

// board is where a node's parts meet. It holds the protocol's state with the
// view under one lock and carries out what the protocol decides: it tells the
// gate, the streams and the store, sends to members, steps the own actors. It
// is the Announcer and Keeper of the actors, the Owner of the gate, the Events
// of the cluster and the Board of the API.
type board struct {
	breakers *actors.Breakers
	clock    *clock.Clock
	keeper   *cooldownstore.Behind
	events   *chronicle
	tuning   *tuning
	usage    *usage
	part     func(name string, works bool, why string) // Node.part
	look     func()                                    // Node.tellStanding
	metrics  *telemetry.Metrics
	logger   *slog.Logger
	gate     *gate.Gate
	sharing  *sharing // nil: with nobody
	policies *policies
	history  func(context.Context, breaker.Key) ([]cooldownstore.OverlayRecord, error)
	id       string
	epoch    uint64 // the last that was persisted
	notes    *notes

	standing keyLocks // for words that this node carries out instead of their owner
	deciding keyLocks // for overlays that are made or held here

	stepping sync.Mutex // held while actors are told; taken with mu held
	telling  sync.Mutex // held while the cluster is told that this node's clock is off

	mu        sync.Mutex
	committed words.Committed  // on their way
	cluster   *cluster.Cluster // nil until it joined
	early     []spread.Member  // what it was told before
	earlyLeft []string
	spread    *spread.Node
	watchers  map[*watcher]struct{}
	waits     map[uint64]chan any // requests of this node, by id
	serving   chan struct{}       // a token for each request of a member under way
	observing chan struct{}       // and for each question for telemetry, which may take long
	members   membership
	refused   uint64 // frames not taken: a clock days off, or no sense in them
	evicted   uint64 // entries the view's limit cost, those already logged

	wakeMu sync.Mutex
	asleep []breaker.Key // whose actors are to be there
	wake   chan struct{} // a token: there are some
	ready  chan struct{} // closed when the start is over

	timer *time.Timer // of the protocol
	stop  chan struct{}
	life  context.Context // ends when the board is closed
	end   context.CancelFunc
	over  bool // the board is closed: nothing is begun
	loops sync.WaitGroup
}

// forgetEvery is how often the board looks for what is due to be forgotten.
const forgetEvery = time.Second

// newBoard makes the board of a node, which expects other members or does not. It
// takes part in nothing until it joins a cluster.
func newBoard(n *Node, expects bool) *board {
	b := &board{
		id: n.id, epoch: n.epoch, clock: n.clock, logger: n.opt.Logger, keeper: n.keeper, history: n.store.Overlays, sharing: n.sharing,
		policies: n.policies, events: n.events, metrics: n.metrics, part: n.part, look: n.tellStanding,
		notes: n.notes, watchers: map[*watcher]struct{}{}, waits: map[uint64]chan any{},
		serving: make(chan struct{}, maxServing), observing: make(chan struct{}, maxServing), timer: time.NewTimer(time.Hour),
		members: membership{names: map[string]string{n.id: n.opt.Name}, gone: map[string]departed{}},
		stop:    make(chan struct{}), wake: make(chan struct{}, 1), ready: make(chan struct{}),
	}
	b.life, b.end = context.WithCancel(context.Background())
	b.breakers = actors.New(actors.Options{
		Node: n.id, Announcer: b, Keeper: b, Clock: n.clock, Logger: n.opt.Logger,
		Policy: n.policies.of, Amend: n.policies.amend, Recall: b.Of, Members: b.known, Observer: watch{n.metrics.Keys, n.events},
	})
	b.spread = spread.New(spread.Options{
		Self: n.id, Limit: view.MaxExceptions, FirstID: uint64(n.clock.Stamp()), Policy: n.policies.of, Expects: expects,
		Witness: func(k breaker.Key, q breaker.WitnessQuestion) breaker.WitnessAnswer { return b.gate.Witness(k, q) },
	})
	return b
}

// join connects the board to a running cluster.
func (b *board) join(c *cluster.Cluster) {
	b.breakers.Use(c, c.System)
	b.tuning.actor.Use(c, c.System)
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects {
		b.cluster = c
		if b.early == nil {
			return spread.Effects{}
		}
		return n.SetMembers(now, b.early, b.earlyLeft)
	})
	b.loops.Go(b.run)
	b.loops.Go(b.runWakes)
}

// run forgets what is due until the board is closed.
func (b *board) run() {
	t := time.NewTicker(forgetEvery)
	defer t.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-t.C:
			b.do((*spread.Node).Forget)
			b.expirePolicies()
			b.sayDropped()
			b.look()
		case <-b.timer.C:
			b.do((*spread.Node).Tick)
		}
	}
}

// sayDropped says once a second what the view's limit cost.
func (b *board) sayDropped() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.spread.View().Dropped(); n > b.evicted {
		b.logger.Warn("the view is full; the exceptions that end soonest were dropped", slog.Uint64("dropped", n-b.evicted))
		b.evicted = n
	}
}

// work does something that close waits for. It is false if nothing is begun any
// more.
func (b *board) work(do func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.loops.Go(do)
	}
	return !b.over
}

func (b *board) close() {
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
	close(b.stop)
	b.end()
	b.loops.Wait()
	b.timer.Stop()
}

// keepAll has written what the view holds of keys now.
func (b *board) keepAll(keys []breaker.Key) {
	for some := range slices.Chunk(keys, recallAtOnce) {
		b.mu.Lock()
		for _, k := range some {
			b.write(k, b.spread.View().Of(k))
		}
		b.mu.Unlock()
	}
}

// ownIn lists what the view holds of this node's keys in one of its buckets.
func (b *board) ownIn(bucket int) (own []spread.Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range b.spread.View().KeysIn([]int{bucket}) {
		if b.spread.Owner(k) == b.id {
			own = append(own, spread.Entry{Key: k, Snapshot: b.spread.View().Of(k)})
		}
	}
	return own
}

// recall is do for what the store said: it need not be written again.
func (b *board) recall(entries []spread.Entry) {
	b.apply(func(n *spread.Node, now breaker.Instant) spread.Effects {
		return n.Recall(now, entries)
	}, func(breaker.Key, breaker.Snapshot) {})
}

// Announce implements actors.Announcer.
func (b *board) Announce(key breaker.Key, a breaker.Announcement) {
	for _, t := range a.Transitions { // first: who sees it rejects finds it counted
		b.metrics.Moved(t)
	}
	b.events.announced(key, a)
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects {
		return n.Announce(now, key, a.Snapshot, a.Derived)
	})
	for _, t := range a.Transitions {
		b.logger.Info("breaker", slog.String("key", string(key)), slog.String("from", t.From.String()), slog.String("to", t.To.String()),
			slog.String("reason", string(t.Reason)), slog.String("role", t.Role), slog.String("author", t.Author), slog.String("detail", t.Detail))
	}
}

// AskWitnesses implements actors.Announcer.
func (b *board) AskWitnesses(key breaker.Key, q breaker.WitnessQuestion) {
	b.metrics.RoundBegan()
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.AskWitnesses(now, key, q) })
}

// Of implements httpapi.Board and is what an actor recalls.
func (b *board) Of(key breaker.Key) breaker.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spread.View().Of(key)
}

// Each implements httpapi.Board. It works on a copy, so that a slow reader
// holds nobody up.
func (b *board) Each(yield func(breaker.Key, breaker.Snapshot) bool) {
	b.mu.Lock()
	list := make([]spread.Entry, 0, b.spread.View().Len())
	b.spread.View().Each(func(k breaker.Key, s breaker.Snapshot) bool {
		list = append(list, spread.Entry{Key: k, Snapshot: s})
		return true
	})
	b.mu.Unlock()
	for _, e := range list {
		if !yield(e.Key, e.Snapshot) {
			return
		}
	}
}
