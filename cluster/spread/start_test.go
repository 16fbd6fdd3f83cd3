package spread_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// tripAndRecover opens the breaker for all and closes it by a probe. It returns
// what a disk remembers of the time it was open.
func tripAndRecover(w *world) (disk breaker.Snapshot) {
	w.t.Helper()
	w.failOn(w.nodes[0], w.nodes[1])
	w.until(50*time.Millisecond, "open", func() bool { return w.all(breaker.Open) })
	disk = w.nodes[0].n.View().Of(key)
	w.run(10 * time.Second)
	owner := w.owner(w.nodes[0])
	m := owner.machine(key)
	a, e := m.Ask(owner.moment(), breaker.Question{ID: 1, Node: owner.id})
	owner.effects(key, e)
	o := breaker.Outcome{Node: owner.id, Kind: breaker.Success, Count: 1, Permit: a.Permit, Began: w.now, Ended: w.now}
	owner.effects(key, m.Report(owner.moment(), o))
	w.until(50*time.Millisecond, "closed", func() bool { return w.all(breaker.Closed) })
	return disk
}

// TestStaleDiskDoesNotReopen: a node comes back with a circuit on its disk that
// the others closed meanwhile, and may own the key now.
func TestStaleDiskDoesNotReopen(t *testing.T) {
	for _, synced := range []bool{true, false} { // or no member answered in time
		seeds(t, 3, func(t *testing.T, w *world) {
			disk := tripAndRecover(w)
			disk.Circuit.Until = w.now.Add(time.Minute) // its clock was wrong at that
			for i, off := range w.nodes {
				fresh := w.start(off.id)
				w.nodes[i] = fresh
				fresh.do(func(now breaker.Instant) spread.Effects {
					return fresh.n.Recall(now, []spread.Entry{{Key: key, Snapshot: disk}})
				})
				w.connect()
				if synced {
					fresh.do(func(now breaker.Instant) spread.Effects {
						_, e := fresh.n.Sync(now, now.Add(time.Second))
						return e
					})
					w.run(200 * time.Millisecond)
				}
				fresh.do(fresh.n.ClaimAll)
				w.until(5*time.Second, "closed everywhere", func() bool { return w.all(breaker.Closed) })
				w.run(5 * time.Second)
				if !w.all(breaker.Closed) {
					t.Fatalf("synced %v: %s brought back a circuit that was closed", synced, off.id)
				}
			}
		})
	}
}

// TestStartingNodeOwnsNothing: it would answer from memory of long ago.
func TestStartingNodeOwnsNothing(t *testing.T) {
	w := newWorld(t, 1, 2)
	fresh := w.start("n9")
	w.nodes = append(w.nodes, fresh)
	w.connect()
	asker := w.nodes[0]
	var id uint64
	asker.do(func(now breaker.Instant) spread.Effects {
		n, e := asker.n.RequestFrom(now, fresh.id, key, spread.Inspect{}, time.Second)
		id = n
		return e
	})
	w.run(50 * time.Millisecond)
	if err, ok := asker.done[id].(error); !ok || err == nil {
		t.Errorf("a node that is starting answered %v; want that it does not own the key", asker.done[id])
	}
}
