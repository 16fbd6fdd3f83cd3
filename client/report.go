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
	tallies map[breaker.Key]*tallies
	dates   map[dated]string
}

// tallies are one key's, by role: that of the role it met first, and those of
// others, which few keys have.
type tallies struct {
	role   string
	first  tally
	others map[string]*tally
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
		// Some more at once, as all others are moved, and while the node is away this
		// is where each failure ends.
		r.waiting = slices.Delete(r.waiting, 0, excess+batchSize)
	}
}

// succeeded counts a success.
func (r *reports) succeeded(key breaker.Key, role string, n int, began, ended breaker.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.tallies[key]
	if all == nil {
		all = &tallies{role: role}
		r.tallies[key] = all
	}
	t := all.of(role)
	t.n += n
	if began > t.began {
		t.began, t.ended = began, ended
	}
}

// of is the tally of a role, made if needed.
func (all *tallies) of(role string) *tally {
	if role == all.role {
		return &all.first
	}
	t := all.others[role]
	if t == nil {
		if all.others == nil {
			all.others = map[string]*tally{}
		}
		t = &tally{}
		all.others[role] = t
	}
	return t
}

// flushTally puts the successes counted on a key before what comes next.
func (r *reports) flushTally(key breaker.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all := r.tallies[key]; all != nil {
		r.pushTallies(key, all)
	}
}

func (r *reports) flushTallies() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, all := range r.tallies {
		r.pushTallies(key, all)
	}
}

func (r *reports) pushTallies(key breaker.Key, all *tallies) {
	delete(r.tallies, key)
	r.pushTally(key, all.role, &all.first)
	for role, t := range all.others {
		r.pushTally(key, role, t)
	}
}

func (r *reports) pushTally(key breaker.Key, role string, t *tally) {
	one := report{key: key, began: t.began, ended: t.ended}
	one.outcome = api.Outcome{Role: role, Status: 200, Count: t.n, NoPermit: true}
	one.outcome.Host, one.outcome.Resolver = split(key)
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
