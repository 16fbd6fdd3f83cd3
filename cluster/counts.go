package cluster

import "sync/atomic"

// Counts is what a cluster counted since its start.
type Counts struct {
	Strangers     uint64 // frames from nobody who is a live member with that epoch
	Malformed     uint64 // messages on the actor port that no node of ours sends
	UnknownBodies uint64 // frames of a kind only a later version knows

	RefusedLabel     uint64 // gossip of another cluster
	RefusedKey       uint64 // gossip encrypted with no key of ours, or not at all
	RefusedProtocol  uint64 // members that speak another version of wire
	RefusedMalformed uint64 // gossip that is none of ours

	DroppedSends uint64 // frames for nobody, too large, or for a member that does not keep up
	Evictions    uint64 // times that others had given this node up
	Rejoins      uint64 // seeds that were not live and answered
}

// counts are the Counts in the making.
type counts struct {
	strangers, malformed, unknownBodies                         atomic.Uint64
	refusedLabel, refusedKey, refusedProtocol, refusedMalformed atomic.Uint64
	droppedSends, evictions, rejoins                            atomic.Uint64
}

func (c *counts) read() Counts {
	return Counts{
		Strangers: c.strangers.Load(), Malformed: c.malformed.Load(), UnknownBodies: c.unknownBodies.Load(),
		RefusedLabel: c.refusedLabel.Load(), RefusedKey: c.refusedKey.Load(),
		RefusedProtocol: c.refusedProtocol.Load(), RefusedMalformed: c.refusedMalformed.Load(),
		DroppedSends: c.droppedSends.Load(), Evictions: c.evictions.Load(), Rejoins: c.rejoins.Load(),
	}
}
