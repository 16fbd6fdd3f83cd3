package node

import (
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// do runs one input of the protocol and carries out its effects.
func (b *board) do(input func(*spread.Node, breaker.Instant) spread.Effects) {
	b.apply(input, b.keep)
}

// apply is do; put gets what is to be kept. Gate, streams and store hear of changes
// under the lock, in the order in which the view took them, and actors in the same
// order: the second lock is taken before the first is given back.
func (b *board) apply(input func(*spread.Node, breaker.Instant) spread.Effects, put func(breaker.Key, breaker.Snapshot)) {
	b.carry(b.stepped(input, put))
}

// stepped runs an input and tells the actors. An input that panics, for who asked
// over HTTP, must not leave a lock behind.
func (b *board) stepped(input func(*spread.Node, breaker.Instant) spread.Effects, put func(breaker.Key, breaker.Snapshot)) spread.Effects {
	e := b.input(input, put)
	defer b.stepping.Unlock()
	b.stepAll(e)
	return e
}

// keep has written what the view holds of a key now. The board is locked.
func (b *board) keep(key breaker.Key, s breaker.Snapshot) {
	b.write(key, s)
	if b.sharing != nil && b.spread.Owner(key) == b.id {
		b.sharing.put(key, s)
	}
}

// share is do for what a place to share said: it need not be told again. put
// gets what is to be kept.
func (b *board) share(entries []spread.Shared, put func(breaker.Key, breaker.Snapshot)) {
	if len(entries) == 0 {
		return
	}
	stamp := b.clock.Stamp()
	b.apply(func(n *spread.Node, now breaker.Instant) spread.Effects {
		return n.Share(now, stamp, entries)
	}, put)
}

// input is what of do needs the lock; it returns with the lock of the steps held.
// Before the node joined there is nobody to carry effects to.
func (b *board) input(input func(*spread.Node, breaker.Instant) spread.Effects, put func(breaker.Key, breaker.Snapshot)) spread.Effects {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := input(b.spread, b.clock.Now())
	for _, x := range e.Changed {
		b.changed(x.Key, x.Snapshot)
		put(x.Key, x.Snapshot)
	}
	b.settle(e)
	b.stepping.Lock()
	if b.cluster == nil {
		return spread.Effects{}
	}
	return e
}

// settle hands out replies and sets the timer. The board is locked.
func (b *board) settle(e spread.Effects) {
	for _, d := range e.Done {
		if wait, ok := b.waits[d.ID]; ok {
			delete(b.waits, d.ID)
			wait <- d.Body // has room for it
		}
	}
	if e.WakeAt != 0 {
		b.timer.Reset(max(e.WakeAt.Sub(b.clock.Now()), 0))
	}
}

// changed tells the gate and the streams. The board is locked.
func (b *board) changed(key breaker.Key, s breaker.Snapshot) {
	replaced := b.policies.set(key, s.Overlays, b.clock.Now())
	s.Overlays = nil // to the gate, a key that has nothing else is plainly closed
	b.gate.Apply(key, s)
	if replaced {
		b.gate.ReplaceOne(key)
	}
	b.tellWatchers(key)
}
