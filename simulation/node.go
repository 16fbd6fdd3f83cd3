package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/cluster/words"
	"fleetfuse/config"
	"fleetfuse/gate"
	"fleetfuse/internal/clock"
)

// node is one node process and the machine it runs on. What survives a kill is
// in disk and in the fields above it.
type node struct {
	world *World
	index int
	id    string
	rand  *rand.Rand
	machine
	clock *clock.Clock
	disk  disk
	link  *link   // to the shared store; nil: there is none
	rate  float64 // calls a second that its workers want to make

	up       bool
	ready    bool
	epoch    uint64 // of its membership
	starts   int    // how often it started: what an earlier life scheduled is void
	paused   bool
	pausedAt time.Duration
	inbox    []func() // while it is paused
	sick     bool     // its workers' calls fail

	gate      *gate.Gate
	spread    *spread.Node
	actors    map[breaker.Key]*actor
	standing  turns                // of words that it stands in for
	deciding  turns                // of overlays that are made or held here
	waits     map[uint64]func(any) // requests that are out
	committed words.Committed      // words on their way
	policies  *config.InForce
	tickAt    time.Duration // when the protocol wants its Tick; 0: never
	members   membership
}

func newNode(w *World, i int, m Machine) *node {
	n := &node{world: w, index: i, id: fmt.Sprintf("n%d", i+1), rand: rand.New(rand.NewPCG(w.plan.Seed, uint64(i)+1000)), rate: w.plan.Rate}
	n.machine = machine{world: w, ppm: m.PPM, ahead: m.Ahead, rand: n.rand}
	n.origin = instantZero.Add(time.Duration(n.rand.Int64N(int64(1000 * time.Hour)))) // each machine has its own
	n.disk = newDisk(n)
	return n
}

// hear does something now, unless the node is not up, or else when it is
// resumed.
func (n *node) hear(do func()) {
	switch {
	case !n.up:
	case n.paused:
		n.inbox = append(n.inbox, do)
	default:
		n.clock.Refresh()
		do()
	}
}

// later does something after a while, in this life of the process.
func (n *node) later(d time.Duration, do func()) {
	life := n.starts
	n.world.after(d, func() {
		if n.starts == life {
			n.hear(do)
		}
	})
}

// at does something when the node's own clock reaches an instant.
func (n *node) at(i breaker.Instant, do func()) {
	n.later(n.when(i)-n.world.now, do)
}

// do runs an input of the protocol and carries out its effects, as node's board
// does.
func (n *node) do(input func(*spread.Node, breaker.Instant) spread.Effects) {
	n.input(input, n.keep)
}

// input is do; put gets what is to be kept.
func (n *node) input(input func(*spread.Node, breaker.Instant) spread.Effects, put func(breaker.Key)) {
	e := input(n.spread, n.clock.Now())
	for _, x := range e.Changed {
		n.changed(x.Key, x.Snapshot)
		put(x.Key)
	}
	n.carry(e)
}

// changed tells the gate what the view says now.
func (n *node) changed(key breaker.Key, s breaker.Snapshot) {
	n.world.checks.shared.viewed(n, key, s)
	n.world.checks.viewed(n, key, s)
	replaced := !n.policies.Knows(key, s.Overlays)
	if replaced {
		if err := n.policies.Set(key, s.Overlays, n.clock.Now()); err != nil {
			n.world.fail("overlays fit", n, "%s: %v", key, err)
		}
	}
	s.Overlays = nil
	n.gate.Apply(key, s)
	if replaced {
		n.gate.ReplaceOne(key)
	}
}

// wakeAt sets the protocol's timer. One that goes off too early finds nothing
// due.
func (n *node) wakeAt(i breaker.Instant) {
	at := n.when(i)
	if n.tickAt != 0 && n.tickAt <= at {
		return
	}
	n.tickAt = at
	n.later(at-n.world.now, func() {
		if n.tickAt == at {
			n.tickAt = 0
			n.do((*spread.Node).Tick)
		}
	})
}

