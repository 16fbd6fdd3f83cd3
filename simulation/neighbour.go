package simulation

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
	"fleetfuse/internal/clock"
)

// neighbour is a second cluster at the same place. It has one node, which makes
// no calls of its own: what it sees and what its operators say is in the plan.
type neighbour struct {
	world *World
	machine
	clock  *clock.Clock
	spread *spread.Node
	link   *link
}

const neighbourID = "other-cluster"

func newNeighbour(w *World) *neighbour {
	x := &neighbour{world: w}
	x.machine = machine{world: w, rand: rand.New(rand.NewPCG(w.plan.Seed, 0x0e1)), origin: instantZero.Add(17 * time.Hour)}
	x.clock = clock.Simulated(&x.machine)
	x.spread = spread.New(spread.Options{
		Self: neighbourID, Limit: view.MaxExceptions, FirstID: 1, Policy: w.plan.Policies.Policy,
		Witness: func(breaker.Key, breaker.WitnessQuestion) breaker.WitnessAnswer { return breaker.WitnessAnswer{} },
	})
	x.do((*spread.Node).ClaimAll, true)
	x.link = newLink(w.place, x)
	return x
}

// do runs an input of the protocol. It has no actors: nothing is counted here.
func (x *neighbour) do(input func(*spread.Node, breaker.Instant) spread.Effects, put bool) {
	for _, c := range input(x.spread, x.clock.Now()).Changed {
		x.world.checks.shared.believedByOthers(c.Key, c.Snapshot)
		if put {
			x.link.put(c.Key, c.Snapshot)
		}
	}
}

// write does what the plan says that others do.
func (w *World) write(x Write) {
	host := w.plan.Hosts[x.Host].Name
	key := breaker.HostKey(host)
	w.story("%s: %s", x, host)
	w.trace.note(codePlace, uint64(x.Kind), uint64(x.Host), uint64(w.now))
	w.checks.shared.written(x, key)
	if x.Kind.byProgram() {
		w.place.program(x, key)
		return
	}
	w.neighbour.says(x, key)
}

func (x *neighbour) says(w Write, key breaker.Key) {
	now, stamp := x.clock.Now(), x.clock.Stamp()
	s := breaker.Snapshot{Clear: stamp, ClearKept: now.Add(breaker.KeepClear)}
	if w.Kind == ClusterClose {
		x.world.checks.shared.clears[key] = stamp
	} else {
		c := breaker.Cooldown{Setter: neighbourID, Stamp: stamp, Until: now.Add(w.For), Length: w.For, Reason: breaker.ReasonRetryAfter}
		if w.Kind == ClusterOpen {
			c.Reason, c.Author = breaker.ReasonCLIOpen, "operator"
		}
		s = breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}
	}
	x.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Announce(now, key, s, false) }, true)
}

func (x *neighbour) forget() {
	x.do((*spread.Node).Forget, true)
	x.later(time.Second, x.forget)
}

// The neighbour as a sharer.

func (x *neighbour) name() string                            { return neighbourID }
func (x *neighbour) place() int                              { return -1 }
func (x *neighbour) linked() *link                           { return x.link }
func (x *neighbour) clocks() *clock.Clock                    { return x.clock }
func (x *neighbour) owns(breaker.Key) bool                   { return true }
func (x *neighbour) believed(k breaker.Key) breaker.Snapshot { return x.spread.View().Of(k) }
func (x *neighbour) own() []spread.Entry                     { return entriesOf(x.spread, x.owns) }
func (x *neighbour) keepSightings([]cooldownstore.Sighting)  {}

func (x *neighbour) later(d time.Duration, do func()) { x.world.after(d, func() { x.hear(do) }) }

func (x *neighbour) hear(do func()) {
	x.clock.Refresh()
	do()
}

func (x *neighbour) share(entries []spread.Shared) {
	if len(entries) > 0 {
		stamp := x.clock.Stamp()
		x.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Share(now, stamp, entries) }, false)
	}
}

// entriesOf are what a view holds of some keys, in order.
func entriesOf(n *spread.Node, which func(breaker.Key) bool) (list []spread.Entry) {
	n.View().Each(func(k breaker.Key, s breaker.Snapshot) bool {
		if which(k) {
			list = append(list, spread.Entry{Key: k, Snapshot: s})
		}
		return true
	})
	slices.SortFunc(list, func(a, b spread.Entry) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return list
}

// A node as a sharer.

func (n *node) name() string                            { return n.id }
func (n *node) place() int                              { return n.index }
func (n *node) linked() *link                           { return n.link }
func (n *node) clocks() *clock.Clock                    { return n.clock }
func (n *node) believed(k breaker.Key) breaker.Snapshot { return n.spread.View().Of(k) }
func (n *node) own() []spread.Entry                     { return entriesOf(n.spread, n.owns) }

// share is do for what the place said: it need not be told again.
func (n *node) share(entries []spread.Shared) {
	if len(entries) > 0 {
		stamp := n.clock.Stamp()
		n.input(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Share(now, stamp, entries) }, n.disk.put)
	}
}

// keepSightings has what is remembered of other programs' deadlines survive the
// process.
func (n *node) keepSightings(list []cooldownstore.Sighting) {
	if n.disk.fails == 0 {
		n.disk.sightings = list
	}
}

// connect makes the link of a life that starts, if there is a place.
func (n *node) connect() {
	n.link = nil
	if n.world.place != nil {
		n.link = newLink(n.world.place, n)
		n.link.values.Recall(n.disk.sightings)
	}
}

// keep has written what the view holds of a key now.
func (n *node) keep(key breaker.Key) {
	n.disk.put(key)
	if n.link != nil && n.owns(key) {
		n.link.put(key, n.spread.View().Of(key))
	}
}

// shareWithOthers has others use the place too, if there is one.
func (w *World) shareWithOthers() {
	if w.place == nil {
		return
	}
	w.neighbour.link.start(func() {})
	w.neighbour.later(time.Second, w.neighbour.forget)
	for _, x := range w.plan.Shared.Writes {
		w.after(x.At, func() { w.write(x) })
	}
}
