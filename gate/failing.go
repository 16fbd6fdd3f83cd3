package gate

import (
	"fleetfuse/breaker"
)

// failing is what a gate remembers of a key that failed here or is not closed.
type failing struct {
	ring        *breaker.Machine
	policy      *breaker.Policy
	lastFailure breaker.Instant
	reportUntil breaker.Instant
	reported    uint64 // of the entry's successes, those already sent
	outbox      []breaker.Outcome
	roles       map[string]*roleAsk
}

// maxOutbox bounds the outcomes of one key that wait for the next flush.
const maxOutbox = 256

// fail returns the failing part of an entry, made if needed. The entry is
// locked.
func (g *Gate) fail(e *entry) *failing {
	if e.failing == nil {
		p := g.opt.Policy(e.key)
		e.rotate(g.opt.Clock.Now(), p.FailureRate.Window)
		e.failing = &failing{ring: breaker.New(p), policy: p, reported: e.recent.before}
		g.mu.Lock()
		g.failing[e] = struct{}{}
		g.mu.Unlock()
	}
	return e.failing
}

// refresh publishes what Allow reads. The entry is locked.
func (g *Gate) refresh(e *entry, view breaker.Snapshot) {
	f := e.failing
	if f == nil {
		e.exception.Store(nil)
		return
	}
	now := g.opt.Clock.Now()
	x := &exception{view: view, mode: f.policy.Mode}
	x.denial = denial{status: view.At(now), key: e.key}
	if x.status.State == breaker.Closed { // else the ring is frozen
		ring := f.ring.Snapshot()
		x.denial = denial{status: ring.At(now), key: e.key, local: true}
	}
	if x.status.State == breaker.Open {
		x.openUntil = x.status.Until
	}
	e.exception.Store(x)
}

// viewOf is the view's entry as last applied. The entry is locked.
func viewOf(e *entry) breaker.Snapshot {
	if x := e.exception.Load(); x != nil {
		return x.view
	}
	return breaker.Snapshot{}
}

// Apply takes what the view says of a key now. An announced close empties a
// ring that opened before its stamp.
func (g *Gate) Apply(key breaker.Key, view breaker.Snapshot) {
	e := g.entryOf(key)
	e.mu.Lock()
	defer e.mu.Unlock()
	closed := view.Clear
	if view.Circuit.State == breaker.Closed {
		closed = max(closed, view.Circuit.Stamp)
	}
	if view.Empty() && e.failing == nil {
		return
	}
	f := g.fail(e)
	if ring := f.ring.Snapshot(); closed > 0 && ring.Circuit.Stamp < closed {
		if cooled := ring.MaxStamp(); cooled < closed || ring.Circuit.State != breaker.Closed {
			f.ring = breaker.New(f.policy)
		}
	}
	if view.At(g.opt.Clock.Now()).State == breaker.Closed {
		f.roles = nil
	}
	g.refresh(e, view)
}

// Replace swaps the policies of all keys that have state; the rings keep what
// they count.
func (g *Gate) Replace() {
	for _, e := range g.failingEntries() {
		e.mu.Lock()
		if f := e.failing; f != nil {
			f.policy = g.opt.Policy(e.key)
			f.ring.Replace(g.opt.Clock.Moment(1), f.policy)
			g.refresh(e, viewOf(e))
		}
		e.mu.Unlock()
	}
}

func (g *Gate) failingEntries() []*entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]*entry, 0, len(g.failing))
	for e := range g.failing {
		list = append(list, e)
	}
	return list
}
