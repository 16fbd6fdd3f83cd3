package client

import (
	"slices"
	"sync/atomic"

	"fleetfuse/breaker"
)

// Counts are a client's totals, for metrics.
type Counts struct {
	Allowed  uint64 // probes included
	Rejected uint64
	Probes   uint64
	Stale    uint64 // decisions taken while the node was away
	Refused  uint64 // outcomes that the node did not take; the log says why
}

// reasons are those of rejections; what is none of them counts as the last.
var reasons = [...]breaker.Reason{
	breaker.ReasonRetryAfter, breaker.ReasonRolling, breaker.ReasonConsecutive, breaker.ReasonFailureRate, breaker.ReasonProbeFailed,
	breaker.ReasonCLIOpen, breaker.ReasonStore, breaker.ReasonProbePending, breaker.ReasonLocalEvidence, ReasonNodeAway, "other",
}

type counters struct {
	plain, probes, stale atomic.Uint64               // plain: allowed, and no probe
	rejected             [len(reasons)]atomic.Uint64 // by reason
}

func (n *counters) add(p *Permit, err error) {
	open, _ := err.(*OpenError)
	switch {
	case err != nil:
		n.rejected[indexOf(open)].Add(1)
	case p.probe:
		n.probes.Add(1)
	default:
		n.plain.Add(1)
	}
	if open != nil && open.Stale || p != nil && p.stale {
		n.stale.Add(1)
	}
}

func indexOf(open *OpenError) int {
	if open != nil {
		if i := slices.Index(reasons[:], open.Reason); i >= 0 {
			return i
		}
	}
	return len(reasons) - 1
}

// Counts reads the totals.
func (c *Client) Counts() Counts {
	n := &c.counts
	sum := Counts{Probes: n.probes.Load(), Stale: n.stale.Load(), Refused: c.node.refused.Load()}
	sum.Allowed = n.plain.Load() + sum.Probes
	for i := range n.rejected {
		sum.Rejected += n.rejected[i].Load()
	}
	return sum
}
