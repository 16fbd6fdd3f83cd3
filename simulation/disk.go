package simulation

import (
	"errors"
	"maps"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
)

// disk is the state.db of one node: what is written behind, what a word waits
// for, and what a crash leaves of it.
type disk struct {
	node    *node
	written map[breaker.Key]cooldownstore.Record // survives a kill
	past    map[breaker.Key][]breaker.Overlay    // that were in force, the latest first
	synced  map[breaker.Key]kept                 // what the last writes, by key, replaced: a power loss may bring it back
	dirty   []breaker.Key
	waiting bool // a flush is due

	sightings []cooldownstore.Sighting // of the shared store; they survive a power loss

	fails, slow, lies int     // how many faults
	part              float64 // of the writes it takes and denies
}

// kept is what a disk has of a key.
type kept struct {
	record cooldownstore.Record
	past   []breaker.Overlay
}

// Times of writing (DESIGN 6): evidence is written so long after it was put,
// a write that failed is tried again after so long.
const (
	flushAfter = 50 * time.Millisecond
	retryAfter = time.Second
	fsync      = 2 * time.Millisecond
)

func newDisk(n *node) disk {
	return disk{node: n, written: map[breaker.Key]cooldownstore.Record{}, past: map[breaker.Key][]breaker.Overlay{}, synced: map[breaker.Key]kept{}}
}

// put has what the view holds of a key written before long.
func (d *disk) put(key breaker.Key) {
	if !slices.Contains(d.dirty, key) {
		d.dirty = append(d.dirty, key)
	}
	d.schedule(flushAfter)
}

func (d *disk) schedule(after time.Duration) {
	if !d.waiting {
		d.waiting = true
		d.node.later(after+d.delay(), d.flush)
	}
}

func (d *disk) delay() time.Duration {
	if d.slow == 0 {
		return 0
	}
	return 100*time.Millisecond + time.Duration(d.node.rand.Int64N(int64(1900*time.Millisecond)))
}

var errDisk = errors.New("the disk takes nothing")

// flush writes what is dirty in one transaction.
func (d *disk) flush() {
	d.waiting = false
	taken, err := d.outcome()
	if taken {
		clear(d.synced)
		for _, key := range d.dirty {
			d.write(key, d.node.committed.With(key, d.node.spread.View().Of(key)), true)
		}
	}
	if err != nil {
		d.schedule(retryAfter)
		return
	}
	d.dirty = d.dirty[:0]
}

// outcome is whether a write is on the disk, and what the writer is told.
func (d *disk) outcome() (taken bool, err error) {
	switch {
	case d.fails > 0:
		return false, errDisk
	case d.lies > 0 && d.node.rand.Float64() < d.part:
		d.node.world.sometimes(SawUnknownOutcome)
		return true, errDisk
	}
	return true, nil
}

func (d *disk) write(key breaker.Key, s breaker.Snapshot, mayBeLost bool) {
	if mayBeLost {
		d.synced[key] = kept{d.written[key], d.past[key]}
	}
	for _, o := range s.Overlays {
		if !d.was(key, o) {
			d.past[key] = append([]breaker.Overlay{o}, d.past[key]...)
		}
	}
	d.node.world.checks.wrote(d.node, key, s)
	if s.Empty() {
		delete(d.written, key)
		return
	}
	now, wall := d.node.clock.Both()
	d.written[key] = cooldownstore.FromSnapshot(key, s, now, wall)
}

// was reports whether an overlay was in force.
func (d *disk) was(key breaker.Key, o breaker.Overlay) bool {
	return slices.ContainsFunc(d.past[key], func(p breaker.Overlay) bool { return p.Register == o.Register && p.Stamp == o.Stamp })
}

// commit writes a word so that it survives power loss, and everything before it.
func (d *disk) commit(key breaker.Key, s breaker.Snapshot, done func(error)) {
	d.node.later(fsync+d.delay(), func() {
		taken, err := d.outcome()
		if taken {
			clear(d.synced)
			d.write(key, s, false)
		}
		done(err)
		d.put(key) // what the view holds by then: the commit replaced it
	})
}

// crash is what a kill leaves: all that was written. A power loss takes the
// last batch with it.
func (d *disk) crash(powerLoss bool) {
	if powerLoss {
		for key, k := range d.synced {
			d.node.world.sometimes(SawLostTail)
			d.node.world.checks.lost(d.node, key)
			d.past[key] = k.past
			if k.record.Snapshot.Empty() {
				delete(d.written, key)
				continue
			}
			d.written[key] = k.record
		}
	}
	clear(d.synced)
	d.dirty, d.waiting = nil, false
}

// well reports whether the disk takes everything, and at once.
func (d *disk) well() bool { return d.fails == 0 && d.slow == 0 && d.lies == 0 }

// keeps reports whether the disk has something of a key, also after a power loss.
func (d *disk) keeps(key breaker.Key, has func(*breaker.Snapshot) bool) bool {
	now := d.written[key].Snapshot
	if k, ok := d.synced[key]; ok && !has(&k.record.Snapshot) {
		return false
	}
	return has(&now)
}

// wipe is a new disk.
func (d *disk) wipe() {
	clear(d.written)
	clear(d.past)
	d.sightings = nil
}

// recall reads the disk.
func (d *disk) recall() []spread.Entry {
	now, wall := d.node.clock.Both()
	var entries []spread.Entry
	for _, key := range slices.Sorted(maps.Keys(d.written)) {
		r := d.written[key]
		if d.node.clock.Observe(r.Snapshot.MaxStamp()) != nil {
			continue
		}
		if s := r.ToSnapshot(now, wall); !s.Empty() {
			entries = append(entries, spread.Entry{Key: key, Snapshot: s})
		}
	}
	d.node.clock.Resume()
	return entries
}
