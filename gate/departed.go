package gate

import (
	"slices"
	"sync"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// keepDeparted is how long calls in flight may still report to an entry that was
// evicted. What ends later is lost to the rollups.
const keepDeparted = time.Minute

// departed are entries that were evicted a short time ago. They may have counts
// that nobody has drained, and calls may still report to them. Where there are
// too many the oldest are drained as rollup.OtherName and let go.
type departed struct {
	mu      sync.Mutex
	most    int
	entries []gone // the oldest first
	other   map[rollup.Series]*rollup.Counts
}

type gone struct {
	*entry
	since breaker.Instant
}

// evicted keeps entries for the next drains.
func (g *Gate) evicted(list []*entry) {
	d, now := &g.departed, g.opt.Clock.Tick()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range list {
		d.entries = append(d.entries, gone{e, now})
	}
	excess := len(d.entries) - d.most
	if excess <= 0 {
		return
	}
	all := drain{g: g, take: d.addOther}
	for _, e := range d.entries[:excess] {
		all.entry(e.entry)
	}
	clear(d.entries[:excess])
	d.entries = d.entries[excess:] // to move the rest each time would take long
}

func (d *departed) addOther(s rollup.Series, c *rollup.Counts) {
	s = s.Other()
	if d.other == nil {
		d.other = map[rollup.Series]*rollup.Counts{}
	}
	if d.other[s] == nil {
		d.other[s] = &rollup.Counts{}
	}
	d.other[s].Add(c)
}

// list is what a drain looks at. It lets go of what has departed long ago, and
// of what was drained when they were too many.
func (d *departed) list(now breaker.Instant) ([]gone, map[rollup.Series]*rollup.Counts) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all, others := slices.Clone(d.entries), d.other
	old := 0
	for old < len(all) && now.Sub(all[old].since) > keepDeparted {
		old++
	}
	d.entries, d.other = slices.Delete(d.entries, 0, old), nil
	return all, others
}
