package client

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// send runs until ctx ends: what was reported goes at once, tallies once a
// second. What is left at the end, or under way then, has a little longer.
func (n *node) send(ctx context.Context) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(reportLimit/4, cancel) })
	defer stop()
	tick := time.NewTicker(tallyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			n.reports.flushTallies()
			n.drain(longer)
			n.tellDecisions(longer, true)
			return
		case <-n.reports.signal:
		case <-tick.C:
			n.view.sweep()
			n.reports.flushTallies()
			n.tellDecisions(longer, false)
		}
		if !n.drain(longer) {
			select {
			case <-ctx.Done():
			case <-time.After(reportPause):
				n.reports.wake()
			}
		}
	}
}

// drain sends batch after batch; false if one was not taken.
func (n *node) drain(ctx context.Context) bool {
	for {
		list := n.reports.batch()
		if len(list) == 0 {
			return true
		}
		if !n.sendBatch(ctx, list) {
			return false
		}
	}
}

// maxAge is the longest age and latency that a node takes.
const maxAge = 24 * time.Hour

// sendBatch reports whether the node took the batch, or said that it never
// will: what it refuses is not sent again, or it would stand in front of all
// that comes after it.
func (n *node) sendBatch(ctx context.Context, list []report) bool {
	limited, cancel := context.WithTimeout(ctx, reportLimit)
	defer cancel()
	req := api.ReportRequest{Worker: n.worker, Outcomes: make([]api.Outcome, len(list))}
	now := n.clock.Now()
	for i, r := range list {
		req.Outcomes[i] = r.outcome
		req.Outcomes[i].AgeMS = ceilMS(min(now.Sub(r.ended), maxAge))
		req.Outcomes[i].LatencyMS = ceilMS(min(r.ended.Sub(r.began), maxAge))
	}
	var resp api.ReportResponse
	err := n.post(limited, "/v1/report", req, &resp)
	refusal, refused := errors.AsType[*statusError](err)
	refused = refused && refusal.code < http.StatusInternalServerError
	switch {
	case err == nil:
		n.taken(list, resp.Rejected)
		return true
	case refused && refusal.code == http.StatusRequestEntityTooLarge && len(list) > 1:
		half := len(list) / 2
		if !n.sendBatch(ctx, list[:half]) {
			n.again(list[half:])
			return false
		}
		return n.sendBatch(ctx, list[half:])
	case refused:
		n.lost(len(list), err.Error())
		return true
	}
	n.again(list)
	return false
}

// taken notes which outcomes the node has.
func (n *node) taken(list []report, rejected []api.Rejected) {
	if len(rejected) > 0 {
		n.lost(len(rejected), rejected[0].Detail)
	}
	for i, r := range list {
		refused := slices.ContainsFunc(rejected, func(one api.Rejected) bool { return one.Index == i })
		if r.outcome.RetryAfter != nil && !refused {
			n.view.told(r.key)
		}
	}
}

// lost counts outcomes that the node refused, and says so once a minute.
func (n *node) lost(count int, why string) {
	total := n.refused.Add(uint64(count))
	if n.odd.due() {
		n.log.Warn("the node refuses what is reported; it does not count", slog.Uint64("outcomes_so_far", total), slog.String("why", breaker.Cut(why)))
	}
}

// again keeps what is resent until acknowledged or expired: a Retry-After and
// the result of a probe. Counted evidence is dropped.
func (n *node) again(list []report) {
	now := n.clock.Now()
	kept := slices.DeleteFunc(slices.Clone(list), func(r report) bool { return r.keepUntil <= now })
	n.reports.mu.Lock()
	defer n.reports.mu.Unlock()
	newer := n.reports.waiting
	n.reports.waiting = nil
	n.reports.push(append(kept, newer...)...)
}
