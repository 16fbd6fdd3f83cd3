package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/words"
)

// within is how soon a word is known to who can hear it.
func (c *checks) within() time.Duration {
	if c.world.plan.Network.Loss > 0 {
		return hearLossy
	}
	return hearWithin + c.travel()
}

// reaches checks, when it had its time, that a word that was acknowledged is
// known to every node that nothing happened to.
func (c *checks) reaches(by *node, host, what string, known func(*breaker.Snapshot) bool) {
	w, since := c.world, c.world.now
	w.after(c.within(), func() {
		for _, n := range w.nodes {
			s := n.spread.View().Of(breaker.HostKey(host))
			if c.calm(since-words.WordLimit, n, by) && n.meets(by) && !known(&s) {
				w.fail("a word reaches everyone", n, "%s of %s, acknowledged by %s at %.3fs, is not known: %s",
					what, host, by.id, since.Seconds(), describe(s, n.clock.Now()))
			}
		}
	})
}

// closeKept checks at the end that a close is still known: an older word must
// not come back from a node that was off.
func (c *checks) closeKept(host string) {
	word, ok := c.closes[host]
	if !ok || !c.lasts(word.at, word.copies) {
		return
	}
	for _, n := range c.world.nodes {
		if s := n.spread.View().Of(breaker.HostKey(host)); s.Clear < word.stamp {
			c.world.fail("no acknowledged close is lost", n, "%s has the close %d, acknowledged was %d", host, s.Clear, word.stamp)
		}
	}
}

// undone checks that no circuit of before an operator's close rejects after it.
func (c *checks) undone(n *node, key breaker.Key, s *breaker.Snapshot) {
	word, ok := c.closes[key.Name()]
	k := &s.Circuit
	if !ok || k.State == breaker.Closed || k.Stamp <= word.stamp || s.Clear < word.stamp || k.Until <= n.clock.Now() {
		return
	}
	if c.trips[key] <= word.stamp {
		c.world.fail("a close stays closed", n, "%s tripped at %d, an operator closed it later: %s", key, c.trips[key], describe(*s, n.clock.Now()))
	}
}

// caused checks that a rejection has a cause.
func (c *checks) caused(n *node, host string, local bool) {
	key := breaker.HostKey(host)
	s := n.spread.View().Of(key)
	st := s.At(n.clock.Now())
	if n.policies.Of(key).Mode != breaker.ModeEnforce {
		c.world.fail("nothing is rejected without a cause", n, "%s was rejected, its mode is %v", host, n.policies.Of(key).Mode)
	}
	if st.State != breaker.Closed {
		return
	}
	if !local {
		c.world.fail("nothing is rejected without a cause", n, "%s was rejected for the fleet: %s", host, describe(s, n.clock.Now()))
		return
	}
	// A ring that tripped before it heard of the close, but later than it was said,
	// tripped after it: old calls are a cause until then. An earlier close by a clock
	// that is ahead has a later stamp: it says nothing about this one. On a machine
	// that slept the close seems as much older.
	since, heard := never, c.seen[seenKey{n.index, key}].cleared
	if word, ok := c.closes[host]; ok && s.Clear >= word.stamp && heard >= word.said {
		since = word.said - (n.lost - word.lost[n.index])
	}
	for _, e := range slices.Backward(c.truth.ends[c.truth.hosts[host]]) {
		if e.ended < since {
			break
		}
		if e.node == n && e.kind == breaker.Failure && (e.began >= since || e.ended <= heard) {
			return
		}
	}
	c.world.fail("nothing is rejected without a cause", n, "%s was rejected by a ring, no call of this node failed since %.3fs", host, since.Seconds())
}

// mustHaveSynced reports whether a node that started after a hold was told of
// it before it was ready: all others knew, and could be asked.
func (c *checks) mustHaveSynced(n *node, h *hold, at time.Duration) bool {
	w, started := c.world, c.started[n.index]
	if started <= h.since || at >= h.until-diskSlack || c.disturbs[n.index] > started || c.broken > 0 || c.network >= h.since {
		return false
	}
	if w.plan.Network.Loss > 0 || w.plan.Network.Slow > 0 {
		return false
	}
	for _, m := range w.nodes {
		if m != n && (!c.calm(h.since, m) || w.now < c.leaves(h.since)+hearWithin || started < c.leaves(h.since)+hearWithin) {
			return false
		}
	}
	return len(w.nodes) > 1
}

// made is a change that was acknowledged.
type made struct {
	change uint64
	at     time.Duration
}

// madeFrom is the version of a policy that changes are made from.
type madeFrom struct {
	host string
	base breaker.Stamp
}

// follows checks that no other change was made from the version that one was made
// from: who acknowledged that one knew of it, or its owner's successor did. Where the
// network is split or loses messages, each side has its own.
func (c *checks) follows(n *node, host string, o breaker.Overlay) {
	from := madeFrom{host, o.Base}
	before, ok := c.madeFrom[from]
	if !ok || before.change == o.Change {
		c.madeFrom[from] = made{o.Change, c.world.now}
		return
	}
	whole := c.broken == 0 && c.network < before.at && c.world.plan.Network.Loss == 0
	if whole && c.lasts(before.at, 1) && c.world.now-before.at < keptForSure {
		c.world.fail("no change is lost to another", n, "%s: changes %d and %d were both made from version %d", host, before.change, o.Change, o.Base)
	}
}

// keptForSure is for how long an overlay is known, however soon it ends.
const keptForSure = 5 * time.Minute

// superseded notes that a policy gave way to one that was not made from it.
func (c *checks) superseded(s *breaker.Snapshot, was seenView) {
	for _, o := range s.Overlays {
		if old := was.overlays[o.Register]; old != 0 && o.Stamp > old && o.Base != old {
			c.world.sometimes(SawPolicySuperseded)
		}
	}
}
