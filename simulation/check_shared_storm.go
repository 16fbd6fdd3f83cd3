package simulation

import (
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// writer is who writes a key to the shared store.
type writer struct {
	place int
	key   breaker.Key
}

// repeats are its writes of late that told nothing new.
type repeats struct {
	believed string
	at       []time.Duration
}

// Two clusters that never agree would write in turn, as fast as the store lets
// them.
const (
	mostRepeats = 20
	repeatsIn   = 5 * time.Second
)

// storms checks that who believes the same as at its last write does not write
// again and again.
func (s *sharedChecks) storms(l *link, key breaker.Key) {
	who := writer{l.who.place(), key}
	snap := l.who.believed(key)
	believed := fmt.Sprint(snap.Clear)
	for _, k := range snap.Cooldowns {
		believed += fmt.Sprint(" ", k.Setter, k.Stamp)
	}
	r := s.again[who]
	if r.believed != believed {
		r = repeats{believed: believed}
	}
	r.at = slices.DeleteFunc(r.at, func(at time.Duration) bool { return at < s.world.now-repeatsIn })
	r.at = append(r.at, s.world.now)
	s.again[who] = r
	if len(r.at) > mostRepeats {
		s.fail("clusters do not storm the shared store", l, "%s was written %d times in %v: %s", key, len(r.at), repeatsIn, describe(snap, l.who.clocks().Now()))
	}
}
