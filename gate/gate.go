package gate

import (
	"context"
	"sync"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
)

// An Owner reaches the actors that own keys. No call may block.
type Owner interface {
	// Ask asks for a permit. Within the limit answer is called once, perhaps
	// before Ask returns.
	Ask(key breaker.Key, q breaker.Question, limit time.Duration, answer func(breaker.Answer, error))
	Report(key breaker.Key, outcomes []breaker.Outcome)
	Return(key breaker.Key, id breaker.PermitID)
	// Cool announces a Retry-After this gate saw. It must have reached Apply
	// when it returns.
	Cool(key breaker.Key, c breaker.Cooldown)
}

// Options of a Gate. Owner, Policy and Clock are required.
type Options struct {
	Node     string
	Owner    Owner
	Policy   func(breaker.Key) *breaker.Policy
	Clock    *clock.Clock
	MaxHosts int           // default 1,000,000
	AskLimit time.Duration // how long a question may take; default 100 ms
	Usage    bool          // count what DrainUsage hands over
	// Ring, if not nil, is told what became of a ring while it decides, that is while
	// the view does not. It is called with a lock held: it must not call the gate.
	Ring   func(key breaker.Key, from breaker.State, to breaker.Status)
	Driven bool // who made the gate calls Beat every BeatEvery: it starts no goroutine
}

// A Gate decides. It is safe for concurrent use.
type Gate struct {
	opt       Options
	hosts     *table
	resolvers *table
	questions questionIDs
	roles     roles
	ledger    ledger

	mu       sync.Mutex
	failing  map[*entry]struct{} // entries with a failing part
	touched  []*entry            // those the next flush looks at
	counters counters
	departed departed
	beats    int

	stop chan struct{}
	work sync.WaitGroup
}

// New returns a running gate; Stop it when done.
func New(opt Options) *Gate {
	if opt.MaxHosts == 0 {
		opt.MaxHosts = 1_000_000
	}
	if opt.AskLimit == 0 {
		opt.AskLimit = 100 * time.Millisecond
	}
	g := &Gate{
		opt: opt, hosts: newTable(breaker.ScopeHost, opt.MaxHosts), resolvers: newTable(breaker.ScopeResolver, opt.MaxHosts),
		failing: map[*entry]struct{}{}, stop: make(chan struct{}),
	}
	g.roles.plain = terms{g: g, seat: plainSeat}
	if opt.Usage {
		g.roles.tellApart()
		g.departed.most = max(1024, opt.MaxHosts/16)
		g.hosts.evicted, g.resolvers.evicted = g.evicted, g.evicted
	}
	if !opt.Driven {
		g.work.Go(g.run)
	}
	return g
}

// Stop flushes what was counted to the owners and waits for questions that are
// out.
func (g *Gate) Stop() {
	close(g.stop)
	g.work.Wait()
	g.flush()
	for _, e := range g.failingEntries() {
		var stale []breaker.PermitID
		e.mu.Lock()
		if e.failing != nil {
			stale, _ = g.unstash(e, true)
		}
		e.mu.Unlock()
		g.returnPermits(e.key, stale)
	}
}

// A Call is what a caller wants to do: call a host, a resolver or both. Names
// are in their one spelling (package hostname).
type Call struct {
	Host     string
	Resolver string
	Role     string
}

// Allow decides about a call. It waits only for the owner's answer while a
// breaker is half-open.
func (g *Gate) Allow(ctx context.Context, c Call) Decision {
	var host, resolver *entry
	if c.Host != "" {
		if host = g.hosts.find(c.Host); host == nil {
			host = g.add(g.hosts, c.Host)
		}
	}
	if c.Resolver != "" {
		resolver = g.entry(g.resolvers, c.Resolver)
	}
	tick := g.opt.Clock.Tick()
	var x *exception
	if host != nil {
		x = host.exception.Load()
	}
	if x == nil && quiet(resolver) {
		t := &g.roles.plain
		if c.Role != "" {
			t = g.roles.of(c.Role)
		}
		return Decision{host, resolver, tick, t}
	}
	if x != nil && tick.Add(tickSlack) < x.openUntil {
		// counter.one, which is too large to be inlined by itself
		n := x.hits.n.Load()
		if x.counted && (x.hits.stripes.Load() != nil || !x.hits.n.CompareAndSwap(n, n+1)) {
			x.hits.spread(1)
		}
		return Decision{terms: &x.terms}
	}
	return g.decide(ctx, host, resolver, c.Role)
}

