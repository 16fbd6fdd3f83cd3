package node

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// A node that starts with very many breakers, or takes them over, wakes their
// actors when it is ready, and some at a time: it has calls to decide.
const (
	wakeAtOnce = 256
	wakePause  = 20 * time.Millisecond
)

// wakeLater queues the keys whose actors are to be there.
func (b *board) wakeLater(steps []spread.Step) {
	var keys []breaker.Key
	for _, s := range steps {
		if _, ok := s.Do.(spread.Activate); ok {
			keys = append(keys, s.Key)
		}
	}
	if len(keys) == 0 {
		return
	}
	b.wakeMu.Lock()
	b.asleep = append(b.asleep, keys...)
	b.wakeMu.Unlock()
	poke(b.wake)
}

// takeAsleep returns the next keys whose actors are to be there.
func (b *board) takeAsleep() []breaker.Key {
	b.wakeMu.Lock()
	defer b.wakeMu.Unlock()
	n := min(len(b.asleep), wakeAtOnce)
	keys := b.asleep[:n:n]
	if b.asleep = b.asleep[n:]; len(b.asleep) == 0 {
		b.asleep = nil
	}
	return keys
}

// runWakes wakes actors until the board is closed.
func (b *board) runWakes() {
	select {
	case <-b.stop:
		return
	case <-b.ready:
	}
	for {
		select {
		case <-b.stop:
			return
		case <-b.wake:
		}
		for keys := b.takeAsleep(); len(keys) > 0; keys = b.takeAsleep() {
			for _, k := range keys {
				b.breakers.Activate(k)
			}
			if len(keys) < wakeAtOnce {
				break
			}
			select {
			case <-b.stop:
				return
			case <-time.After(wakePause):
			}
		}
	}
}
