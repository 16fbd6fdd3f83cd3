package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// Limits of reporting.
const (
	tallyEvery  = time.Second            // how often successes are sent
	reportLimit = 2 * time.Second        // how long one batch may take
	reportPause = 250 * time.Millisecond // after a batch that was not taken
	maxWaiting  = 10_000                 // outcomes; beyond it the oldest go
	batchSize   = 500
	maxDates    = 256
)

// report is one outcome on its way to the node.
type report struct {
	key          breaker.Key
	outcome      api.Outcome
	began, ended breaker.Instant
	// keepUntil is how long it is sent again: counted evidence never is.
	keepUntil breaker.Instant
}

// reports wait for the sender.
type reports struct {
	signal chan struct{}

	mu      sync.Mutex
	waiting []report
	tallies map[tallyKey]*tally
	dates   map[dated]string
}

// tallyKey is what successes are counted by.
type tallyKey struct {
	key  breaker.Key
	role string
}

// tally counts successes since they were last sent; the times are of the one
// that began last.
type tally struct {
	n            int
	began, ended breaker.Instant
}

type dated struct {
	key breaker.Key
	raw string
}

func (r *reports) wake() {
	select {
	case r.signal <- struct{}{}:
	default:
	}
}

func (r *reports) add(one report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.push(one)
}

func (r *reports) push(list ...report) {
	r.waiting = append(r.waiting, list...)
	if excess := len(r.waiting) - maxWaiting; excess > 0 {
		r.waiting = slices.Delete(r.waiting, 0, excess)
	}
}

// succeeded counts a success.
func (r *reports) succeeded(key breaker.Key, role string, n int, began, ended breaker.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tallies[tallyKey{key, role}]
	if t == nil {
		t = &tally{}
		r.tallies[tallyKey{key, role}] = t
	}
	t.n += n
	if began > t.began {
		t.began, t.ended = began, ended
	}
}

// flushTally puts the successes counted on a key before what comes next.
func (r *reports) flushTally(key breaker.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, t := range r.tallies {
		if k.key == key {
			r.pushTally(k, t)
		}
	}
}

func (r *reports) flushTallies() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, t := range r.tallies {
		r.pushTally(k, t)
	}
}

func (r *reports) pushTally(k tallyKey, t *tally) {
	delete(r.tallies, k)
	one := report{key: k.key, began: t.began, ended: t.ended}
	one.outcome = api.Outcome{Role: k.role, Status: 200, Count: t.n}
	one.outcome.Host, one.outcome.Resolver = split(k.key)
	r.push(one)
}

// remember keeps the response's own Date beside a Retry-After that needs it.
func (r *reports) remember(key breaker.Key, raw, date string) {
	if raw == "" || date == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.dates) >= maxDates {
		clear(r.dates)
	}
	r.dates[dated{key, raw}] = date
}

func (r *reports) dateOf(key breaker.Key, raw string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dates[dated{key, raw}]
}

func (r *reports) batch() []report {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(r.waiting), batchSize)
	list := slices.Clone(r.waiting[:n])
	r.waiting = slices.Delete(r.waiting, 0, n)
	return list
}

// send runs until ctx ends: what was reported goes at once, tallies once a
// second. What is left at the end goes within limit.
func (n *node) send(ctx context.Context) {
	tick := time.NewTicker(tallyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportLimit/4)
			defer cancel()
			n.reports.flushTallies()
			n.drain(last)
			n.tellDecisions(last)
			return
		case <-n.reports.signal:
		case <-tick.C:
			n.reports.flushTallies()
			n.tellDecisions(ctx)
		}
		if !n.drain(ctx) {
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

func (n *node) sendBatch(ctx context.Context, list []report) bool {
	limited, cancel := context.WithTimeout(ctx, reportLimit)
	defer cancel()
	req := api.ReportRequest{Worker: n.worker, Outcomes: make([]api.Outcome, len(list))}
	now := n.clock.Now()
	for i, r := range list {
		req.Outcomes[i] = r.outcome
		req.Outcomes[i].AgeMS = ceilMS(now.Sub(r.ended))
		req.Outcomes[i].LatencyMS = ceilMS(r.ended.Sub(r.began))
	}
	var resp api.ReportResponse
	if err := n.post(limited, "/v1/report", req, &resp); err != nil {
		n.again(list)
		return false
	}
	for _, r := range list {
		if r.outcome.RetryAfter != nil {
			n.view.told(r.key)
		}
	}
	return true
}

// again keeps what is resent until acknowledged or expired: a Retry-After and
// the result of a probe. Counted evidence is dropped.
func (n *node) again(list []report) {
	now := n.clock.Now()
	kept := slices.DeleteFunc(list, func(r report) bool { return r.keepUntil <= now })
	n.reports.mu.Lock()
	defer n.reports.mu.Unlock()
	newer := n.reports.waiting
	n.reports.waiting = nil
	n.reports.push(append(kept, newer...)...)
}

func ceilMS(d time.Duration) int64 { return max(0, int64((d+time.Millisecond-1)/time.Millisecond)) }
