//go:build cgo

package eventlog

import (
	"context"
	"errors"

	"fleetfuse/internal/sqlitefile"
	"fleetfuse/telemetry"
)

// A stretch is what follows a position before the tail: a gap, events, or
// positions that are on disk.
type stretch struct {
	after   uint64 // the position, or where what is kept begins
	through uint64 // after itself if the tail follows
	store   *store
	gap     *Gap
	events  []telemetry.Event
}

// stretch finds what follows a position. What is neither in the tail, nor being
// written, nor in a gap is on disk.
func (l *Log) stretch(position uint64) (stretch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.tail.view().oldest - 1
	gone := min(l.gone.Load(), end)
	p := stretch{after: position, through: end, store: l.store}
	switch {
	case position >= end:
		p.through = position
		return p, nil
	case position == 0: // asks for what there is
		p.after = gone
	case position < gone:
		p.gap = &Gap{First: position + 1, Last: gone, Reason: GapPruned}
		return p, nil
	}
	if g, ok := l.gaps.after(p.after); ok && g.First <= end {
		if g.First == p.after+1 {
			p.gap = &g
			return p, nil
		}
		p.through = g.First - 1
	}
	if f := l.write.flyingBefore(end + 1); len(f) > 0 {
		switch first, last := f[0].Seq, f[len(f)-1].Seq; {
		case p.after+1 < first:
			p.through = min(p.through, first-1)
		case p.after < last:
			p.events = f[p.after+1-first:]
			return p, nil
		}
	}
	if p.store == nil && p.through > p.after {
		if l.closed {
			return p, ErrClosed
		}
		p.gap = &Gap{First: p.after + 1, Last: p.through, Reason: GapUnreadable, Time: l.health.Since}
	}
	return p, nil
}

// errAgain says that what was to be read changed meanwhile.
var errAgain = errors.New("look again")

// read reads events of a stretch. They are all there were, or the error is
// errAgain.
func (l *Log) read(ctx context.Context, p stretch) ([]telemetry.Event, error) {
	events, err := p.store.page(ctx, p.after, p.through)
	if err != nil {
		return nil, l.readFailed(ctx, p.store, err)
	}
	if l.gone.Load() > p.after {
		return nil, errAgain // some may have gone while the others were read
	}
	return events, nil
}

// readFailed is what an error of reading means to the reader.
func (l *Log) readFailed(ctx context.Context, s *store, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case sqlitefile.IsCorrupt(err):
		l.condemn(s)
		return errAgain
	case s.ctx.Err() != nil:
		return errAgain // it was closed: there is another one, or ErrClosed
	}
	return explain(err, l.file)
}
