package gate

import (
	"fleetfuse/breaker"
)

// failing is what a gate remembers of a key that failed here or is not closed.
type failing struct {
	ring        *breaker.Machine
	told        breaker.State // of the ring, to Options.Ring
	policy      *breaker.Policy
	lastFailure breaker.Instant
	reportUntil breaker.Instant
	reported    uint64 // of the entry's successes, those already sent or too old to be
	node        string
	run         breaker.Outcome // successes in a row that the ring has not counted yet; Count 0 is none
	outbox      []breaker.Outcome
	touched     bool // the next flush looks at the entry
	roles       map[string]*roleAsk
}

// reporting reports whether successes go to the owner: a call failed here not
// long ago, or the key is not closed (in shadow every call is then a probe).
// Else they are only counted here, as on a quiet key. The entry is locked.
func (e *entry) reporting(now breaker.Instant) bool {
	if e.failing != nil && now < e.failing.reportUntil {
		return true
	}
	x := e.exception.Load()
	return x != nil && x.status.State != breaker.Closed
}

// counts reports whether a success is only counted here.
func (g *Gate) counts(e *entry) bool {
	if quiet(e) {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.reporting(g.opt.Clock.Tick())
}

// asking reports whether a question is out or a permit waits.
func (f *failing) asking() bool {
	for _, ask := range f.roles {
		if ask.asking || ask.stash != nil {
			return true
		}
	}
	return false
}

// maxOutbox bounds the outcomes of one key that wait for the next flush.
const maxOutbox = 256

// fail returns the failing part of an entry, made if needed. The entry is
// locked.
func (g *Gate) fail(e *entry) *failing {
	if e.failing == nil {
		p := g.opt.Policy(e.key)
		e.rotate(g.opt.Clock.Now())
		e.failing = &failing{ring: breaker.New(p), policy: p, node: g.opt.Node, reported: e.recent.before}
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
		e.publish(nil)
		return
	}
	now := g.opt.Clock.Now()
	x := &exception{view: view}
	x.denial = denial{status: view.At(now), key: e.key}
	if x.status.State == breaker.Closed { // else the ring is frozen
		ring := f.ring.Snapshot()
		x.denial = denial{status: ring.At(now), key: e.key, local: true}
		if was := f.told; was != x.status.State {
			if f.told = x.status.State; g.opt.Ring != nil {
				g.opt.Ring(e.key, was, x.status)
			}
		}
	}
	x.denial.hits = &x.hits
	x.terms = terms{g: g, denied: &x.denial}
	enforce := f.policy.Mode == breaker.ModeEnforce
	x.passes = x.status.State == breaker.Closed || !enforce
	if x.status.State == breaker.Open && enforce {
		x.openUntil = x.status.Until
		x.counted = g.opt.Usage
	}
	e.publish(x)
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
	t := g.tableOf(key)
	for {
		e := t.find(key.Name())
		if e == nil {
			if view.Empty() {
				return
			}
			e = g.entry(t, key.Name())
		}
		g.apply(e, view)
		if view.Empty() || t.holds(e) { // else it was evicted meanwhile
			return
		}
	}
}

func (g *Gate) apply(e *entry, view breaker.Snapshot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if view.Empty() && e.failing == nil {
		return
	}
	f, now := g.fail(e), g.opt.Clock.Now()
	for _, c := range view.Closes() {
		g.empty(f, c)
	}
	if view.At(now).State == breaker.Closed {
		f.roles = nil // whoever closed it voided the permits
		if was := viewOf(e); was.At(now).State != breaker.Closed {
			was.Overlays = nil
			g.letGo(f, was.MaxStamp())
		}
	}
	g.refresh(e, view)
}

// letGo takes from a ring what it may have continued from, which the view held
// until now. It may have begun again from there after the last close it heard.
func (g *Gate) letGo(f *failing, held breaker.Stamp) {
	if ring := f.ring.Snapshot(); ring.MaxStamp() <= held {
		mo := g.opt.Clock.Moment(1)
		mo.Stamp = max(held, ring.Clear)
		f.ring.Close(mo, "", "")
		f.run = breaker.Outcome{}
	}
}

// empty takes from a ring what is older than an announced close. Outcomes of
// calls that began before now count no more. This machine's wall clock may be
// ahead of that of the one that closed, then the stamps say nothing: what had
// opened when the close was is older as well.
func (g *Gate) empty(f *failing, c breaker.Close) {
	mo := g.opt.Clock.Moment(1)
	ring := f.ring.Snapshot()
	last := ring.LastClose()
	switch {
	case last.Stamp >= c.Stamp && last.At >= c.At: // heard before
	case ring.MaxStamp() <= c.Stamp || f.ring.Decided() <= c.At:
		mo.Stamp = max(c.Stamp, ring.Clear)
		f.ring.Close(mo, "", "")
		f.run = breaker.Outcome{}
	default:
		f.ring.Adopt(mo, breaker.Snapshot{Clear: c.Stamp, ClearKept: mo.Now.Add(breaker.KeepClear)})
	}
}

// Replace swaps the policies of all keys; the rings keep what they count.
func (g *Gate) Replace() {
	for _, t := range []*table{g.hosts, g.resolvers} {
		for e := range t.each {
			g.replace(e)
		}
	}
}

// ReplaceOne is Replace for one key.
func (g *Gate) ReplaceOne(key breaker.Key) {
	if e := g.tableOf(key).find(key.Name()); e != nil {
		g.replace(e)
	}
}

func (g *Gate) replace(e *entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := g.opt.Policy(e.key)
	e.window = rateWindow(p)
	if f := e.failing; f != nil {
		f.policy = p
		f.ring.Replace(g.opt.Clock.Moment(1), p)
		g.refresh(e, viewOf(e))
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
