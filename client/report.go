package client

import (
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
	one.outcome = api.Outcome{Role: k.role, Status: 200, Count: t.n, NoPermit: true}
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

func ceilMS(d time.Duration) int64 { return max(0, int64((d+time.Millisecond-1)/time.Millisecond)) }
