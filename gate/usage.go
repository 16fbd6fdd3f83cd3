package gate

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// A seat numbers the roles of a gate that are told apart. An entry counts the
// successes of the role it met first itself, so most hosts, which know one role,
// pay nothing for the distinction; those of further roles have sides.
type seat = uint32

const (
	noSeat    seat = iota
	plainSeat      // of the nameless role, and of those beyond maxRoles
	firstSeat      // of the first role that has a name
)

// maxSides bounds the roles of one entry beside its first; what is beyond
// counts as nameless, which always has a place.
const maxSides = 7

// side is what an entry knows of a role that is not its first. Sides are only
// added, at the front, so they are read without a lock.
type side struct {
	seat      seat
	successes counter
	detail    *detail // the entry is locked
	next      *side
}

// detail is what was seen of an entry and role since it was last drained, beside
// the successes that are only counted. The entry is locked.
type detail struct {
	latency [rollup.LatencyBuckets]uint32
	rare    *rare // nil until there was anything but a latency
	idle    bool  // nothing was in it when it was last drained
}

// rare is what is seen of keys that fail.
type rare struct {
	counts rollup.Counts
	run    uint64 // failures in a row, up to now
	runAt  uint64 // the successes counted when the run began
	// Rejections are the key's, so the first role's has them: those of exceptions
	// that were replaced, of which a drain has looked at the first so many, and
	// those without an exception.
	retired  []*exception
	looked   int
	rejected [rollup.Causes]uint64
}

