package node

import (
	"context"
	"sync"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry/history"
	"fleetfuse/telemetry/rollup"
)

// usage keeps what this node's callers saw: counts in buckets for the last hour
// in memory and for days on disk, and of keys that failed the outcomes themselves.
type usage struct {
	gate    *gate.Gate
	clock   *clock.Clock
	history *history.History // nil: in memory only

	// A gate with very many hosts takes long to drain: what workers report meanwhile
	// does not wait for it, as questions do.
	draining sync.Mutex // taken before mu
	drained  time.Time

	mu    sync.Mutex
	table *rollup.Table

	logsMu sync.Mutex
	logs   *rollup.Logs
}

// health is how writing the counts goes.
func (u *usage) health() history.Status {
	if u.history == nil {
		return history.Status{}
	}
	return u.history.Status()
}

// drainPause is the least time between two looks at the gate's counts: a question
// looks too, so that its answer has the last seconds.
const drainPause = time.Second

// startUsage counts from now on.
func (n *Node) startUsage(ctx context.Context) {
	u := &usage{gate: n.gate, clock: n.clock, table: rollup.NewTable(rollup.Limits{}), logs: rollup.NewLogs(0)}
	n.usage, n.board.usage = u, u
	running, stop := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	if !n.opt.Memory {
		u.history = history.Open(ctx, n.opt.DataDir, history.Options{Logger: n.opt.Logger})
		n.onStop(func() { n.logFailure("close the rollups", u.history.Close()) })
		loops.Go(func() { u.history.Run(running) })
	}
	loops.Go(func() { u.run(running) })
	n.onStop(func() {
		stop()
		loops.Wait()
	})
}

// run closes buckets until ctx ends.
func (u *usage) run(ctx context.Context) {
	t := time.NewTicker(rollup.Width)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			u.collect(0)
			return
		case <-t.C:
			u.collect(0)
		}
	}
}

// collect takes what the gate has counted, unless it did so just now. A bucket
// that is closed before its end goes on.
func (u *usage) collect(pause time.Duration) {
	_, wall := u.clock.Both()
	u.draining.Lock()
	defer u.draining.Unlock()
	if since := wall.Sub(u.drained); since >= 0 && since < pause {
		return
	}
	u.drained = wall
	u.gate.DrainUsage(u.add)
	u.mu.Lock()
	at, rows := u.table.Close(rollup.BucketOf(wall) + 1)
	u.mu.Unlock()
	if u.history != nil && len(rows) > 0 {
		u.history.Add(at, rows)
	}
	u.forgetLogs()
}

// Used implements httpapi.Usage.
func (n *Node) Used(s rollup.Series, c *rollup.Counts) { n.usage.add(s, c) }

func (u *usage) add(s rollup.Series, c *rollup.Counts) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.table.Add(s, c)
}

func (u *usage) forgetLogs() {
	u.logsMu.Lock()
	defer u.logsMu.Unlock()
	u.logs.Forget(u.clock.Now().Add(-logsKeep))
}

// logsKeep is how long after its last failure the outcomes of a key are kept.
const logsKeep = time.Hour

// reported remembers outcomes of a key that failed here.
func (u *usage) reported(key breaker.Key, outcomes []breaker.Outcome) {
	u.logsMu.Lock()
	defer u.logsMu.Unlock()
	u.logs.Add(key, outcomes)
}

// inMemory is how far back the table goes.
const inMemory = time.Hour

// window sums up the last so much time: of one key, or of all with "".
func (u *usage) window(ctx context.Context, key breaker.Key, length time.Duration) ([]rollup.Row, error) {
	u.collect(drainPause)
	if length > inMemory && u.history != nil {
		_, wall := u.clock.Both()
		q := history.Query{Since: rollup.BucketOf(wall.Add(-length)) + 1}
		if key != "" {
			q.Key = &key
		}
		return u.history.Sum(ctx, q)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if key != "" {
		return u.table.WindowOf(key, length), nil
	}
	return u.table.Window(length), nil
}
