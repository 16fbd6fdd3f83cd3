package node

import (
	"context"
	"time"

	"fleetfuse/breaker"
)

// listen hears what others changed. Each time it begins to, the place is
// listed: what was changed before is heard of no more.
func (s *sharing) listen(ctx context.Context) {
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, retryMost) {
		_ = s.place.Hints(ctx, func(key breaker.Key) { // why it ended, the listing will say
			wait = retryFirst
			s.hint(key)
		})
		s.relist()
		rest(ctx, wait)
	}
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
func (s *sharing) takeHints() map[breaker.Key]struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.hinted
	s.hinted = map[breaker.Key]struct{}{}
	return keys
}
