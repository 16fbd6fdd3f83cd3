package bubbles

import (
	"cmp"
	"slices"
	"time"
)

// probes: while nothing else happens to a host, no more permits are out than
// its policy allows.
func (c *checker) probes() {
	byHost := map[string][]probe{}
	for _, call := range c.h.Calls {
		if call.Permit != "" {
			byHost[call.Host] = append(byHost[call.Host], c.probe(call))
		}
	}
	for host, probes := range byHost {
		slices.SortFunc(probes, func(a, b probe) int { return cmp.Compare(a.From, b.From) })
		for i, p := range probes {
			others := []probe{p}
			for _, q := range probes[:i] {
				if q.permit != p.permit && q.To < p.From && q.back > p.To && c.quiet(host, q, p) {
					others = append(others, q)
				}
			}
			if len(others) > c.a.Budget {
				c.fail("the probe budget holds", "%s: node %d got a permit at %v while one was out that node %d got at %v",
					host, p.node+1, p.Span, others[1].node+1, others[1].Span)
			}
		}
	}
}

// A probe is a permit that was handed out.
type probe struct {
	Span
	permit string
	node   int
	back   time.Duration // when it may have come back
}

func (c *checker) probe(call Call) probe {
	p := probe{call.Asked, call.Permit, call.Node, call.Asked.From + c.a.Permit - c.a.Drift}
	for _, r := range c.h.Reports {
		if r.Permit == call.Permit {
			p.back = min(p.back, r.From)
		}
	}
	return p
}

// quiet reports whether between two permits nothing happened that moves a
// breaker or its owner.
func (c *checker) quiet(host string, first, second probe) bool {
	for _, f := range c.h.Faults {
		if f.Kind != DiskFull && f.Kind != RedisDown && f.From <= second.To && f.To+c.a.Repair >= first.From {
			return false
		}
	}
	for _, w := range c.h.Words {
		if w.Host == host && w.From <= second.To && c.settled(w.Span).To >= first.From-c.a.Hear {
			return false
		}
	}
	for _, r := range c.h.Reports {
		if r.Host == host && r.From <= second.To && c.settled(r.Span).To >= first.From-c.a.Hear {
			return false
		}
	}
	return true
}
