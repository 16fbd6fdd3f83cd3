package client

import (
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/internal/clock"
)

// view turns what the node says of keys into what the gate obeys.
type view struct {
	gate     *gate.Gate
	clock    *clock.Clock
	policies *policies
	fed      atomic.Bool // the node's stream is live
	most     int         // keys, beyond which no Retry-After of our own is kept

	mu    sync.Mutex
	keys  map[breaker.Key]*known
	swept breaker.Instant
}

// keepOwn is how long a Retry-After of our own is kept after its deadline, if
// nobody asks for the host, sweepEvery how often one is looked for that is older.
const (
	keepOwn    = 10 * time.Minute
	sweepEvery = time.Minute
)

// known is what is held of one key.
type known struct {
	node breaker.Snapshot // as the node said it last; empty for closed
	own  *ownCooldown
}

// ownCooldown is a Retry-After this process saw. It rejects at once, and until
// the node has it or it is long over nothing ends it.
type ownCooldown struct {
	breaker.Cooldown
	told bool // the node accepted the report that carried it
}

// policy is what the gate classifies and its rings trip by.
func (v *view) policy(key breaker.Key) *breaker.Policy {
	return v.policies.of(key, v.fed.Load())
}

// apply takes an event of the stream.
func (v *view) apply(e api.ViewEvent) {
	if e.Policies != nil {
		keys, any := v.policies.take(e.Policies, e.Full)
		if any {
			v.gate.Replace()
			keys = nil
		}
		for _, k := range keys {
			v.gate.ReplaceOne(k)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	listed := make(map[breaker.Key]bool, len(e.Exceptions))
	for _, x := range e.Exceptions {
		key, err := breaker.ParseKey(x.Key)
		if err != nil {
			continue
		}
		listed[key] = true
		v.take(key, x)
	}
	if !e.Full {
		return
	}
	for key := range v.keys {
		if !listed[key] {
			v.take(key, api.Exception{State: breaker.Closed.String()})
		}
	}
}

// closeRings empties the rings that decided while the node was away.
func (v *view) closeRings() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, ring := range v.gate.OpenRings() {
		v.close(ring.Key)
	}
}

// take takes the node's word about one key. view.mu is held.
func (v *view) take(key breaker.Key, x api.Exception) {
	_ = v.clock.Observe(breaker.Stamp(x.Stamp)) // one from far ahead is not followed
	k := v.keys[key]
	if k == nil {
		k = &known{}
		v.keys[key] = k
	}
	k.node = snapshotOf(x, v.clock.Now())
	if o := k.own; o != nil && o.told && k.node.Empty() && breaker.Stamp(x.Stamp) > o.Stamp {
		k.own = nil
	}
	if k.own != nil && k.own.told && v.clock.Now() > k.own.Until {
		k.own = nil // the node has its own copy
	}
	if k.node.Empty() && k.own == nil {
		v.close(key)
		delete(v.keys, key)
		return
	}
	v.gate.Apply(key, k.snapshot())
}

// close tells the gate that a key is closed. What its ring says by itself goes:
// the node answers, so the ring has no word. The fresh stamp makes sure.
func (v *view) close(key breaker.Key) {
	v.gate.Apply(key, breaker.Snapshot{Circuit: breaker.Circuit{Stamp: v.clock.Stamp()}})
	v.gate.Apply(key, breaker.Snapshot{})
}

// cool puts a Retry-After this process saw in force. Where there is no room only
// the node is told of it.
func (v *view) cool(key breaker.Key, c breaker.Cooldown) {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := v.keys[key]
	if k == nil && len(v.keys) >= v.most {
		return
	}
	if k == nil {
		k = &known{}
		v.keys[key] = k
	}
	if k.own == nil || k.own.Until < c.Until {
		k.own = &ownCooldown{Cooldown: c}
	} else {
		k.own.told = false
	}
	v.gate.Apply(key, k.snapshot())
}

// told notes that the node accepted a report with a Retry-After on the key.
func (v *view) told(key breaker.Key) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if k := v.keys[key]; k != nil && k.own != nil {
		k.own.told = true
	}
}

// snapshot merges what the node and this process know.
func (k *known) snapshot() breaker.Snapshot {
	s := k.node.Clone()
	if k.own != nil {
		s.Cooldowns = append(s.Cooldowns, k.own.Cooldown)
	}
	return s
}

// status is what the view says of a key now.
func (v *view) status(key breaker.Key) breaker.Status {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := v.keys[key]
	if k == nil {
		return breaker.Status{}
	}
	s := k.snapshot()
	return s.At(v.clock.Now())
}

// snapshotOf is an exception as a gate takes it: an open one ends when what
// remains has passed, a half-open one has just run out, a closed one is empty.
func snapshotOf(x api.Exception, now breaker.Instant) breaker.Snapshot {
	stamp, reason := breaker.Stamp(x.Stamp), breaker.Reason(x.Reason)
	var until breaker.Instant
	switch x.State {
	case breaker.Open.String():
		until = now.Add(milliseconds(x.RemainingMS))
	case breaker.HalfOpen.String():
		until = now
	default:
		return breaker.Snapshot{}
	}
	switch reason {
	case breaker.ReasonRetryAfter, breaker.ReasonCLIOpen, breaker.ReasonStore:
		return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
			Setter: "node", Stamp: stamp, Until: until, Length: max(until.Sub(now), 0), Reason: reason, Detail: x.Detail,
		}}}
	}
	return breaker.Snapshot{Circuit: breaker.Circuit{
		State: breaker.Open, Stamp: stamp, Until: until, FirstTrip: now, Opens: 1, Reason: reason, Detail: x.Detail,
	}}
}

// settled notes that the node lets calls through: a Retry-After that this
// process saw and that has passed is over.
func (v *view) settled(key breaker.Key) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if k := v.keys[key]; k != nil && k.own != nil && k.own.Until <= v.clock.Now() {
		v.forget(key, k)
	}
}

// sweep forgets Retry-Afters of our own that are long over, told or not: while
// the node is away nobody else ends those of hosts that are called no more. A full
// view has no room for such that are over at all.
func (v *view) sweep() {
	v.mu.Lock()
	defer v.mu.Unlock()
	now, keep := v.clock.Now(), keepOwn
	if len(v.keys) >= v.most {
		keep = 0
	} else if now < v.swept.Add(sweepEvery) {
		return
	}
	v.swept = now
	for key, k := range v.keys {
		if k.own != nil && k.own.Until.Add(keep) <= now {
			v.forget(key, k)
		}
	}
}

// forget ends a Retry-After of our own; what the node says of the key remains.
// view.mu is held.
func (v *view) forget(key breaker.Key, k *known) {
	k.own = nil
	if k.node.Empty() {
		delete(v.keys, key)
	}
	v.gate.Apply(key, k.snapshot())
}
