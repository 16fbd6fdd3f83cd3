package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/redis"
	"fleetfuse/cooldownstore/sqlite"
)

// writeSQLite times how fast announced exceptions get to state.db.
func writeSQLite(ctx context.Context, b *bench) error {
	s, err := sqlite.Open(ctx, filepath.Join(b.dir, "write"))
	if err != nil {
		return err
	}
	defer s.Close()
	return b.write(ctx, "state.db", s, 20_000)
}

// writeRedis times how fast they get to a Redis.
func writeRedis(ctx context.Context, b *bench) error {
	s, err := redis.Open("redis://" + b.redis.Address)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := b.write(ctx, "Redis", cooldownstore.Outbox{Shared: s}, 10_000); err != nil {
		return err
	}
	return b.redis.Flush(ctx)
}

// write hands exceptions to a writer as a node does, and waits until all of
// them are written; then once more with new words on the same keys, which come
// to a disk in an order that is not that of its rows.
func (b *bench) write(ctx context.Context, where string, to cooldownstore.Saver, bar float64) error {
	start := time.Now()
	clock := func() (breaker.Instant, time.Time) { return now.Add(time.Since(start)), time.Now() }
	w := cooldownstore.NewBehind(to, cooldownstore.BehindOptions{Clock: clock})
	defer w.Close(ctx)
	for _, what := range []string{"new", "changed"} {
		wall := time.Now()
		for i := range many {
			key, snap := cooldown(i, wall)
			w.Put(key, snap)
		}
		if err := w.Flush(ctx); err != nil {
			return err
		}
		rate := many / time.Since(wall).Seconds()
		b.say(fmt.Sprintf("%d %s exceptions written to %s", many, what, where), fmt.Sprintf("%.0f /s", rate), fmt.Sprintf(">= %.0f /s", bar), rate >= bar)
	}
	return nil
}
