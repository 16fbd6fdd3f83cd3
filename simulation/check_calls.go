package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
)

// A hold is a deadline that nobody may undercut, once they could hear of it: a
// Retry-After or an operator's open.
type hold struct {
	host  string
	by    *node
	life  int           // of the node
	since time.Duration // seen, or acknowledged
	until time.Duration
	what  string
	stamp breaker.Stamp
	told  []string // members that the node pushed it to
}

// closeWord and laidWord are words that were acknowledged.
type (
	closeWord struct {
		stamp  breaker.Stamp
		said   time.Duration   // and when it was acknowledged, by so many
		lost   []time.Duration // how long each machine had slept when it was said
		at     time.Duration
		copies int
	}
	laidWord struct {
		stamp  breaker.Stamp
		at     time.Duration // when it was acknowledged
		copies int
	}
)

// Allowances of the promises.
const (
	hearWithin = time.Second             // a member that nothing happened to hears of a deadline
	hearLossy  = 10 * time.Second        // where messages are lost
	hearComing = 3 * time.Second         // later, who comes back just then: it is noticed, and within 2 s tells a member what it knows
	diskSlack  = 2100 * time.Millisecond // a deadline from a disk may be earlier (ADR 9)
	driftSlack = 200 * time.Millisecond  // of clocks that are a little fast
)

// cooled notes a Retry-After that a node saw.
func (c *checks) cooled(n *node, key breaker.Key, k breaker.Cooldown) {
	w := c.world
	w.sometimes(SawRetryAfter)
	if s := n.spread.View().Of(key); s.Circuit.State == breaker.Open {
		w.sometimes(SawRetryAfterWhileOpen)
	}
	c.allowedLength(n, key, k)
	if n.policies.Of(key).Mode != breaker.ModeEnforce {
		return
	}
	c.hold(hold{host: key.Name(), by: n, life: n.starts, since: w.now, until: w.now + k.Until.Sub(n.clock.Now()), what: "a Retry-After", stamp: k.Stamp})
}

func (c *checks) hold(h hold) {
	c.holds = slices.DeleteFunc(c.holds, func(old hold) bool { return old.until <= c.world.now })
	for _, m := range h.by.members.live {
		h.told = append(h.told, m.ID)
	}
	c.holds = append(c.holds, h)
	c.latest(h)
}

// lift ends the holds of a host: an operator closes it, or makes it pass.
func (c *checks) lift(host string) {
	c.holds = slices.DeleteFunc(c.holds, func(h hold) bool { return h.host == host })
	delete(c.over, host)
}

// lifted is when a word that lifts holds was answered: it may have reached some
// before.
func (c *checks) lifted(host string) {
	c.lifting[host]--
	c.lift(host)
}

// closing notes the stamp of a close that is about to be committed.
func (c *checks) closing(host string, stamp breaker.Stamp) {
	c.closeMade[host] = max(c.closeMade[host], stamp)
}

// began checks a call that begins.
func (c *checks) began(n *node, host string, d *gate.Decision, at time.Duration) {
	w := c.world
	if n.policies.Of(breaker.HostKey(host)).Mode != breaker.ModeEnforce {
		return
	}
	for i := range c.holds {
		h := &c.holds[i]
		if h.host != host || at >= h.until-driftSlack || c.lifting[host] > 0 || c.closeMayCome(host) || c.shared.mayEnd(h) || !c.mustHear(n, h) && !c.mustHaveSynced(n, h, at) {
			continue
		}
		w.fail("nothing is called before a deadline", n, "%s was called %v before the end of %s that %s has since %.3fs",
			host, (h.until - at).Round(time.Millisecond), h.what, h.by.id, h.since.Seconds())
	}
	key := breaker.HostKey(host)
	s := n.spread.View().Of(key)
	st := s.At(n.clock.Now())
	if st.State != breaker.Closed && !d.Probe() && n.policies.Of(key).Mode == breaker.ModeEnforce && !w.closedAtOwner(n, key) {
		w.fail("never full traffic while not closed", n, "%s is %v and a call without a permit was allowed: %s, owner %s", host, st.State, describe(s, n.clock.Now()), n.spread.Owner(key))
	}
}

