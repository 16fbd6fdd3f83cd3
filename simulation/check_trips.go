package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// trueTrip checks a trip against what really happened. before is when the
// activation changed last.
func (c *checks) trueTrip(a *actor, t *breaker.Transition, before breaker.Instant) {
	w, host := c.world, a.key.Name()
	if met := a.node.met(); a.node.spread.Known(a.node.clock.Now()) < met {
		w.fail("a lost member stays known", a.node, "%s tripped with %d known members, it met %d", a.key, a.node.spread.Known(a.node.clock.Now()), met)
	}
	c.trueWitnesses(a, t, before)
	if t.Reason != breaker.ReasonConsecutive {
		return
	}
	since := never
	if before != 0 {
		since = a.node.moment(before) - c.travel()
	}
	if failures, nodes := c.happened(a, t.Role, since); failures < t.Failures {
		w.fail("a run is what happened", a.node, "%s tripped for role %q by %d failures of %v, but there were %d: %v",
			host, t.Role, t.Failures, t.Nodes, failures, nodes)
	}
	if a.node.spread.Known(a.node.clock.Now()) > 1 {
		c.trueRound(a, before)
	}
}

// met counts the members that the node knows: those that it sees, and those it
// gave up.
func (n *node) met() int {
	met := len(n.members.live)
	for id := range n.members.gaveUp {
		if !slices.ContainsFunc(n.members.live, func(m spread.Member) bool { return m.ID == id }) {
			met++
		}
	}
	return met
}

// memory is longer than any rule of a policy remembers.
func memory(p *breaker.Policy, role string) time.Duration {
	return p.MemoryOf(role) + p.Rolling.Window + p.FailureRate.Window + p.PermitTimeout + timeout
}

// trueWitnesses checks that calls of enough nodes failed: one sick machine opens
// nothing.
func (c *checks) trueWitnesses(a *actor, t *breaker.Transition, before breaker.Instant) {
	p := a.machine.Policy()
	need := min(p.Witnesses, a.node.spread.Known(a.node.clock.Now()))
	if need == 1 {
		return
	}
	since := never
	switch t.Reason {
	case breaker.ReasonConsecutive: // a run lasts as long as failures follow each other
	case breaker.ReasonProbeFailed: // it stays half-open until probes of enough nodes failed
		if before != 0 {
			since = a.node.moment(before) - c.stood() - c.travel() // ages count from when a report arrives
		}
	default:
		since = c.world.now - memory(p, t.Role) - c.stood()
	}
	if got := c.saw(a.key.Name(), since); got < need {
		c.world.fail("a trip has its witnesses", a.node, "%s tripped (%s) when calls of %d nodes had failed, want %d", a.key, t.Reason, got, need)
	}
}

// trueRound checks that a run was asked about, and that nobody who was asked
// knew of a success in it.
func (c *checks) trueRound(a *actor, before breaker.Instant) {
	w := c.world
	q, ok := c.truth.asked[a.life]
	if !ok || before != 0 && q.at < a.node.moment(before)-time.Millisecond {
		w.fail("a trip has its witnesses", a.node, "%s tripped and nobody was asked", a.key)
		return
	}
	net := w.plan.Network
	if q.totals || net.Loss > 0 || net.Slow > 0 || !c.calm(q.at-time.Second, a.node) {
		return
	}
	// A success counts by whole seconds where it is not of late.
	const second = 1050 * time.Millisecond
	for _, e := range slices.Backward(c.truth.ends[c.truth.hosts[a.key.Name()]]) {
		inside := e.began > q.from+second+c.travel() && e.began < q.to-second-c.travel()
		knows := e.ended > c.started[e.node.index] && c.calm(q.at-time.Second, e.node) // it was not killed since
		if e.kind == breaker.Success && inside && e.ended < q.at && knows && e.node.meets(a.node) && e.began > q.at-50*time.Second {
			w.fail("a success refuses a trip", a.node, "%s tripped by a run of %.3fs to %.3fs, asked about at %.3fs; at %.3fs a call of %s began that succeeded",
				a.key, q.from.Seconds(), q.to.Seconds(), q.at.Seconds(), e.began.Seconds(), e.node.id)
			return
		}
	}
}

// meets reports whether two nodes take each other for live.
func (n *node) meets(m *node) bool {
	sees := func(a, b *node) bool {
		return slices.ContainsFunc(a.members.live, func(x spread.Member) bool { return x.ID == b.id })
	}
	return n == m || sees(n, m) && sees(m, n)
}

// questioned notes a round.
func (c *checks) questioned(a *actor, q *breaker.WitnessQuestion) {
	if q.Heal {
		return
	}
	c.measures.rounds[a.key]++
	if last, ok := c.truth.asked[a.life]; ok && last.at >= a.node.moment(c.changed[a.life]) {
		c.world.sometimes(SawRefusedRound) // else that round had ended in a trip
	}
	m := a.node.moment
	c.truth.asked[a.life] = question{at: c.world.now, from: m(q.From), to: m(q.To), totals: q.Window != 0}
}

// witnessed checks an answer as its owner takes it: the call that succeeded
// did not begin later than it did.
func (c *checks) witnessed(a *actor, x breaker.WitnessAnswer) {
	witness := c.world.nodes[c.world.indexOf(x.Node)]
	if x.Success == 0 || a.node.lost > 0 || witness.lost > 0 { // a machine that slept takes what it saw for younger
		return
	}
	claim := a.node.moment(x.Success) - time.Millisecond
	claim -= (c.world.now - claim) / 2500 // clocks that are a little fast, and a little slow
	for _, e := range slices.Backward(c.truth.ends[c.truth.hosts[a.key.Name()]]) {
		if e.node == witness && e.kind == breaker.Success && e.began >= claim {
			return
		}
		if e.ended < claim {
			break
		}
	}
	c.world.fail("witnesses tell the truth", a.node, "%s says of %s that a call began at %.4fs and succeeded", x.Node, a.key, claim.Seconds())
}

// stood is for how long processes and machines stood still so far: deadlines
// and reports that were under way are so much later.
func (c *checks) stood() (d time.Duration) {
	for _, f := range c.world.plan.Faults {
		if (f.Kind == Pause || f.Kind == Suspend) && f.At <= c.world.now {
			d += f.For
		}
	}
	return d
}
