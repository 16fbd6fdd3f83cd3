package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const (
	// settled is how long a store that is well, or away, has for everybody to
	// notice: a listing every 5 s that is put off for as long, and a write that
	// is.
	settled = 15 * time.Second
	// slowed is how long after a store was slow it is listed less often.
	slowed = time.Minute
	// readyWithin is how long a start takes at most, the store away or not.
	readyWithin = joinLimit + syncLimit + 10*time.Second + 2*time.Second
)

// disturbed notes that a fault of the store begins, or is over.
func (s *sharedChecks) disturbed(f Fault) {
	if s == nil || !f.Kind.ofPlace() {
		return
	}
	p := s.world.place
	if f.Kind == StoreSlow {
		s.slowAt = s.world.now
	}
	for i := range s.reach {
		state := steady
		switch {
		case p.fails > 0 || p.hangs > 0 || p.cut[i] > 0:
			state = away
		case p.slow > 0 || p.lies > 0:
			state = unsteady
		}
		if s.reach[i].state != state {
			s.reach[i] = reach{state, s.world.now}
		}
	}
}

// steadyFor reports whether nothing was wrong with the store, nor with any disk,
// for a node and for so long.
func (s *sharedChecks) steadyFor(n *node, long time.Duration) bool {
	now := s.world.now
	wrong := func(f Fault) bool {
		return (f.Kind == DiskFails || f.Kind == StoreSlow) && f.At <= now && f.At+f.For+slowed > now-long
	}
	r := s.reach[n.index]
	return r.state == steady && now-r.since > long && !slices.ContainsFunc(s.world.plan.Faults, wrong) && s.world.checks.undisturbed(n, now-long)
}

// putRight is when all faults are over.
func (s *sharedChecks) putRight() { s.disturbed(Fault{Kind: StoreSlow}) }

// patrol looks at a node now and then.
func (s *sharedChecks) patrol(n *node) {
	if s == nil || !n.up || n.paused {
		return
	}
	w := s.world
	w.checks.startsAlone(n)
	r, long := s.reach[n.index], w.now-s.reach[n.index].since
	if !n.ready || long < settled || s.listsSeldom(n) || s.world.place.slow > 0 || !w.checks.undisturbed(n, w.now-settled) {
		return
	}
	v := n.link.verdict()
	switch {
	case r.state == away && v.OK:
		w.fail("a store that is away is said to be", n, "it is away since %v, and the node says that it works", long)
	case r.state == away && w.checks.truthful() && r.since-s.slowAt > slowed: // else it was noticed late
		long = min(long, w.now-max(w.checks.started[n.index], w.checks.disturbs[n.index]))
		if age := n.link.wall().Sub(v.Since); age < long-settled {
			w.fail("a store that is away is said to be", n, "it is away since %v, the node says since %v: %v", long, age, v.Err)
		}
	case r.state == steady && !v.OK:
		w.fail("a store that is away is said to be", n, "it is back since %v, and the node says that it fails since %v: %v", long, n.link.wall().Sub(v.Since), v.Err)
	case r.state == steady:
		s.drains(n)
		s.owed(n)
	}
}

// listsSeldom reports whether a node may list less often, because the store was
// slow of late: so was a listing that ended only when its process went on.
func (s *sharedChecks) listsSeldom(n *node) bool {
	slow := max(s.slowAt, min(s.world.checks.disturbs[n.index], s.slowAt+slowed))
	return s.world.now-slow < slowed
}

// undisturbed reports whether a node goes on and nothing happened to it since a
// moment, but perhaps to the network.
func (c *checks) undisturbed(n *node, since time.Duration) bool {
	return c.disturbs[n.index] < since && c.started[n.index] < since && !n.paused
}

// startsAlone checks that no store keeps a node from starting: until then nothing
// is decided.
func (c *checks) startsAlone(n *node) {
	if up := c.world.now - c.started[n.index]; !n.ready && up > readyWithin && c.disturbs[n.index] <= c.started[n.index] {
		c.world.fail("a decision never waits for the shared store", n, "it was started %v ago and decides nothing", up)
	}
}

// drains checks that nothing waits for long to be written.
func (s *sharedChecks) drains(n *node) {
	life, before := n.link, n.link.batches
	if life.queue.Health().Pending == 0 {
		return
	}
	s.world.after(2*time.Second, func() {
		waits := life.queue.Health().Pending
		if waits > 0 && life.batches == before && n.link == life && !n.paused && s.reach[n.index].state == steady {
			s.world.fail("the outbox drains", n, "%d keys wait to be shared, and nothing is written", waits)
		}
	})
}