// counterOf is the counter of a role that is not the entry's first.
func (e *entry) counterOf(at seat) *counter {
	for s := e.sides.Load(); s != nil; s = s.next {
		if s.seat == at {
			return &s.successes
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c, _ := e.place(at)
	return c
}

// place is where a role is counted, made if needed. The entry is locked.
func (e *entry) place(at seat) (*counter, **detail) {
	if e.first.Load() == noSeat {
		e.first.Store(at)
	}
	if e.first.Load() == at {
		return &e.successes, &e.detail
	}
	n := 0
	for s := e.sides.Load(); s != nil; s = s.next {
		if s.seat == at {
			return &s.successes, &s.detail
		}
		n++
	}
	if n >= maxSides && at != plainSeat {
		return e.place(plainSeat)
	}
	s := &side{seat: at, next: e.sides.Load()}
	e.sides.Store(s)
	return &s.successes, &s.detail
}

func made(d **detail) *detail {
	if *d == nil {
		*d = &detail{}
	}
	return *d
}

func (d *detail) made() *rare {
	if d.rare == nil {
		d.rare = &rare{}
	}
	return d.rare
}

// Of successes on a key that is not failing the first few between two drains
// bring their latency, then every sampleOf-th, which stands for that many.
const (
	sampleAll = 16
	sampleOf  = 128
)

// weight is how many calls the latency of n more stands for; zero says it is not
// looked at.
func (c *counter) weight(before, n uint64) uint64 {
	switch {
	case n > 1 || before-c.drained.Load() < sampleAll:
		return n
	case before%sampleOf == 0:
		return sampleOf
	}
	return 0
}

// took notes the latency of a call that stands for n. Zero is not known.
func (e *entry) took(at seat, latency time.Duration, n uint64) {
	if latency <= 0 {
		return
	}
	bucket := rollup.LatencyBucket(latency)
	e.mu.Lock()
	_, d := e.place(at)
	made(d).latency[bucket] += uint32(n)
	e.mu.Unlock()
}

// an ending is how a call ended, for the rollups.
type ending struct {
	kind      breaker.Kind
	n         uint64
	fromCache bool
	probe     bool
	strict    bool // a 429
	evidence  breaker.Evidence
	latency   time.Duration // zero: not known
	asked     time.Duration // the Retry-After, zero for none
}

// ended notes how a call ended that the counter does not count.
func (e *entry) ended(at seat, how ending) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, d := e.place(at)
	detail := made(d)
	r := detail.made()
	switch {
	case how.fromCache:
		r.counts.FromCache += how.n
		return
	case how.kind == breaker.Success:
		r.succeeded(how.n)
	case how.kind == breaker.Failure:
		r.counts.Fail(how.evidence, how.n)
		r.failed(c.total(), how.n)
	default:
		r.counts.Neutral += how.n
	}
	if how.latency > 0 && how.kind != breaker.Neutral {
		detail.latency[rollup.LatencyBucket(how.latency)] += uint32(how.n)
	}
	if how.probe && how.kind == breaker.Success {
		r.counts.ProbesOK += how.n
	}
	if how.probe && (how.kind == breaker.Failure || how.strict) {
		r.counts.ProbesFailed += how.n
	}
	r.counts.RetryAfter.Observe(how.asked, how.n)
}

// succeeded counts successes that the counter does not: those that go to the
// owner.
func (r *rare) succeeded(n uint64) {
	r.counts.Successes += n
	r.run = 0
}

// failed lengthens the run, or begins one if calls succeeded since.
func (r *rare) failed(successes, n uint64) {
	if successes != r.runAt {
		r.run, r.runAt = 0, successes
	}
	r.run += n
	r.counts.LongestRun = max(r.counts.LongestRun, r.run)
}

// longestAsked bounds a Retry-After in the rollups; the policy's cap does not.
const longestAsked = 10 * 365 * 24 * time.Hour

// ending is how a call ended that a report tells of.
func (g *Gate) ending(e *entry, p *breaker.Policy, r Result, ended breaker.Instant) ending {
	how := ending{n: uint64(max(r.Count, 1)), fromCache: r.FromCache, evidence: r.Evidence}
	if r.RetryAfter != "" && !r.FromCache && p.HonoursRetryAfter(r.Status) && e.key.Scope() == breaker.ScopeHost {
		now, wall := g.opt.Clock.Both()
		how.asked, _ = breaker.ParseRetryAfter(r.RetryAfter, r.Date, longestAsked, wall.Add(ended.Sub(now)))
	}
	return how
}

// cause is what a rejection counts by.
func (n *denial) cause() rollup.Cause {
	return rollup.CauseOf(n.status.State, n.status.Reason, n.local)
}

// maxRetired bounds the exceptions that wait for drains to look at them again.
const maxRetired = 32

// publish replaces what Allow reads. The entry is locked.
func (e *entry) publish(x *exception) {
	old := e.exception.Swap(x)
	if old != nil && old.counted {
		r := made(&e.detail).made()
		if len(r.retired) == maxRetired {
			r.rejected[r.retired[0].cause()] += r.retired[0].hits.take()
			r.retired, r.looked = slices.Delete(r.retired, 0, 1), max(r.looked-1, 0)
		}
		r.retired = append(r.retired, old)
	}
	if x != nil && x.counted {
		made(&e.detail).made()
	}
}

// takeRejected is what was rejected since the last drain. A call may still count
// with an exception that was replaced a moment ago, so each is looked at in two
// drains. The entry is locked.
func (e *entry) takeRejected(r *rare) (n [rollup.Causes]uint64) {
	n, r.rejected = r.rejected, n
	for _, x := range r.retired {
		n[x.cause()] += x.hits.take()
	}
	r.retired = slices.Delete(r.retired, 0, r.looked)
	r.looked = len(r.retired)
	if x := e.exception.Load(); x != nil {
		n[x.cause()] += x.hits.take()
	}
	return n
}

// refused counts a rejection that decide found.
func (g *Gate) refused(n *denial, host, resolver *entry) {
	if !g.opt.Usage {
		return
	}
	if n.hits != nil {
		n.hits.one()
		return
	}
	e := host
	if e == nil || e.key != n.key {
		e = resolver
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	made(&e.detail).made().rejected[n.cause()]++
}
