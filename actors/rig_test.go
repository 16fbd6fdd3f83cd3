package actors_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/actors"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/internal/clock"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // throttlers: they sleep up to a minute, then end
		goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"),
		goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/cluster.(*Gossiper).StartGossiping.NewThrottle.func3.1"),
		goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/cluster.NewGossipActor.NewThrottleWithLogger.func2.1"),
	)
}

const key = breaker.Key("host:api.example.org")

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// rig is a node without gate, store and members: its view, and what else a test
// needs.
type rig struct {
	*actors.Breakers
	opt     actors.Options
	policy  *breaker.Policy                // at first
	replace atomic.Pointer[breaker.Policy] // instead, if set
	clock   *clock.Clock
	cluster *cluster.Cluster
	router  *router
	keeper  *keeper
	moved   chan move
	asked   chan spread.WitnessQuestion
	members atomic.Int64
	hook    atomic.Pointer[func()] // called once, at the end of the next Announce
	block   sync.RWMutex           // while it is held, actors stop in their next step

	mu   sync.Mutex
	view *view.View
}

type move struct {
	key breaker.Key
	breaker.Transition
}

// newRig returns a rig on a running cluster of one; change, if not nil, may
// alter the options and the policy first.
func newRig(t testing.TB, change func(*rig)) *rig {
	t.Helper()
	p := breaker.DefaultPolicy()
	p.HalfOpenJitter = 0
	r := &rig{
		policy: &p, clock: clock.New(), keeper: &keeper{answer: spread.OperatorResult{Durable: true, Copies: 1}},
		moved: make(chan move, 100_000), asked: make(chan spread.WitnessQuestion, 1000), view: view.New(view.MaxExceptions),
	}
	r.members.Store(1)
	r.opt = actors.Options{
		Node: "n1", Announcer: r, Keeper: r.keeper, Clock: r.clock, Logger: slog.New(slog.DiscardHandler),
		Policy: r.policyOf, Recall: r.of, Members: r.known, Amend: amend,
	}
	t.Cleanup(r.clock.Stop)
	if change != nil {
		change(r)
	}
	r.Breakers = actors.New(r.opt)
	r.start(t)
	r.Use(r.router, r.cluster.System)
	t.Cleanup(r.cluster.Stop)
	return r
}

func (r *rig) policyOf(breaker.Key) *breaker.Policy {
	if p := r.replace.Load(); p != nil {
		return p
	}
	return r.policy
}

// amend takes what is set as it is, and refuses the field "bad".
func amend(_ breaker.Key, s breaker.Snapshot, l spread.Lay, mo breaker.Moment) (breaker.Overlay, []string) {
	if l.Set == "bad" {
		return breaker.Overlay{}, []string{"bad is no field"}
	}
	return breaker.NewOverlay(mo, l.Register, s.Overlay(l.Register).Stamp, l.Set, "", 0, 0), nil
}

// known is the number of known members.
func (r *rig) known() int {
	r.block.RLock()
	defer r.block.RUnlock()
	return int(r.members.Load())
}

// hold stops the key's actor, so that what follows waits in its mailbox.
func (r *rig) hold(k breaker.Key) (release func()) {
	r.block.Lock()
	r.Activate(k)
	return r.block.Unlock
}

func (r *rig) of(k breaker.Key) breaker.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view.Of(k)
}

// merge puts what another node says into the view.
func (r *rig) merge(k breaker.Key, s breaker.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.view.Merge(k, s)
}

// Announce implements actors.Announcer.
func (r *rig) Announce(k breaker.Key, a breaker.Announcement) {
	r.merge(k, a.Snapshot)
	for _, t := range a.Transitions {
		r.moved <- move{k, t}
	}
	if hook := r.hook.Swap(nil); hook != nil {
		(*hook)()
	}
}

// AskWitnesses implements actors.Announcer. Nobody answers but the test.
func (r *rig) AskWitnesses(k breaker.Key, q breaker.WitnessQuestion) {
	r.asked <- spread.WitnessQuestion{Key: k, WitnessQuestion: q}
}

// next waits for the next transition.
func (r *rig) next(t testing.TB) move {
	t.Helper()
	return receive(t, r.moved, "no breaker moved")
}

// question waits for the next witness round.
func (r *rig) question(t testing.TB) spread.WitnessQuestion {
	t.Helper()
	return receive(t, r.asked, "no witness was asked")
}

func receive[T any](t testing.TB, from <-chan T, otherwise string) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		t.Fatal(otherwise)
		panic("unreachable")
	}
}

// quiet fails the test if the actor, with everything before in its mailbox,
// announced a transition or asked.
func (r *rig) quiet(t testing.TB, k breaker.Key, after string) breaker.Inspection {
	t.Helper()
	in := r.inspect(t, k)
	if len(r.moved) != 0 {
		t.Errorf("after %s it announced %+v, want nothing", after, <-r.moved)
	}
	if len(r.asked) != 0 {
		t.Errorf("after %s it asked %+v, want nothing", after, <-r.asked)
	}
	return in
}

// fail reports n failures that ended now, in one batch: with a short
// reset_timeout a slow test machine would forget the first before the last.
func (r *rig) fail(k breaker.Key, n int) { r.failAt("n1", k, n) }

// failAt is fail for what another node saw.
func (r *rig) failAt(node string, k breaker.Key, n int) {
	batch := make([]breaker.Outcome, n)
	for i := range batch {
		batch[i] = r.outcome(node, breaker.Failure)
	}
	r.Report(k, node, false, batch)
}

func (r *rig) outcome(node string, kind breaker.Kind) breaker.Outcome {
	now := r.clock.Now()
	return breaker.Outcome{Node: node, Kind: kind, Began: now, Ended: now}
}

func (r *rig) inspect(t testing.TB, k breaker.Key) breaker.Inspection {
	t.Helper()
	in, err := r.Inspect(context.Background(), k)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// keeper is a store and the other members' disks.
type keeper struct {
	mu        sync.Mutex
	answer    spread.OperatorResult
	committed []breaker.Snapshot
	unbounded bool            // a commit may hang for ever
	later     breaker.Overlay // that another member knows of, until it is told once
	onCommit  func()
}

// Commit implements actors.Keeper.
func (k *keeper) Commit(ctx context.Context, _ breaker.Key, s breaker.Snapshot) spread.OperatorResult {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.committed = append(k.committed, s.Clone())
	if _, bounded := ctx.Deadline(); !bounded {
		k.unbounded = true
	}
	if k.onCommit != nil {
		k.onCommit()
	}
	return k.answer
}

// CommitOverlay implements actors.Keeper.
func (k *keeper) CommitOverlay(ctx context.Context, key breaker.Key, s breaker.Snapshot) (spread.OperatorResult, breaker.Overlay, error) {
	k.mu.Lock()
	later := k.later
	k.later = breaker.Overlay{}
	k.mu.Unlock()
	if later.Stamp > s.Overlay(breaker.RegisterOperator).Base {
		return spread.OperatorResult{}, later, nil
	}
	return k.Commit(ctx, key, s), breaker.Overlay{}, nil
}

// Past implements actors.Keeper.
func (k *keeper) Past(context.Context, breaker.Key) (past []breaker.Overlay) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.committed {
		past = append(past, s.Overlays...)
	}
	return past
}

// Decide implements actors.Keeper.
func (k *keeper) Decide(context.Context, breaker.Key) (func(), error) { return func() {}, nil }

func (k *keeper) commits() []breaker.Snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.committed
}