// owed checks that the store holds the cooldowns that an owner believes in for
// some time, or later ones.
func (s *sharedChecks) owed(n *node) {
	w := s.world
	if w.now-s.lostAt < settled || !w.checks.calm(w.now-settled, w.nodes...) {
		return
	}
	for _, h := range w.plan.Hosts {
		key := breaker.HostKey(h.Name)
		if !n.owns(key) || s.spokeSince(h.Name, w.now-settled) {
			continue
		}
		text, _ := w.place.find(cooldownstore.SharedName(key))
		there := s.wordOf(key, text)
		s.ended(n, key, text, &there)
		for _, k := range n.spread.View().Of(key).Cooldowns {
			since, ok := s.since[believer{n.index, cooldownID{key, k.Setter, k.Stamp}}]
			if left := s.leftOf(n, key, k); ok && left > 2*time.Second && w.now-since > settled && !s.holds(n, &there, key, k) {
				w.fail("what is acknowledged is in the shared store", n, "%s: the %s of %s at %d ends in %v and is known for %v; the store has %q", key, k.Reason, k.Setter, k.Stamp, left, w.now-since, text)
			}
		}
	}
}

// leftOf is how long a cooldown runs that is owed. A deadline of another program
// is owed as it wrote it: a machine that started with a wrong clock may believe it
// to be longer.
func (s *sharedChecks) leftOf(n *node, key breaker.Key, k breaker.Cooldown) time.Duration {
	if s.clears[key] >= k.Stamp {
		return 0 // the other cluster closed it, which we may have to hear yet
	}
	if k.Reason != breaker.ReasonStore {
		return k.Until.Sub(n.clock.Now())
	}
	until, ok := s.foreign[cooldownID{key, k.Setter, k.Stamp}]
	if !ok || s.closedByOthers(key, 0) {
		return 0
	}
	return min(k.Until.Sub(n.clock.Now()), cooldownstore.FromEpochSeconds(until).Sub(epoch.Add(s.world.now)))
}

// holds reports whether a word holds a cooldown, or one that makes it redundant: of
// a deadline of another program any that is as long does. One that a clear ended
// there may be believed in until it is sure whose clear that is (ADR 8).
func (s *sharedChecks) holds(n *node, there *cooldownstore.SharedWord, key breaker.Key, k breaker.Cooldown) bool {
	if there.Snapshot.Clear >= k.Stamp {
		return true
	}
	now, wall := n.clock.Both()
	until := wall.Add(k.Until.Sub(now))
	theirs, named := s.foreign[cooldownID{key, k.Setter, k.Stamp}]
	if named {
		until = cooldownstore.FromEpochSeconds(theirs)
		if slices.Contains(there.Covered, theirs) {
			return true
		}
	}
	for i, d := range there.Snapshot.Cooldowns {
		same := d.Setter == k.Setter && d.Stamp == k.Stamp
		foreign := named && d.Reason == breaker.ReasonStore && cooldownstore.EpochSeconds(there.Wall[i]) >= theirs
		if same || foreign || (d.Stamp >= k.Stamp || named) && !there.Wall[i].Before(until.Add(-time.Second)) {
			return true
		}
	}
	return false
}

// ended checks that the store does not go on saying what an owner's close ended.
func (s *sharedChecks) ended(n *node, key breaker.Key, text string, there *cooldownstore.SharedWord) {
	view := n.spread.View().Of(key)
	if view.Clear == 0 || s.world.now-s.world.checks.seen[seenKey{n.index, key}].cleared < settled {
		return
	}
	for i, k := range there.Snapshot.Cooldowns {
		if left := there.Wall[i].Sub(n.link.wall()); k.Setter != cooldownstore.ForeignSetter && k.Stamp <= view.Clear && left > 2*time.Second {
			s.world.fail("a close reaches the shared store", n, "%s was closed at %d; the store has the %s of %s at %d for %v: %s", key, view.Clear, k.Reason, k.Setter, k.Stamp, left, text)
		}
	}
	d := documentedOf(text)
	theirs := d.theirs()
	if _, ended := s.covered[nodeRow{n.index, key, theirs}]; ended && s.oneClock() && cooldownstore.FromEpochSeconds(theirs).Sub(n.link.wall()) > 2*time.Second {
		s.world.fail("a close reaches the shared store", n, "%s was closed; the store goes on saying %q", key, text)
	}
}

// atTheEnd looks at all nodes when everything was put right and had its time.
func (s *sharedChecks) atTheEnd() {
	if s == nil {
		return
	}
	for _, n := range s.world.nodes {
		s.patrol(n)
	}
}
