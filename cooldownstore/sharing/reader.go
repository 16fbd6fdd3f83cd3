// Package sharing decides what a node and a place that other clusters and
// programs use too tell each other, and when: what is owed to the place, what is
// obeyed of it, when it is read, and what is said of it while it is away (ADR
// 0008). It has no clock, goroutine, lock or I/O: package node and the
// simulation carry out what it decides.
package sharing

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const (
	// OutboxDelay is how long a cooldown may wait for its write.
	OutboxDelay = 10 * time.Millisecond
	// ListLimit bounds one listing.
	ListLimit = 2 * time.Minute

	listEvery = 5 * time.Second
	// listShare bounds the time spent on listings: a place that takes long is
	// listed less often.
	listShare  = 20
	retryFirst = 250 * time.Millisecond
	retryMost  = 5 * time.Second
	maxHinted  = 1000 // beyond it a listing is cheaper
)

// A Backoff spaces out attempts that fail.
type Backoff struct{ next time.Duration }

// Failed is how long to wait before the next attempt.
func (b *Backoff) Failed() time.Duration {
	wait := max(b.next, retryFirst)
	b.next = min(2*wait, retryMost)
	return wait
}

// Worked forgets the failures.
func (b *Backoff) Worked() { b.next = 0 }

// What a Reader wants to be done.
const (
	Nothing Reading = iota
	Hinted          // read the keys of TakeHints
	Everything
)

// A Reading is what is to be read of the place.
type Reading uint8

// A Reader decides when the place is read: everything now and then, after each
// reconnect and when keys change hands; what was hinted at, at once. The listing
// is the truth. Times are of a clock that never steps.
type Reader struct {
	due, soonest time.Time     // of the next listing
	again        bool          // it was asked for
	took         time.Duration // by the last listing
	failing      Backoff
	hinted       map[breaker.Key]struct{}
}

// NewReader begins to read. The first listing waits a moment for the hints to
// begin, which ask for one anyway.
func NewReader(now time.Time) Reader {
	return Reader{due: now.Add(retryFirst), hinted: map[breaker.Key]struct{}{}}
}

// Relist asks for a listing as soon as one may be.
func (r *Reader) Relist() { r.again = true }

// Hint notes that somebody changed a key, which is read soon if this node owns
// it. The empty key says that hints begin: what was changed before is heard of no
// more.
func (r *Reader) Hint(key breaker.Key, owned bool) {
	switch {
	case key == "":
		r.Relist()
	case !owned:
	case len(r.hinted) >= maxHinted:
		clear(r.hinted)
		r.Relist()
	default:
		r.hinted[key] = struct{}{}
	}
}

// Next is what to do now, or when to ask again if that is nothing.
func (r *Reader) Next(now time.Time) (Reading, time.Time) {
	if r.again {
		r.again, r.due = false, r.soonest
	}
	switch {
	case !now.Before(r.due):
		return Everything, now
	case len(r.hinted) > 0:
		return Hinted, now
	}
	return Nothing, r.due
}

// TakeHints are the keys that were hinted at.
func (r *Reader) TakeHints() []breaker.Key {
	keys := slices.SortedFunc(maps.Keys(r.hinted), func(a, b breaker.Key) int { return strings.Compare(string(a), string(b)) })
	clear(r.hinted)
	return keys
}

// Loaded says how reading what was hinted at went: what could not be read is in
// the next listing.
func (r *Reader) Loaded(err error) {
	if err != nil {
		r.Relist()
	}
}

// Listed says how a listing went that took so long. Only two in a row that took
// long tell of the place: during one the process may have been stopped.
func (r *Reader) Listed(now time.Time, took time.Duration, err error) {
	if err != nil {
		pause := r.failing.Failed()
		if errors.Is(err, cooldownstore.ErrTooMany) {
			pause = max(pause, listShare*took)
		}
		r.soonest = now.Add(pause)
		r.due = r.soonest
		return
	}
	r.failing.Worked()
	pause := listShare * took
	if r.took != 0 {
		pause = listShare * min(took, r.took)
	}
	r.took = took
	r.soonest, r.due = now.Add(pause), now.Add(max(listEvery, pause))
}

// Patience is how long a start waits for the first listing: while the place says
// something, and not for long. One that is away keeps no node from starting.
type Patience struct {
	end   time.Time
	heard int64
}

const (
	startWaits = 3 * time.Second // for a place that says nothing
	startMost  = 10 * time.Second
)

// NewPatience begins to wait, until the first look.
func NewPatience(now time.Time) (p Patience, look time.Time) {
	return Patience{end: now.Add(startMost)}, now.Add(startWaits)
}

// More reports whether to wait on, and until which next look, when so many words
// were heard so far.
func (p *Patience) More(now time.Time, heard int64) (look time.Time, more bool) {
	if heard <= p.heard || !now.Before(p.end) {
		return time.Time{}, false
	}
	p.heard = heard
	look = now.Add(startWaits)
	if look.After(p.end) {
		look = p.end
	}
	return look, true
}
