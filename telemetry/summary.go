package telemetry

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// Summarize sums up a window: what callers saw, and what breakers did meanwhile.
func Summarize(f rollup.Fleet, events []api.Event, window time.Duration) api.SummaryResponse {
	r := api.SummaryResponse{WindowMS: window.Milliseconds(), Nodes: f.Nodes, Missing: f.Missing, Breakers: []api.BreakerSummary{}}
	counts := map[string]*rollup.Counts{}
	for i := range f.Rows {
		key := string(f.Rows[i].Key)
		if counts[key] == nil {
			counts[key] = &rollup.Counts{}
		}
		counts[key].Add(&f.Rows[i].Counts)
	}
	by := map[string]*opens{}
	for i := range events {
		if e := &events[i]; e.Key != "" && e.To == breaker.Open.String() && e.From != e.To {
			if by[e.Key] == nil {
				by[e.Key] = &opens{reasons: map[string]int{}}
			}
			by[e.Key].add(e)
			if counts[e.Key] == nil {
				counts[e.Key] = &rollup.Counts{}
			}
		}
	}
	for key, c := range counts {
		r.Breakers = append(r.Breakers, summaryOf(key, c, by[key], window))
	}
	slices.SortFunc(r.Breakers, func(a, b api.BreakerSummary) int {
		return cmp.Or(
			cmp.Compare(b.Opens, a.Opens), cmp.Compare(b.NotSent, a.NotSent), cmp.Compare(b.Failures, a.Failures),
			cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Key, b.Key),
		)
	})
	return r
}

// opens counts how often a breaker opened.
type opens struct {
	fleet, local int
	reasons      map[string]int
}

func (o *opens) add(e *api.Event) {
	switch Kind(e.Kind) {
	case KindLocal:
		o.local++
	case KindTransition, KindCooldown, KindOperator:
		o.fleet++
		o.reasons[e.Reason]++
	}
}

func summaryOf(key string, c *rollup.Counts, o *opens, window time.Duration) api.BreakerSummary {
	s := api.BreakerSummary{
		Key: key, Calls: c.Calls(), Successes: c.Successes, Failures: c.Failed(), Neutral: c.Neutral, FromCache: c.FromCache,
		NotSent: c.RejectedAll(), Cooldown: c.Rejected[rollup.ByCooldown], Circuit: c.Rejected[rollup.ByCircuit], Local: c.Rejected[rollup.ByRing],
		ProbesOK: c.ProbesOK, ProbesFailed: c.ProbesFailed, LongestRun: c.LongestRun,
	}
	for class, n := range c.Failures {
		if n > 0 {
			if s.ByClass == nil {
				s.ByClass = map[string]uint64{}
			}
			s.ByClass[rollup.Class(class).String()] = n
		}
	}
	if o != nil {
		s.Opens, s.LocalOpens, s.OpenReasons = o.fleet, o.local, o.reasons
		s.OpensPerHour = float64(o.fleet) / window.Hours()
	}
	if probes := c.ProbesOK + c.ProbesFailed; probes > 0 {
		share := float64(c.ProbesOK) / float64(probes)
		s.SuccessAfterOpen = &share
	}
	s.P50MS, s.P99MS = quantile(&c.Latency, 0.5), quantile(&c.Latency, 0.99)
	return s
}

// quantile is a latency in milliseconds, nil if none is known.
func quantile(h *rollup.Histogram, q float64) *float64 {
	d, ok := h.Quantile(q)
	if !ok {
		return nil
	}
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}
