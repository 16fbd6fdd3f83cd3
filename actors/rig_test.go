package actors_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/actors"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
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

// rig is a node without gate and store: its view, and what else a test needs.
type rig struct {
	*actors.Breakers
	opt     actors.Options
	policy  *breaker.Policy
	clock   *clock.Clock
	cluster *cluster.Cluster
	keeper  *keeper
	moved   chan move

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
		policy: &p, clock: clock.New(), keeper: &keeper{puts: map[breaker.Key]breaker.Snapshot{}},
		moved: make(chan move, 100_000), view: view.New(view.MaxExceptions),
	}
	r.opt = actors.Options{
		Node: "n1", Announcer: r, Keeper: r.keeper, Clock: r.clock, Logger: slog.New(slog.DiscardHandler),
		Policy: func(breaker.Key) *breaker.Policy { return r.policy }, Recall: r.of, Members: func() int { return 1 },
	}
	t.Cleanup(r.clock.Stop)
	if change != nil {
		change(r)
	}
	r.Breakers = actors.New(r.opt)
	c, err := cluster.Start(context.Background(), cluster.Options{NodeID: "n1", Listen: "127.0.0.1:0", Logger: r.opt.Logger}, r.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	r.cluster = c
	r.Use(c, c.System)
	t.Cleanup(c.Stop)
	return r
}

func (r *rig) of(k breaker.Key) breaker.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view.Of(k)
}

// Announce implements actors.Announcer.
func (r *rig) Announce(k breaker.Key, a breaker.Announcement) {
	r.mu.Lock()
	r.view.Merge(k, a.Snapshot)
	r.mu.Unlock()
	for _, t := range a.Transitions {
		r.moved <- move{k, t}
	}
}

// next waits for the next transition.
func (r *rig) next(t testing.TB) move {
	t.Helper()
	select {
	case m := <-r.moved:
		return m
	case <-time.After(patience):
		t.Fatal("no breaker moved")
		return move{}
	}
}

// fail reports n failures that ended now, in one batch: with a short
// reset_timeout a slow test machine would forget the first before the last.
func (r *rig) fail(k breaker.Key, n int) {
	batch := make([]breaker.Outcome, n)
	for i := range batch {
		batch[i] = r.outcome(breaker.Failure)
	}
	r.Report(k, batch)
}

func (r *rig) outcome(kind breaker.Kind) breaker.Outcome {
	now := r.clock.Now()
	return breaker.Outcome{Node: "n1", Kind: kind, Began: now, Ended: now}
}

func (r *rig) inspect(t testing.TB, k breaker.Key) breaker.Inspection {
	t.Helper()
	in, err := r.Inspect(context.Background(), k)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// keeper is a store that may fail.
type keeper struct {
	mu        sync.Mutex
	puts      map[breaker.Key]breaker.Snapshot
	committed int
	err       error
	fleeting  bool
	onPut     func()
}

func (k *keeper) Put(key breaker.Key, s breaker.Snapshot) {
	k.mu.Lock()
	k.puts[key] = s
	onPut := k.onPut
	k.mu.Unlock()
	if onPut != nil {
		onPut()
	}
}

func (k *keeper) Commit(_ context.Context, _ breaker.Key, _ breaker.Snapshot) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.committed++
	return k.err
}

func (k *keeper) Lasting() bool { return !k.fleeting }

func (k *keeper) put(key breaker.Key) breaker.Snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.puts[key]
	return s.Clone()
}
