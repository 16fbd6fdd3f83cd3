package node

import (
	"context"
	"time"

	"fleetfuse/breaker"
	rules "fleetfuse/cooldownstore/sharing"
)

// listen hears what others changed. Each time it begins to, the place is
// listed: what was changed before is heard of no more. When it ends the place may
// be away, which a listing finds out; where it never began one finds out nothing.
func (s *sharing) listen(ctx context.Context) {
	var failing rules.Backoff
	for ctx.Err() == nil {
		began := false
		err := s.place.Hints(ctx, func(key breaker.Key) {
			if !began {
				began = true
				failing.Worked()
				s.deaf(nil)
			}
			owned := key != "" && s.board.owns(key)
			s.tell(func(r *rules.Reader) { r.Hint(key, owned) })
		})
		s.deaf(err)
		if began {
			s.relist()
		}
		rest(ctx, failing.Failed())
	}
}

// deaf notes why nothing is heard of changes, nil if it is.
func (s *sharing) deaf(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.condition.Deaf(err)
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
