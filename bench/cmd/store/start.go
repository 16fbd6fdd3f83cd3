package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/redis"
	"fleetfuse/cooldownstore/sqlite"
	"fleetfuse/internal/fleet"
)

const (
	many   = 100_000 // cooldowns
	batch  = 1000
	starts = 5
	now    = breaker.Instant(time.Hour)
)

// cooldown is a snapshot of a Retry-After that has an hour to go.
func cooldown(i int, wall time.Time) (breaker.Key, breaker.Snapshot) {
	return breaker.HostKey(fmt.Sprintf("busy-%d.example.org", i)), breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: "bench", Stamp: breaker.StampAt(wall), Until: now.Add(time.Hour), Length: time.Hour,
		Reason: breaker.ReasonRetryAfter, Detail: "429 Retry-After: 3600",
	}}}
}

// startSQLite times the start of a node on a state.db with many cooldowns.
func startSQLite(ctx context.Context, b *bench) error {
	dir := filepath.Join(b.dir, "full")
	data := filepath.Join(dir, "n", "data")
	if err := os.MkdirAll(filepath.Dir(data), 0o700); err != nil {
		return err
	}
	s, err := sqlite.Open(ctx, data)
	if err != nil {
		return err
	}
	wall := time.Now()
	for from := 0; from < many && err == nil; from += batch {
		records := make([]cooldownstore.Record, batch)
		for i := range records {
			key, snap := cooldown(from+i, wall)
			records[i] = cooldownstore.FromSnapshot(key, snap, now, wall)
		}
		err = s.Save(ctx, records, cooldownstore.SurvivesKill)
	}
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	took, err := b.timeStarts(ctx, func(int) string { return dir })
	if err != nil {
		return err
	}
	b.say(fmt.Sprintf("ready with %d cooldowns from state.db", many), quantiles(took), "<= 1 s", took[len(took)/2] <= time.Second)
	return nil
}

// startRedis times the start of a node with an empty disk and a full Redis.
func startRedis(ctx context.Context, b *bench) error {
	url := "redis://" + b.redis.Address
	s, err := redis.Open(url)
	if err != nil {
		return err
	}
	defer s.Close()
	wall := time.Now()
	words := make([]cooldownstore.SharedWord, many)
	for i := range words {
		key, snap := cooldown(i, wall)
		words[i] = cooldownstore.ShareSnapshot(key, snap, now, wall)
	}
	if err := s.Put(ctx, words); err != nil {
		return err
	}
	took, err := b.timeStarts(ctx, func(i int) string { return filepath.Join(b.dir, fmt.Sprint("empty", i)) }, "--cooldown-store", url)
	if err != nil {
		return err
	}
	b.say(fmt.Sprintf("ready with %d cooldowns from Redis", many), quantiles(took), "<= 2 s", took[len(took)/2] <= 2*time.Second)
	return b.redis.Flush(ctx)
}

// timeStarts starts a node again and again, each time in the directory that dir
// says, and times from the exec until it is ready. It sorts what it took.
func (b *bench) timeStarts(ctx context.Context, dir func(i int) string, args ...string) (took []time.Duration, err error) {
	for i := range starts {
		began := time.Now()
		n, err := fleet.Program{Binary: b.binary, Dir: dir(i)}.Start(ctx, "n", args...)
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
		open, err := n.Metric(ctx, "fleetfuse_breakers_open")
		n.Kill()
		if err != nil || int(open) != many {
			return nil, fmt.Errorf("ready with %v open breakers, want %d (%v)", open, many, err)
		}
	}
	slices.Sort(took)
	return took, nil
}

func quantiles(sorted []time.Duration) string {
	n := len(sorted)
	return fmt.Sprintf("median %.2f s  max %.2f s  (%d runs)", sorted[n/2].Seconds(), sorted[n-1].Seconds(), n)
}
