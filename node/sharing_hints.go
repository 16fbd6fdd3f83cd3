package node

import (
	"context"
	"maps"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// listen hears what others changed. Each time it begins to, the place is
// listed: what was changed before is heard of no more. When it ends the place may
// be away, which a listing finds out; where it never began one finds out nothing.
func (s *sharing) listen(ctx context.Context) {
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, retryMost) {
		began := false
		err := s.place.Hints(ctx, func(key breaker.Key) {
			if !began {
				began, wait = true, retryFirst
				s.deaf(nil)
			}
			s.hint(key)
		})
		s.deaf(err)
		if began {
			s.relist()
		}
		rest(ctx, wait)
	}
}

// deaf notes why nothing is heard of changes, nil if it is.
func (s *sharing) deaf(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading.deaf = err
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *sharing) hint(key breaker.Key) {
	if key == "" {
		s.relist()
		return
	}
	if !s.board.owns(key) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.hinted) >= maxHinted {
		clear(s.hinted)
		s.relist()
		return
	}
	s.hinted[key] = struct{}{}
	poke(s.heard)
}

// takeHints returns the keys that were hinted at.
func (s *sharing) takeHints() []breaker.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Collect(maps.Keys(s.hinted))
	clear(s.hinted)
	return keys
}
