package spread

import (
	"slices"

	"fleetfuse/breaker"
)

// A Shared is what a place to share says of a key.
type Shared struct {
	Entry
	// Covered are deadlines of other programs that the entry's clear ended. Each
	// reader stamps those when it sees them first, by its own clock: the clear's
	// stamp alone would not reach all.
	Covered []breaker.Instant
}

// Share takes what is shared with other clusters and programs of some keys:
// cooldowns that run, and clears of cooldowns. Nothing of it touches this
// cluster's circuits: one that a shared clear would reach goes on under stamp,
// which must be later than everything in entries; the clear waits until it is
// sure that it is not this cluster's own, which closes circuits too.
func (n *Node) Share(now breaker.Instant, stamp breaker.Stamp, entries []Shared) Effects {
	for _, x := range entries {
		s := n.shared(now, stamp, x)
		if s.Empty() || !n.merge(x.Key, s) {
			continue
		}
		if n.owns(x.Key) {
			n.step(x.Key, Adopt{Snapshot: s}) // one that is not there will recall it
			if merged := n.view.Of(x.Key); merged.At(now).State != breaker.Closed {
				n.step(x.Key, Activate{})
			}
		}
		n.pushAll(now, x.Key, "")
	}
	return n.take(now)
}

// shared is what of a shared word is news here.
func (n *Node) shared(now breaker.Instant, stamp breaker.Stamp, x Shared) (s breaker.Snapshot) {
	own := n.view.Of(x.Key)
	s.Cooldowns = slices.DeleteFunc(slices.Clone(x.Snapshot.Cooldowns), func(c breaker.Cooldown) bool {
		known := func(o breaker.Cooldown) bool { return c.Says(o) && (c.Setter == breaker.ForeignSetter || !x.ends(o)) }
		return c.Until <= now || slices.ContainsFunc(own.Cooldowns, known)
	})
	s = n.view.Hear(now, x.Key, s)
	if x.Snapshot.Clear == 0 {
		return s
	}
	clear, ends := x.reach(own, now)
	if !ends {
		return s // also rings stay: nothing of this cluster's was meant
	}
	c := own.Circuit
	reached := c.Stamp != 0 && c.Stamp <= clear
	if reached && n.doubtful(now, x.Key, clear, c) {
		return s
	}
	s.Clear, s.ClearKept = clear, x.Snapshot.ClearKept
	if reached {
		c.Stamp = stamp
		s.Circuit = c
	}
	// What only the longer reach would end goes on too. The longest does for all. It
	// is this node's word from now on: as another program's deadline it would have
	// the earlier stamp that the place knows it by, which the clear reaches.
	var spared breaker.Cooldown
	for _, c := range slices.Concat(own.Cooldowns, s.Cooldowns) {
		if c.Stamp <= clear && !x.ends(c) && c.Until > spared.Until {
			spared = c
		}
	}
	if spared.Until != 0 {
		spared.Setter, spared.Stamp, spared.Disk = n.opt.Self, stamp, false
		s.Cooldowns = append(s.Cooldowns, spared)
	}
	return s
}

// reach is the stamp up to which a shared clear reaches here, and whether it
// ends a cooldown that runs.
func (x *Shared) reach(own breaker.Snapshot, now breaker.Instant) (clear breaker.Stamp, ends bool) {
	clear = x.Snapshot.Clear
	for _, c := range own.Cooldowns {
		if c.Until <= now || !x.ends(c) {
			continue
		}
		clear, ends = max(clear, c.Stamp), true
	}
	return clear, ends
}

// ends reports whether the clear was meant for a cooldown.
func (x *Shared) ends(c breaker.Cooldown) bool { return c.Stamp <= x.Snapshot.Clear || x.Covers(c) }

// Covers reports whether a cooldown is a deadline of another program that the
// clear ended.
func (x *Shared) Covers(c breaker.Cooldown) bool {
	return c.Setter == breaker.ForeignSetter && slices.ContainsFunc(x.Covered, func(at breaker.Instant) bool {
		return c.Says(breaker.Cooldown{Reason: breaker.ReasonStore, Until: at})
	})
}
