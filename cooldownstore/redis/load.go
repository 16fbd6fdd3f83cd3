package redis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// LoadAll implements cooldownstore.Shared.
func (s *Store) LoadAll(ctx context.Context, keys []breaker.Key, yield func(cooldownstore.SharedWord)) error {
	for some := range slices.Chunk(keys, batch) {
		if err := s.loadSome(ctx, some, yield); err != nil {
			return s.fail(ctx, fmt.Sprintf("load %d keys", len(keys)), err)
		}
	}
	return nil
}

func (s *Store) loadSome(ctx context.Context, keys []breaker.Key, yield func(cooldownstore.SharedWord)) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	pipe := s.client.Pipeline()
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = s.keys + cooldownstore.SharedName(key)
	}
	get(ctx, pipe, names)
	cmds, err := exec(ctx, pipe)
	if err != nil {
		return err
	}
	now := time.Now()
	for i, cmd := range cmds {
		w, err := s.word(names[i], cmd.(*redis.StringCmd), now)
		if err != nil {
			return err
		}
		if !w.Silent() && w.Key == keys[i] {
			yield(w)
		}
	}
	return nil
}

// Values implements cooldownstore.Shared.
func (s *Store) Values() *cooldownstore.SharedValues { return &s.values }