// A Host is a resolved handle: Allow without the look-up.
type Host struct {
	g *Gate
	e *entry
}

// Host resolves a host's handle. It stays good for the life of the gate, but a
// handle kept while the host is idle may be of an entry that was evicted;
// counts on it are then lost, decisions are not.
func (g *Gate) Host(name string) Host { return Host{g, g.entry(g.hosts, name)} }

// Allow decides about a call to the host.
func (h Host) Allow(ctx context.Context, role string) Decision {
	if quiet(h.e) {
		t := &h.g.roles.plain
		if role != "" {
			t = h.g.roles.of(role)
		}
		return Decision{h.e, nil, h.g.opt.Clock.Tick(), t}
	}
	return h.g.decide(ctx, h.e, nil, role)
}

// entry finds or makes a key's entry.
func (g *Gate) entry(t *table, name string) *entry {
	if e := t.find(name); e != nil {
		return e
	}
	return g.add(t, name)
}

func (g *Gate) add(t *table, name string) *entry {
	return t.findOrAdd(name, func(key breaker.Key) *entry {
		e := &entry{key: key, window: rateWindow(g.opt.Policy(key)), made: g.opt.Clock.Tick()}
		if !g.opt.Usage {
			e.first.Store(plainSeat)
		}
		return e
	})
}

func (g *Gate) tableOf(key breaker.Key) *table {
	if key.Scope() == breaker.ScopeResolver {
		return g.resolvers
	}
	return g.hosts
}

// decide is Allow where a key is not quiet.
func (g *Gate) decide(ctx context.Context, host, resolver *entry, role string) Decision {
	d := g.judge(ctx, host, resolver, role)
	if d.denied != nil {
		g.refused(d.denied, host, resolver)
	}
	return d
}

// judge checks both keys for rejection, then asks; if the second refuses, the
// first's permit goes back.
func (g *Gate) judge(ctx context.Context, host, resolver *entry, role string) Decision {
	if denied := g.rejected(host); denied != nil {
		return Decision{terms: denied}
	}
	if denied := g.rejected(resolver); denied != nil {
		return Decision{terms: denied}
	}
	d := Decision{host: host, resolver: resolver, terms: g.roles.of(role)}
	g.pose(ctx, &d)
	return d
}

// pose asks the owner or the ring of each key.
func (g *Gate) pose(ctx context.Context, d *Decision) {
	now := g.opt.Clock.Now()
	d.began = now
	for _, e := range [2]*entry{d.host, d.resolver} {
		if e == nil {
			continue
		}
		if denied := g.pass(ctx, d, e, now); denied != nil {
			d.release()
			d.deny(denied)
			return
		}
	}
	if d.probe != nil {
		d.began = g.opt.Clock.Now() // the question took time
	}
	g.recheck(d)
}

// recheck returns the permits of a call that is to be rejected after all: the
// questions took time, in which a cooldown may have come.
func (g *Gate) recheck(d *Decision) {
	for _, e := range [2]*entry{d.host, d.resolver} {
		if denied := g.rejected(e); denied != nil {
			d.release()
			d.terms = denied
			return
		}
	}
}

// tickSlack is more than a tick is old, unless the machine is starved.
const tickSlack = 50 * time.Millisecond

// rejected is why an entry rejects all calls, nil if it does not.
func (g *Gate) rejected(e *entry) *terms {
	if e == nil {
		return nil
	}
	x := e.exception.Load()
	if x == nil || x.openUntil == 0 {
		return nil
	}
	// The last moments before the deadline are worth reading the clock.
	if tick := g.opt.Clock.Tick(); tick.Add(tickSlack) < x.openUntil || g.opt.Clock.Now() < x.openUntil {
		return &x.terms
	}
	return nil
}

// pass lets the call through one key or says why not, taking a permit where
// one is needed.
func (g *Gate) pass(ctx context.Context, d *Decision, e *entry, now breaker.Instant) *denial {
	x := e.exception.Load()
	if x == nil || x.passes {
		return nil
	}
	switch st := x.view.At(now); st.State {
	case breaker.Open:
		return &denial{status: st, key: e.key}
	case breaker.HalfOpen:
		return g.askOwner(ctx, d, e, st)
	}
	return g.askRing(d, e)
}
