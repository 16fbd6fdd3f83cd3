package simulation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// A World is a fleet with its machines, network, hosts and workers, in virtual
// time. Run it once.
type World struct {
	plan      Plan
	rand      *rand.Rand
	now       time.Duration // since it began
	queue     queue
	nodes     []*node
	index     map[string]int // of a node, by id
	network   network
	callers   callers
	place     *place // nil: nothing is shared
	trace     trace
	checks    checks
	neighbour *neighbour // nil: nothing is shared
	saw       [sometimesCount]uint64
	counts    Counts

	messages    uint64
	activations uint64
	changes     uint64    // of policies
	topology    uint64    // changes that nodes notice
	recorder    *Recorder // of a report; nil: nobody wants one
}

// New builds the world of a plan.
func New(p Plan) *World {
	w := &World{
		plan: p, rand: rand.New(rand.NewPCG(p.Seed, 1)), index: map[string]int{},
		network: newNetwork(p.Network, p.Nodes), callers: newCallers(p.Hosts),
	}
	w.place = newPlace(w)
	w.checks = newChecks(w)
	for i := range p.Nodes {
		var m Machine
		if i < len(p.Machines) {
			m = p.Machines[i]
		}
		n := newNode(w, i, m)
		w.nodes = append(w.nodes, n)
		w.index[n.id] = i
	}
	if w.place != nil {
		w.neighbour = newNeighbour(w)
	}
	return w
}

// Run runs the world to its end: Length with faults, then Quiet without.
func (w *World) Run() {
	for _, n := range w.nodes {
		n.start()
		w.nextCall(n)
	}
	for _, f := range w.plan.Faults {
		w.after(f.At, func() { w.inject(f) })
	}
	for _, x := range w.plan.Words {
		w.after(x.At, func() { w.say(x) })
	}
	w.shareWithOthers()
	w.after(patrolEvery, w.checks.patrol)
	w.after(w.plan.Length, w.checks.healed)
	w.runUntil(w.plan.Length + w.plan.Quiet)
	w.checks.ended()
}

func (w *World) runUntil(end time.Duration) {
	for len(w.queue.heap) > 0 && w.queue.heap[0].at <= end {
		e := w.queue.pop()
		w.now = e.at
		switch e.kind {
		case callStarts:
			w.startCall(w.nodes[e.node])
		case callEnds:
			w.endCall(w.nodes[e.node], e.call)
		default:
			e.do()
		}
	}
	w.now = end
}

// after does something after a while.
func (w *World) after(d time.Duration, do func()) {
	w.queue.push(event{at: w.now + max(d, 0), do: do})
}

func (w *World) indexOf(id string) int { return w.index[id] }

func (w *World) activation() uint64 {
	w.activations++
	return w.activations
}

// Hash sums up everything that happened: the same for every run of a plan.
func (w *World) Hash() string { return fmt.Sprintf("%016x", w.sum()) }

func (w *World) sum() uint64 { return mix(w.trace.a, w.trace.b^w.counts.Wanted) }

// Tell has the story of the run written while it runs.
func (w *World) Tell(write func(line string)) {
	w.trace.story = func(format string, args ...any) {
		write(fmt.Sprintf("%10s  ", strconv.FormatFloat(w.now.Seconds(), 'f', 3, 64)) + fmt.Sprintf(format, args...))
	}
}

// story tells what happened, to who wants to read it.
func (w *World) story(format string, args ...any) {
	if w.trace.story != nil {
		w.trace.story(format, args...)
	}
}
