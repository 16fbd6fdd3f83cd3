package spread

import (
	"time"

	"fleetfuse/breaker"
)

// peer is what a node knows of one other member and has under way to it.
type peer struct {
	Member
	rtt time.Duration // smoothed, zero while it is not known

	queue   []breaker.Key // to be pushed, in order
	queued  map[breaker.Key]struct{}
	pushes  []*parcel // not acknowledged
	settles []*settle // not acknowledged, by id

	waiting  []*Report // outcomes for the next batch, by key in order of arrival
	byKey    map[breaker.Key]*Report
	outcomes int // in waiting
	flight   *flight
	lastSeq  uint64 // of its batches: one that is not later is a repeat

	mute     breaker.Instant  // since when it owes an acknowledgement, zero if it does not
	sync     uint64           // it wants a Synced with this id
	compared bool             // a digest of it was looked at
	settled  map[int]exchange // of each bucket, the last
	off      time.Duration    // its clock is ahead so far, where that is more than a day
}

// exchange is when a bucket's entries were sent both ways, and its and our sum
// of it then.
type exchange struct {
	sums [2]uint64
	at   breaker.Instant
}

// repeated is what is sent until it is acknowledged.
type repeated struct {
	sent  breaker.Instant
	tries int // how often it was repeated
}

// due is when to repeat it. The wait doubles each time, up to 4 s: what a busy
// member cannot keep up with must not be sent to it ever more often (ADR 0007).
func (x *repeated) due() breaker.Instant { return x.sent.Add(resendEvery << min(x.tries, 4)) }

// again notes that it is sent once more.
func (x *repeated) again(now breaker.Instant) {
	x.sent = now
	x.tries++
}

// parcel is a push on its way.
type parcel struct {
	repeated
	id   uint64
	keys []breaker.Key
}

// settle is the end of a permit on its way.
type settle struct {
	repeated
	Settle
	expires breaker.Instant
}

// flight is a batch on its way.
type flight struct {
	seq      uint64
	reports  []Report
	sent     breaker.Instant
	deadline breaker.Instant
}

func newPeer(m Member) *peer {
	return &peer{Member: m, queued: map[breaker.Key]struct{}{}, byKey: map[breaker.Key]*Report{}, settled: map[int]exchange{}}
}

// measured takes a round trip into account: an exponentially weighted average
// with a weight of 1/8 (RFC 6298).
func (p *peer) measured(rtt time.Duration) {
	if p.rtt == 0 {
		p.rtt = rtt
		return
	}
	p.rtt += (rtt - p.rtt) / 8
}

// patience is how long a reply of the member is waited for.
func (p *peer) patience() time.Duration { return max(replyFloor, 3*p.rtt) }

// wakeAt is when something about the member is due, zero for never.
func (p *peer) wakeAt() breaker.Instant {
	var at breaker.Instant
	sooner := func(t breaker.Instant) {
		if at == 0 || t < at {
			at = t
		}
	}
	for _, x := range p.pushes {
		sooner(x.due())
	}
	for _, x := range p.settles {
		sooner(min(x.due(), x.expires))
	}
	if p.flight != nil {
		sooner(p.flight.deadline)
	}
	return at
}
