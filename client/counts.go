package client

import "sync/atomic"

// Counts are a client's totals, for metrics.
type Counts struct {
	Allowed  uint64 // probes included
	Rejected uint64
	Probes   uint64
	Stale    uint64 // decisions taken while the node was away
}

type counters struct{ allowed, rejected, probes, stale atomic.Uint64 }

func (n *counters) add(p *Permit, err error) {
	open, _ := err.(*OpenError)
	switch {
	case err != nil:
		n.rejected.Add(1)
	case p.probe:
		n.probes.Add(1)
		n.allowed.Add(1)
	default:
		n.allowed.Add(1)
	}
	if open != nil && open.Stale || p != nil && p.stale {
		n.stale.Add(1)
	}
}

// Counts reads the totals.
func (c *Client) Counts() Counts {
	n := &c.counts
	return Counts{Allowed: n.allowed.Load(), Rejected: n.rejected.Load(), Probes: n.probes.Load(), Stale: n.stale.Load()}
}
