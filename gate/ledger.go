package gate

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"

	"fleetfuse/breaker"
)

// ledger remembers the probes handed out over HTTP by their opaque token, so
// that a permit is good once and a forged one is none.
type ledger struct {
	mu    sync.Mutex
	byTok map[string]*handedOut
	order []*handedOut // oldest first
}

// handedOut is one probe in the hands of an HTTP caller.
type handedOut struct {
	token   string
	d       Decision
	expires breaker.Instant
	taken   bool
}

// maxHandedOut bounds the ledger; a permit beyond it expires unreported.
const maxHandedOut = 100_000

// Hand turns a probe's decision into the token that its report names.
func (g *Gate) Hand(d Decision) string {
	key := d.host
	if key == nil {
		key = d.resolver
	}
	now := g.opt.Clock.Now()
	h := &handedOut{token: rand.Text(), d: d, expires: now.Add(g.opt.Policy(key.key).PermitTimeout)}
	l := &g.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	l.purge(now)
	if l.byTok == nil {
		l.byTok = map[string]*handedOut{}
	}
	if len(l.order) >= maxHandedOut { // what is behind one that is still out may be over
		l.order = slices.DeleteFunc(l.order, func(h *handedOut) bool { return l.over(h, now) })
	}
	if len(l.order) < maxHandedOut {
		l.byTok[h.token] = h
		l.order = append(l.order, h)
	}
	return h.token
}

// purge drops from the front what expired, which its owner returned by itself, and
// what was taken.
func (l *ledger) purge(now breaker.Instant) {
	n := 0
	for n < len(l.order) && l.over(l.order[n], now) {
		n++
	}
	clear(l.order[:n])
	l.order = l.order[n:]
}

// over reports whether a probe is not out any more, and forgets its token.
func (l *ledger) over(h *handedOut, now breaker.Instant) bool {
	if !h.taken && h.expires > now {
		return false
	}
	delete(l.byTok, h.token)
	return true
}

// take removes and returns the probe of a token that fits or, with none, the first
// handed-out one that does.
func (l *ledger) take(now breaker.Instant, token string, fits func(*handedOut) bool) *handedOut {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.purge(now)
	good := func(h *handedOut) bool { return h != nil && !h.taken && h.expires > now && fits(h) }
	found := l.byTok[token]
	if token == "" {
		for _, h := range l.order {
			if good(h) {
				found = h
				break
			}
		}
	}
	if !good(found) {
		return nil
	}
	found.taken = true
	delete(l.byTok, found.token)
	l.purge(now)
	return found
}

// ReportCall reports a call that was decided over HTTP. token is the permit
// the caller names; without one, and unless the result says that there was none,
// the oldest permit handed out for that key and role before the call began is
// used. A token that is not good makes the outcome neutral; its Retry-After still
// counts.
func (g *Gate) ReportCall(c Call, token string, r Result) {
	now := g.opt.Clock.Now()
	began := now.Add(-r.Age - r.Latency)
	d := Decision{began: began, terms: g.roles.of(c.Role)}
	if c.Host != "" {
		d.host = g.entry(g.hosts, c.Host)
	}
	if c.Resolver != "" {
		d.resolver = g.entry(g.resolvers, c.Resolver)
	}
	var h *handedOut
	if token != "" {
		h = g.ledger.take(now, token, func(h *handedOut) bool { return sameKeys(h.d, d) })
		if h == nil {
			r.Returned = true
		}
	} else if !r.NoPermit && (!quiet(d.host) || !quiet(d.resolver)) {
		h = g.ledger.take(now, "", func(h *handedOut) bool {
			return sameKeys(h.d, d) && g.sameBudget(h.d, c.Role) && h.d.began <= began
		})
	}
	if h != nil {
		d.terms = h.d.terms
		d.began = max(began, h.d.began)
		r.Latency = 0
	}
	d.Report(r)
}

func sameKeys(a, b Decision) bool { return a.host == b.host && a.resolver == b.resolver }

func (g *Gate) sameBudget(d Decision, role string) bool {
	e := d.host
	if e == nil {
		e = d.resolver
	}
	p := g.opt.Policy(e.key)
	return p.BudgetRole(d.role) == p.BudgetRole(role)
}

// AllowHTTP is Allow for a caller behind HTTP: a probe comes with its token.
func (g *Gate) AllowHTTP(ctx context.Context, c Call) (Decision, string) {
	d := g.Allow(ctx, c)
	if d.Allowed() && d.Probe() {
		return d, g.Hand(d)
	}
	return d, ""
}
