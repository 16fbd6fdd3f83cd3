package simulation

import (
	"maps"
	"slices"

	"fleetfuse/cluster/spread"
)

// flown is the last batch of evidence of one node to another: until it is
// acknowledged, what it told counts as lost.
type flown struct {
	life  int // of the sender
	seq   uint64
	batch spread.Batch
}

// batched checks a batch that a node sends: one that was not acknowledged is not
// resent, and what follows it says that something is missing. A run must not go on
// over a success that was lost.
func (c *checks) batched(from *node, to int, m spread.Message) {
	b, ok := m.(spread.Batch)
	if !ok {
		return
	}
	way := [2]int{from.index, to}
	last, lost := c.flights[way]
	c.flights[way] = flown{life: from.starts, seq: b.Seq, batch: b}
	if !lost || last.life != from.starts {
		return
	}
	for _, r := range b.Reports {
		told := slices.ContainsFunc(last.batch.Reports, func(x spread.Report) bool { return x.Key == r.Key })
		if told && !r.Gap {
			c.world.fail("a lost report leaves a gap", from, "batch %d to n%d was not acknowledged, and %d tells of %s as if nothing were missing", last.seq, to+1, b.Seq, r.Key)
		}
	}
}

// acknowledged notes that a batch arrived.
func (c *checks) acknowledged(n *node, from int, m spread.Message) {
	way := [2]int{n.index, from}
	if a, ok := m.(spread.BatchAck); ok && c.flights[way].seq == a.Seq {
		delete(c.flights, way)
	}
}

// parted notes that a node sees other members: another may own a key now, who
// has no run of it, and whoever is told next of it hears that something is missing.
func (c *checks) parted(n *node) {
	maps.DeleteFunc(c.flights, func(way [2]int, _ flown) bool { return way[0] == n.index })
}
