//go:build cgo

package eventlog

import (
	"context"
	"slices"
	"sync"

	"fleetfuse/telemetry"
)

const (
	// pageEvents is the most a Reader takes from the disk at once.
	pageEvents = 256
	// maxPages bounds the pages in memory: 32 are about 5 MB.
	maxPages = 32
)

// pages are the last pages that were read from a file. When a thousand followers
// come back at once each page is read and decoded once, not a thousand times. A
// page begins where a reader is and ends at a round position, so that readers
// from anywhere soon ask for the same ones.
type pages struct {
	mu     sync.Mutex
	byFrom map[uint64]*page
	order  []uint64 // the oldest first
}

// A page is what follows a position. Its fields are set when ready is closed.
type page struct {
	ready  chan struct{}
	events []telemetry.Event
	err    error
}

// at returns the page behind a position, which load reads if nobody has. An error
// is told to those who wait and not kept, nor is an empty page.
func (ps *pages) at(ctx context.Context, after uint64, load func() ([]telemetry.Event, error)) ([]telemetry.Event, error) {
	ps.mu.Lock()
	p, known := ps.byFrom[after]
	if !known {
		p = &page{ready: make(chan struct{})}
		ps.add(after, p)
	}
	ps.mu.Unlock()
	if known {
		select {
		case <-p.ready:
			return p.events, p.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.events, p.err = load()
	p.events = upToRound(p.events)
	close(p.ready)
	if len(p.events) == 0 {
		ps.drop(after)
	}
	return p.events, p.err
}

// upToRound cuts events behind the first round position.
func upToRound(events []telemetry.Event) []telemetry.Event {
	if len(events) == 0 {
		return events
	}
	round := events[0].Seq | (pageEvents - 1)
	n := slices.IndexFunc(events, func(e telemetry.Event) bool { return e.Seq > round })
	if n < 0 {
		return events
	}
	return slices.Clip(events[:n])
}

// add must be called with mu held.
func (ps *pages) add(after uint64, p *page) {
	if ps.byFrom == nil {
		ps.byFrom = map[uint64]*page{}
	}
	if len(ps.order) == maxPages {
		delete(ps.byFrom, ps.order[0])
		ps.order = slices.Delete(ps.order, 0, 1)
	}
	ps.byFrom[after] = p
	ps.order = append(ps.order, after)
}

func (ps *pages) drop(after uint64) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.byFrom, after)
	ps.order = slices.DeleteFunc(ps.order, func(o uint64) bool { return o == after })
}