// request sends a request and hands its reply to got; after limit, an error.
func (n *node) request(limit time.Duration, send func(*spread.Node, breaker.Instant) (uint64, spread.Effects), got func(any)) {
	var id uint64
	n.do(func(s *spread.Node, now breaker.Instant) (e spread.Effects) {
		id, e = send(s, now)
		n.waits[id] = got
		return e
	})
	n.later(limit, func() {
		if _, waits := n.waits[id]; !waits {
			return
		}
		delete(n.waits, id)
		n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Abandon(now, id) })
		got(errNoReply)
	})
}

var errNoReply = fmt.Errorf("%w in time", spread.ErrNoOwner)

func (n *node) owns(key breaker.Key) bool { return n.spread.Owner(key) == n.id }

// start starts the process: it reads its disk, finds members, asks one what it
// missed, and is ready.
func (n *node) start() {
	n.starts++
	n.epoch++
	n.up, n.ready, n.paused, n.inbox, n.tickAt = true, false, false, nil, 0
	n.clock = clock.Simulated(&n.machine)
	n.actors, n.waits, n.standing, n.deciding, n.committed = map[breaker.Key]*actor{}, map[uint64]func(any){}, turns{}, turns{}, words.Committed{}
	n.policies = config.NewInForce(n.world.plan.Policies)
	n.gate = gate.New(gate.Options{Node: n.id, Owner: n, Policy: n.policies.Of, Clock: n.clock, AskLimit: time.Second, Driven: true})
	entries := n.disk.recall()
	n.spread = spread.New(spread.Options{
		Self: n.id, Limit: view.MaxExceptions, FirstID: uint64(n.clock.Stamp()), Policy: n.policies.Of, Witness: n.gate.Witness, Expects: true,
	})
	e := n.spread.Recall(n.clock.Now(), entries)
	for _, x := range e.Changed {
		n.changed(x.Key, x.Snapshot)
	}
	n.connect()
	n.world.checks.recalled(n)
	n.members = membership{}
	n.world.changedTopology()
	n.later(gate.BeatEvery, n.beat)
	n.later(time.Second, n.forget)
	n.later(joinLimit, n.sync)
}

// Times of a start and of what is done now and then (package node).
const (
	joinLimit = 300 * time.Millisecond // to find members, if there are some
	syncLimit = time.Second
)

// sync asks a member for everything, then is ready.
func (n *node) sync() {
	ready := func(any) {
		if n.ready {
			return
		}
		n.ready = n.link == nil
		n.do((*spread.Node).ClaimAll)
		if l := n.link; l != nil && !l.started {
			l.start(func() { n.ready = true })
		}
	}
	n.look(false) // who joins knows by then whom it joined
	if len(n.spread.Members()) == 0 {
		ready(nil)
		return
	}
	n.request(syncLimit, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return s.Sync(now, now.Add(syncLimit))
	}, ready)
}

func (n *node) beat() {
	n.gate.Beat()
	n.later(gate.BeatEvery, n.beat)
}

func (n *node) forget() {
	n.do((*spread.Node).Forget)
	for _, key := range n.policies.Expire(n.clock.Now()) {
		n.gate.ReplaceOne(key)
	}
	n.later(time.Second, n.forget)
}

// kill ends the process at once.
func (n *node) kill(powerLoss bool) {
	n.up, n.ready, n.link = false, false, nil
	n.starts++
	n.disk.crash(powerLoss)
	n.world.checks.killed(n)
	n.world.changedTopology()
}

// pause stops the process, resume lets it go on with what waits for it.
func (n *node) pause() {
	n.paused, n.pausedAt = true, n.world.now
	n.world.changedTopology()
}

func (n *node) resume() {
	n.paused = false
	waiting := n.inbox
	n.inbox = nil
	if n.world.now-n.pausedAt > standstill {
		n.restartActors()
	}
	for _, do := range waiting {
		n.hear(do)
	}
	n.world.changedTopology()
}

// standstill is how long a process may stand still without its actors starting
// over (package cluster, pauseLimit).
const standstill = 2 * time.Second

// restartActors is what a node does that others had given up, or may have.
func (n *node) restartActors() {
	n.world.checks.restarted(n)
	clear(n.actors)
	if !n.spread.Started() {
		return
	}
	n.do((*spread.Node).ClaimAll)
	if len(n.spread.Members()) > 0 {
		n.request(5*time.Second, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
			return s.Sync(now, now.Add(5*time.Second))
		}, func(any) {})
	}
}