// closeMayCome reports whether a close of a host was said and the network was not
// whole since: it may come late, and its stamp be the later one, if the clock of
// who heard it is ahead. In a split each side's word holds on that side only.
func (c *checks) closeMayCome(host string) bool {
	said, ok := c.closeSaid[host]
	return ok && (c.broken > 0 || c.network >= said)
}

// closedAtOwner reports whether the owner of a key, in the eyes of a node, has
// closed it: its answer may be faster than its push.
func (w *World) closedAtOwner(n *node, key breaker.Key) bool {
	i, ok := w.index[n.spread.Owner(key)]
	if !ok {
		return false
	}
	a := w.nodes[i].actors[key]
	return a == nil || a.machine == nil || a.status().State == breaker.Closed
}

// mustHear reports whether a node cannot but know of a hold.
func (c *checks) mustHear(n *node, h *hold) bool {
	if n == h.by {
		return n.starts == h.life && c.world.now >= h.since && c.disturbs[n.index] < h.since
	}
	within := hearWithin
	if c.world.network.Loss > 0 {
		within = hearLossy
	}
	if !slices.Contains(h.told, n.id) {
		within += hearComing
	}
	return c.world.now > c.leaves(h.since)+within && c.calm(h.since, n, h.by) && h.by.starts == h.life
}

// longestRepeat is how far apart a push is repeated that is not acknowledged (ADR 7).
const longestRepeat = 4 * time.Second

// leaves is when a word of a moment is under way to every member at the latest.
// At most four pushes are under way to one: where a fault of the network that
// nobody took for a death has lost four, the next word waits until they are
// repeated.
func (c *checks) leaves(since time.Duration) time.Duration {
	return max(since, c.unnoticed+longestRepeat)
}

// Counts are what a world came to.
type Counts struct {
	Wanted   uint64 // calls that workers wanted to make
	Called   uint64
	Rejected uint64
	Local    uint64 // of these by a ring alone
	Probes   uint64
	Failed   uint64 // calls that failed
	Wasted   uint64 // calls of hosts that were down
	Spared   uint64 // calls rejected while the host was unwell, or on a machine that reached nobody
	Denied   uint64 // the other calls that were rejected
	Trips    uint64
	Rounds   uint64
	Messages uint64 // between nodes
}

// Counts are what the world came to so far.
func (w *World) Counts() Counts {
	c := w.counts
	c.Messages = w.messages
	return c
}

// unwell reports whether a call of the host would be of no use.
func unwell(p Phase) bool {
	return p.Mode == Down || p.Mode == Limiting || p.Mode == Flapping || p.Mode == BrownOut
}

func (w *World) rejected(n *node, h int, d *gate.Decision) {
	w.counts.Rejected++
	r := d.Rejection()
	w.checks.caused(n, w.plan.Hosts[h].Name, r.Local)
	if !r.Local {
		w.checks.measures.rejected(w.plan.Hosts[h].Name, w.plan.Hosts[h].phase(w.now))
	}
	if r.Local {
		w.counts.Local++
		w.sometimes(SawLocalRing)
	}
	if unwell(w.plan.Hosts[h].phase(w.now)) || n.sick {
		w.counts.Spared++
	} else {
		w.counts.Denied++
	}
	w.recorder.rejected(n, h, &r)
}

func (w *World) called(n *node, h int, c *call) {
	w.counts.Called++
	w.checks.measures.called(w.plan.Hosts[h].Name, w.plan.Hosts[h].phase(c.began))
	if c.decision.Probe() {
		w.counts.Probes++
	}
	if w.plan.Hosts[h].phase(c.began).Mode == Down {
		w.counts.Wasted++
	}
	w.checks.began(n, w.plan.Hosts[h].Name, &c.decision, c.began)
	w.checks.herd(n, h, c.began)
	w.recorder.called(n, h, c)
}

func (w *World) ended(n *node, c *call) {
	w.recorder.ended(c)
	if c.answer.kind() == breaker.Failure {
		w.counts.Failed++
	}
}
