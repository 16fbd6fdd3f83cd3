// Package memory is a cooldown store that remembers nothing across restarts:
// for tests, simulations and nodes started with memory:.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A Store keeps records in a map.
type Store struct {
	mu      sync.RWMutex
	records map[breaker.Key]cooldownstore.Record
	past    map[breaker.Key][]cooldownstore.OverlayRecord // the latest first
	meta    map[string]string
	closed  bool
}

var _ cooldownstore.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{
		records: make(map[breaker.Key]cooldownstore.Record), past: make(map[breaker.Key][]cooldownstore.OverlayRecord),
		meta: make(map[string]string),
	}
}

// usable must be called with mu held.
func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return cooldownstore.ErrClosed
	}
	return ctx.Err()
}

// Load implements cooldownstore.Store.
func (s *Store) Load(ctx context.Context, key breaker.Key) (cooldownstore.Record, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return cooldownstore.Record{}, false, fmt.Errorf("load %s: %w", key, err)
	}
	r, ok := s.records[key]
	return r.Clone(), ok, nil
}

// Save implements cooldownstore.Store. Memory survives neither kill nor power
// loss, whatever is asked for.
func (s *Store) Save(ctx context.Context, records []cooldownstore.Record, _ cooldownstore.Durability) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("save %s: %w", cooldownstore.Keys(records), err)
	}
	for _, r := range records {
		s.remember(r)
		if r.Snapshot.Empty() {
			delete(s.records, r.Key)
			continue
		}
		s.records[r.Key] = r.Clone()
	}
	return nil
}

// Each implements cooldownstore.Store. It shows the store as it was at the
// call.
func (s *Store) Each(ctx context.Context, yield func(cooldownstore.Record) bool) error {
	s.mu.RLock()
	err := s.usable(ctx)
	records := slices.Collect(maps.Values(s.records))
	s.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("list records: %w", err)
	}
	for _, r := range records { // records are replaced, never changed: no lock needed
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("list records: %w", err)
		}
		if !yield(r.Clone()) {
			return nil
		}
	}
	return nil
}

// News implements cooldownstore.Store. No other program reaches this memory.
func (s *Store) News(ctx context.Context, _ func(cooldownstore.Record) bool) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("list news: %w", err)
	}
	return nil
}

// Meta implements cooldownstore.Store.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return "", fmt.Errorf("read %q: %w", name, err)
	}
	return s.meta[name], nil
}

// SetMeta implements cooldownstore.Store.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	s.meta[name] = value
	return nil
}

// Kind implements cooldownstore.Store.
func (s *Store) Kind() string { return "memory" }

// Close implements cooldownstore.Store and forgets everything.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.records, s.past, s.meta = true, nil, nil, nil
	return nil
}
