package sqlite

import (
	"sync"
	"time"
)

const maxSightings = 10_000

// sightings remembers when undated deadlines of other programs were first
// seen, so that reading one again does not make it look new.
type sightings struct {
	mu sync.Mutex
	at map[sighting]time.Time
}

type sighting struct {
	host  string
	until float64
}

func (s *sightings) first(host string, until float64, now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := sighting{host, until}
	if at, ok := s.at[k]; ok {
		return at
	}
	if s.at == nil || len(s.at) >= maxSightings {
		s.at = make(map[sighting]time.Time)
	}
	s.at[k] = now
	return now
}
