package spread

import "fleetfuse/cluster/placement"

// Counts is what a node counted since its start, and what waits in it now, for
// metrics.
type Counts struct {
	Claimed uint64 // breakers that were not closed when they became this node's
	Dropped uint64 // outcomes given up: too many waited, no owner took them

	BatchesSent, BatchesAcked uint64
	BatchesLost               uint64 // not acknowledged in time, or their member went

	Outcomes int // that wait for the next batch to a member
	Pushes   int // keys to be pushed to a member, or not acknowledged by it
	Settles  int // ends of permits not acknowledged
	Requests int // of this node, under way
}

// Counts reads the counts.
func (n *Node) Counts() Counts {
	c := n.counts
	c.Dropped, c.Requests = n.dropped, len(n.requests)
	for _, p := range n.order {
		c.Outcomes += p.outcomes
		c.Pushes += len(p.queue)
		for _, x := range p.pushes {
			c.Pushes += len(x.keys)
		}
		c.Settles += len(p.settles)
	}
	return c
}

// Owners says who owns keys now; it may be asked when the node has moved on.
// While this node starts and owns none yet it says nobody.
func (n *Node) Owners() placement.Ring {
	if !n.ready {
		return placement.Ring{}
	}
	return n.ring
}
