package gate

import (
	"sync/atomic"

	"fleetfuse/breaker"
)

// counters are what a gate counts beside its entries. Successes on quiet keys
// are counted there.
type counters struct {
	failures, neutral, fromCache atomic.Uint64
}

// Counts are the gate's totals, for metrics.
type Counts struct {
	Hosts     int // keys remembered
	Failing   int // keys with a ring
	Local     int // open rings
	Failures  uint64
	Neutral   uint64
	FromCache uint64
}

func (g *Gate) count(k breaker.Kind, r Result) {
	switch {
	case r.FromCache:
		g.counters.fromCache.Add(1)
	case k == breaker.Failure:
		g.counters.failures.Add(uint64(max(r.Count, 1)))
	case k == breaker.Neutral:
		g.counters.neutral.Add(uint64(max(r.Count, 1)))
	}
}

// Counts reads the totals.
func (g *Gate) Counts() Counts {
	c := Counts{
		Failures: g.counters.failures.Load(), Neutral: g.counters.neutral.Load(), FromCache: g.counters.fromCache.Load(),
	}
	for _, t := range []*table{g.hosts, g.resolvers} {
		t.mu.Lock()
		c.Hosts += t.count
		t.mu.Unlock()
	}
	g.mu.Lock()
	c.Failing = len(g.failing)
	g.mu.Unlock()
	c.Local = len(g.OpenRings())
	return c
}

// A Ring is a key that only this node rejects.
type Ring struct {
	Key    breaker.Key
	Status breaker.Status
}

// OpenRings lists the rings that reject and that the view does not overrule.
func (g *Gate) OpenRings() []Ring {
	var rings []Ring
	now := g.opt.Clock.Now()
	for _, e := range g.failingEntries() {
		x := e.exception.Load()
		if x == nil || x.view.At(now).State != breaker.Closed {
			continue
		}
		e.mu.Lock()
		if f := e.failing; f != nil {
			ring := f.ring.Snapshot()
			if st := ring.At(now); st.State != breaker.Closed {
				rings = append(rings, Ring{e.key, st})
			}
		}
		e.mu.Unlock()
	}
	return rings
}
