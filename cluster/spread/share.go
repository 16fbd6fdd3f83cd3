package spread

import (
	"slices"

	"fleetfuse/breaker"
)

// Share takes what is shared with other clusters and programs of some keys:
// cooldowns that run, and clears of cooldowns. Nothing of it touches this
// cluster's circuits: one that a shared clear would reach goes on under stamp,
// which must be later than everything in entries.
func (n *Node) Share(now breaker.Instant, stamp breaker.Stamp, entries []Entry) Effects {
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
func (n *Node) shared(now breaker.Instant, stamp breaker.Stamp, x Entry) (s breaker.Snapshot) {
	own := n.view.Of(x.Key)
	s.Cooldowns = slices.DeleteFunc(slices.Clone(x.Snapshot.Cooldowns), func(c breaker.Cooldown) bool {
		return c.Until <= now || slices.ContainsFunc(own.Cooldowns, c.Says)
	})
	s = n.view.Hear(now, x.Key, s)
	ended := func(c breaker.Cooldown) bool { return c.Until > now && c.Stamp <= x.Snapshot.Clear }
	if !slices.ContainsFunc(own.Cooldowns, ended) {
		return s // also rings stay: nothing of this cluster's was meant
	}
	s.Clear, s.ClearKept = x.Snapshot.Clear, x.Snapshot.ClearKept
	if c := own.Circuit; c.Stamp != 0 && c.Stamp <= s.Clear {
		c.Stamp = stamp
		s.Circuit = c
	}
	return s
}
