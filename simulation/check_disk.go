package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/words"
)

// onDisk is what a disk took of a key, in true time, as the one who wrote it
// meant it.
type onDisk struct {
	snap  breaker.Snapshot
	until []time.Duration // of its cooldowns
}

// wrote notes what a disk took.
func (c *checks) wrote(n *node, key breaker.Key, s breaker.Snapshot) {
	if s.Empty() {
		delete(c.disks, seenKey{n.index, key})
		return
	}
	d := onDisk{snap: s.Clone()}
	for _, k := range s.Cooldowns {
		d.until = append(d.until, n.moment(k.Until))
	}
	c.disks[seenKey{n.index, key}] = d
}

// lost notes that a power loss took the latest write of a key.
func (c *checks) lost(n *node, key breaker.Key) { delete(c.disks, seenKey{n.index, key}) }

// wiped notes that a disk is new.
func (c *checks) wiped(n *node) {
	for k := range c.disks {
		if k.node == n.index {
			delete(c.disks, k)
		}
	}
	c.shared.wiped(n)
	c.wipes[n.index] = append(c.wipes[n.index], c.world.now)
}

// wipedSince counts the nodes whose disk was replaced since a moment.
func (c *checks) wipedSince(since time.Duration) (nodes int) {
	for _, at := range c.wipes {
		if slices.ContainsFunc(at, func(t time.Duration) bool { return t >= since }) {
			nodes++
		}
	}
	return nodes
}

// lasts reports whether some disk is sure to hold a word that was acknowledged at a
// moment, on so many: not when it was acknowledged, but since it was said.
func (c *checks) lasts(at time.Duration, copies int) bool {
	return c.wipedSince(at-words.WordLimit) < copies
}

// onDisks checks that what was acknowledged is on as many disks as that says, unless
// some were replaced since it was said.
func (c *checks) onDisks(by *node, key breaker.Key, what string, copies int, has func(*breaker.Snapshot) bool) {
	got := 0
	for _, n := range c.world.nodes {
		if n.disk.keeps(key, has) {
			got++
		}
	}
	if got+c.wipedSince(c.world.now-words.WordLimit) < copies {
		c.world.fail("what is acknowledged is on its disks", by, "%s of %s is on %d disks, want %d", what, key, got, copies)
	}
}

// writtenBehind checks that what a node believes for a while is on its disk, or
// something later.
func (c *checks) writtenBehind(n *node) {
	for _, h := range c.world.plan.Hosts {
		key := breaker.HostKey(h.Name)
		if at, ok := c.seen[seenKey{n.index, key}]; !ok || at.changed > c.world.now-time.Second || n.committed.Pending(key) {
			continue
		}
		is, there := n.spread.View().Of(key), n.disk.written[key].Snapshot
		lacks := there.Clear < is.Clear || is.Circuit.Stamp > max(there.Circuit.Stamp, there.Clear)
		for _, k := range is.Cooldowns {
			lacks = lacks || k.Stamp > there.Clear && !slices.ContainsFunc(there.Cooldowns, k.Says)
		}
		for _, o := range is.Overlays {
			lacks = lacks || there.Overlay(o.Register).Stamp < o.Stamp
		}
		if lacks {
			c.world.fail("what is believed is on disk", n, "%s is %s, the disk has %+v", key, describe(is, n.clock.Now()), there)
		}
	}
}

// recalled checks that a process that starts believes what its disk holds.
func (c *checks) recalled(n *node) {
	c.started[n.index] = c.world.now
	c.truth.failures[n.index] = 0
	for _, h := range c.world.plan.Hosts {
		key := breaker.HostKey(h.Name)
		if d, ok := c.disks[seenKey{n.index, key}]; ok {
			c.comesBack(n, key, d)
		}
	}
}

func (c *checks) comesBack(n *node, key breaker.Key, d onDisk) {
	s := n.spread.View().Of(key)
	miss := func(what string, args ...any) {
		c.world.fail("what is on disk comes back", n, what+" of "+string(key)+" at "+describe(s, n.clock.Now()), args...)
	}
	if s.Clear != d.snap.Clear {
		miss("clear %d", d.snap.Clear)
	}
	for _, o := range d.snap.Overlays {
		if s.Overlay(o.Register).Stamp != o.Stamp {
			miss("overlay %d", o.Stamp)
		}
	}
	const forgotten = 8 * time.Minute // by then, it may be
	if k := d.snap.Circuit; c.truthful() && k.State != breaker.Closed && n.moment(k.Until)+forgotten > c.world.now && s.Circuit.Stamp != k.Stamp {
		miss("circuit %d", k.Stamp)
	}
	for i, k := range d.snap.Cooldowns {
		if d.until[i] < c.world.now+time.Second || !c.truthful() {
			continue
		}
		same := slices.IndexFunc(s.Cooldowns, func(x breaker.Cooldown) bool { return x.Setter == k.Setter && x.Stamp == k.Stamp })
		if same < 0 {
			miss("cooldown %d", k.Stamp)
		} else if early := d.until[i] - n.moment(s.Cooldowns[same].Until); early.Abs() > clockSlack {
			miss("cooldown %d, earlier by %v,", k.Stamp, early)
		}
	}
}
