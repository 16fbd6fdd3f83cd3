package client

import (
	"context"
	"errors"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// tellAgainAfter is how long a node that does not take decisions, because it is
// an older one, is not told of any.
const tellAgainAfter = 10 * time.Minute

// decided is how far the node knows what was decided here. Its metrics are to
// count it; nothing else depends on it, so it travels alone.
type decided struct {
	counts *counters
	told   totals
	quiet  breaker.Instant // the node is told of nothing before
	used   used
}

// totals are counters as read one after the other, so none is part of another.
type totals struct {
	plain, probes, stale uint64
	rejected             [len(reasons)]uint64
}

func (n *counters) read() totals {
	t := totals{plain: n.plain.Load(), probes: n.probes.Load(), stale: n.stale.Load()}
	for i := range n.rejected {
		t.rejected[i] = n.rejected[i].Load()
	}
	return t
}

// since is what was counted after an earlier moment.
func (t *totals) since(before *totals) *api.Decisions {
	d := &api.Decisions{Allowed: t.plain - before.plain, Probes: t.probes - before.probes, Stale: t.stale - before.stale}
	for i, n := range t.rejected {
		if n -= before.rejected[i]; n == 0 {
			continue
		}
		if d.Rejected == nil {
			d.Rejected = map[string]uint64{}
		}
		d.Rejected[string(reasons[i])] = n
	}
	return d
}

// tellDecisions tells the node what was decided here since it was told last. One
// that does not answer is told later, or, the last time, no more.
func (n *node) tellDecisions(ctx context.Context, last bool) {
	d := &n.decided
	now := d.counts.read()
	if !last && !n.view.fed.Load() || n.clock.Now() < d.quiet {
		return
	}
	keys := d.used.collect(n.clock.Now(), last)
	if now == d.told && len(keys) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, reportLimit)
	defer cancel()
	req := api.ReportRequest{Worker: n.worker, Outcomes: []api.Outcome{}, Decisions: now.since(&d.told)}
	req.Decisions.Keys = keys
	var resp api.ReportResponse
	err := n.post(limited, "/v1/report", req, &resp)
	if refused, ok := errors.AsType[*api.Problem](err); ok && refused.Status == 400 {
		d.quiet = n.clock.Now().Add(tellAgainAfter)
		err = nil
	}
	if err == nil {
		d.told = now
		d.used.told(keys)
	}
}
