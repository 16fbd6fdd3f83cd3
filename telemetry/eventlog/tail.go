//go:build cgo

package eventlog

import (
	"slices"
	"sync/atomic"

	"fleetfuse/telemetry"
)

// chunkEvents is how many events share one allocation.
const chunkEvents = 256

// A chunk holds events at consecutive positions. A place is written once, before
// filled passes it, so that readers need no lock and may keep what they read.
type chunk struct {
	first  uint64
	filled atomic.Int64
	events [chunkEvents]telemetry.Event
}

func (c *chunk) read() []telemetry.Event { return c.events[:c.filled.Load()] }

// The tail holds the latest events, at consecutive positions. One goroutine at a
// time adds; any number read, without a lock: a thousand followers must not make
// an Append wait.
type tail struct {
	base   uint64 // the first position this process gives out
	limit  int    // of chunks
	chunks atomic.Pointer[[]*chunk]
}

func (t *tail) init(base uint64, events int) {
	t.base = base
	t.limit = max(2, (events+chunkEvents-1)/chunkEvents)
	t.chunks.Store(&[]*chunk{})
}

// add puts an event at its position, the next one, and returns the chunk that had to go
// for it, nil if there was room.
func (t *tail) add(e telemetry.Event) (gone *chunk) {
	chunks := *t.chunks.Load()
	if len(chunks) == 0 || chunks[len(chunks)-1].filled.Load() == chunkEvents {
		next := slices.Clone(chunks)
		if len(next) == t.limit {
			gone, next = next[0], next[1:]
		}
		next = append(next, &chunk{first: e.Seq})
		t.chunks.Store(&next)
		chunks = next
	}
	c := chunks[len(chunks)-1]
	n := c.filled.Load()
	c.events[n] = e
	c.filled.Store(n + 1)
	return gone
}

// A view is the tail at one moment.
type view struct {
	oldest uint64 // the first position in it; if it is empty, the next one
	next   uint64 // the position that comes after the last one
	chunks []*chunk
}

func (t *tail) view() view {
	chunks := *t.chunks.Load()
	if len(chunks) == 0 {
		return view{oldest: t.base, next: t.base}
	}
	last := chunks[len(chunks)-1]
	return view{oldest: chunks[0].first, next: last.first + uint64(last.filled.Load()), chunks: chunks}
}

// after returns events that follow a position which is not before the tail: as
// many as share a chunk, none if it is the latest.
func (v view) after(position uint64) []telemetry.Event {
	if position+1 >= v.next {
		return nil
	}
	offset := position + 1 - v.oldest
	c := v.chunks[offset/chunkEvents]
	events := c.read()
	// Not what came since: the view is of one moment.
	end := min(uint64(len(events)), v.next-c.first)
	return events[offset%chunkEvents : end : end]
}
