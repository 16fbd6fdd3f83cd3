package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// remember notes the overlays of a record. It must be called with mu held.
func (s *Store) remember(r cooldownstore.Record) {
	for _, o := range r.OverlayRecords() {
		past := s.past[r.Key]
		same := func(p cooldownstore.OverlayRecord) bool { return p.Register == o.Register && p.Stamp == o.Stamp }
		if slices.ContainsFunc(past, same) {
			continue
		}
		past = append(slices.Clone(past), o)
		slices.SortStableFunc(past, func(a, b cooldownstore.OverlayRecord) int { return cmp.Compare(b.Stamp, a.Stamp) })
		s.past[r.Key] = past[:min(len(past), cooldownstore.MaxPastOverlays)]
	}
}

// Overlays implements cooldownstore.Store.
func (s *Store) Overlays(ctx context.Context, key breaker.Key) ([]cooldownstore.OverlayRecord, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("list the overlays of %s: %w", key, err)
	}
	return slices.Clone(s.past[key]), nil
}
