//go:build cgo

package eventlog

import (
	"context"
	"errors"

	"fleetfuse/telemetry"
)

// A Batch is what follows a position: events, or a gap.
type Batch struct {
	// Events are shared with other readers: do not change them.
	Events []telemetry.Event
	// Gap, if not nil, stands in place of events.
	Gap *Gap
	// Position is where the reader is after this batch. Follow from there resumes.
	Position uint64
}

// A Reader sees every event of a log once, in order. It is for one goroutine at a
// time and needs no closing: it holds nothing.
type Reader struct {
	log      *Log
	position uint64
}

// Follow returns a reader of what follows a position: Log.Last for what comes,
// zero for everything there is, or where another reader ended.
func (l *Log) Follow(after uint64) *Reader { return &Reader{log: l, position: after} }

// Next returns what follows, and waits for it. A gap is told before what comes
// after it. When ctx ends its error is returned, and Next can be called again: a
// reader that sends heartbeats uses a deadline. ErrClosed comes after the last
// event that is in memory; any other error is one of reading the disk, and may
// pass.
func (r *Reader) Next(ctx context.Context) (Batch, error) {
	if b, ok, err := r.pull(ctx); ok || err != nil {
		return b, err
	}
	bell := r.log.bell
	for {
		rung := bell.listen()
		b, ok, err := r.pull(ctx)
		if ok || err != nil {
			bell.leave()
			return b, err
		}
		select {
		case <-rung:
			bell.leave()
			continue
		case <-ctx.Done():
			bell.leave()
			return Batch{}, ctx.Err()
		case <-r.log.ended:
			bell.leave()
		}
		// The last event may have come together with the end.
		if b, ok, err := r.pull(ctx); ok || err != nil {
			return b, err
		}
		return Batch{}, ErrClosed
	}
}

// pull returns what follows and is there.
func (r *Reader) pull(ctx context.Context) (Batch, bool, error) {
	v := r.log.tail.view()
	switch last := v.next - 1; {
	case r.position > last:
		return r.passed(Gap{First: v.next, Last: r.position, Reason: GapUnknown}, last), true, nil
	case r.position+1 >= v.oldest:
		events := v.after(r.position)
		return r.read(events), len(events) > 0, nil
	}
	return r.past(ctx)
}

func (r *Reader) read(events []telemetry.Event) Batch {
	if len(events) > 0 {
		r.position = events[len(events)-1].Seq
	}
	return Batch{Events: events, Position: r.position}
}

func (r *Reader) passed(g Gap, to uint64) Batch {
	r.position = to
	return Batch{Gap: &g, Position: to}
}

// past returns what follows a position before the tail.
func (r *Reader) past(ctx context.Context) (Batch, bool, error) {
	for {
		p, err := r.log.stretch(r.position)
		if err != nil {
			return Batch{}, false, err
		}
		r.position = p.after
		if p.gap != nil {
			return r.passed(*p.gap, p.gap.Last), true, nil
		}
		if len(p.events) > 0 {
			return r.read(p.events), true, nil
		}
		if p.through == p.after {
			return r.pull(ctx) // the tail follows
		}
		events, err := r.log.read(ctx, p)
		switch {
		case errors.Is(err, errAgain):
			continue
		case err != nil:
			return Batch{}, false, err
		case len(events) > 0:
			return r.read(events), true, nil
		}
		r.position = p.through // duplicates were there
	}
}
