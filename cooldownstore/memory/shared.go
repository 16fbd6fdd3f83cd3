package memory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A Shared is a handle on a Place.
type Shared struct {
	place  *Place
	values cooldownstore.SharedValues
	closed chan struct{}
	once   sync.Once
}

var _ cooldownstore.Shared = (*Shared)(nil)

func (s *Shared) usable(ctx context.Context) error {
	select {
	case <-s.closed:
		return cooldownstore.ErrClosed
	default:
		return ctx.Err()
	}
}

// Put implements cooldownstore.Shared.
func (s *Shared) Put(ctx context.Context, words []cooldownstore.SharedWord) error {
	err := s.usable(ctx)
	for _, w := range words {
		if err == nil {
			err = s.put(w)
		}
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", cooldownstore.SharedKeys(words), err)
	}
	return nil
}

func (s *Shared) put(w cooldownstore.SharedWord) error {
	name := cooldownstore.SharedName(w.Key)
	if !cooldownstore.Sharable(w.Key) {
		return fmt.Errorf("%q: %w", w.Key, breaker.ErrBadKey)
	}
	p := s.place
	p.mu.Lock()
	defer p.mu.Unlock()
	text, left, _ := p.find(name)
	if text == "" {
		left = 0
	}
	value, ttl, err := s.values.Write(w, cooldownstore.SharedPlace{Value: text, Left: left}, time.Now())
	if err == nil && value != "" {
		p.set(name, value, ttl)
		p.announce(w.Key)
	}
	return err
}

// Load implements cooldownstore.Shared.
func (s *Shared) Load(ctx context.Context, key breaker.Key) (cooldownstore.SharedWord, bool, error) {
	if err := s.usable(ctx); err != nil {
		return cooldownstore.SharedWord{}, false, fmt.Errorf("load %s: %w", key, err)
	}
	text, _, ok := s.place.Value(cooldownstore.SharedName(key))
	if !ok {
		return cooldownstore.SharedWord{}, false, nil
	}
	w, _ := s.values.Read(key, text, time.Now()) // what cannot be read says nothing
	return w, !w.Silent(), nil
}

// LoadAll implements cooldownstore.Shared.
func (s *Shared) LoadAll(ctx context.Context, keys []breaker.Key, yield func(cooldownstore.SharedWord)) error {
	for _, key := range keys {
		w, ok, err := s.Load(ctx, key)
		if err != nil {
			return err
		}
		if ok {
			yield(w)
		}
	}
	return nil
}

// Each implements cooldownstore.Shared. It shows the place as it was at the
// call.
func (s *Shared) Each(ctx context.Context, yield func(cooldownstore.SharedWord) bool) error {
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("list shared cooldowns: %w", err)
	}
	for name, text := range s.place.all() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("list shared cooldowns: %w", err)
		}
		key, ok := cooldownstore.FromSharedName(name)
		if !ok {
			continue
		}
		w, _ := s.values.Read(key, text, time.Now())
		if !w.Silent() && !yield(w) {
			return nil
		}
	}
	return nil
}

// Hints implements cooldownstore.Shared.
func (s *Shared) Hints(ctx context.Context, changed func(breaker.Key)) error {
	const op = "listen for changes"
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	e := s.place.listen()
	defer s.place.leave(e)
	changed("")
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", op, ctx.Err())
		case <-s.closed:
			return fmt.Errorf("%s: %w", op, cooldownstore.ErrClosed)
		case <-e.rang:
		}
		for key := range s.place.take(e) {
			changed(key)
		}
	}
}

// Check implements cooldownstore.Shared. Nothing is ever wrong with memory.
func (s *Shared) Check(ctx context.Context) ([]string, error) {
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return nil, nil
}

// Values implements cooldownstore.Shared.
func (s *Shared) Values() *cooldownstore.SharedValues { return &s.values }

// Kind implements cooldownstore.Shared.
func (s *Shared) Kind() string { return "memory" }

// String implements cooldownstore.Shared.
func (s *Shared) String() string { return "memory:" }

// Close implements cooldownstore.Shared. The place keeps what it holds.
func (s *Shared) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
