//go:build cgo

package eventlog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
)

// Limits of one query.
const (
	DefaultLimit = 1000
	MaxLimit     = 10_000
)

// A Filter says which events are asked for. Its zero value is every event.
type Filter struct {
	Key   breaker.Key      // "" for every breaker and the nodes
	Kinds []telemetry.Kind // none for every kind
	// Since and Until bound the event's time: from Since on, before Until. A zero
	// time is no bound.
	Since, Until time.Time
	// After is the position after which to look.
	After uint64
	// Limit bounds the answer; zero is DefaultLimit, and MaxLimit the most.
	Limit int
	// Newest asks for the latest Limit events, not the first after After.
	Newest bool
}

// Match reports whether an event is one that is asked for, whatever its position.
func (f *Filter) Match(e *telemetry.Event) bool {
	return (f.Key == "" || f.Key == e.Key) &&
		(len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind)) &&
		(f.Since.IsZero() || !e.Time.Before(f.Since)) &&
		(f.Until.IsZero() || e.Time.Before(f.Until))
}

func (f *Filter) limit() int {
	if f.Limit <= 0 {
		return DefaultLimit
	}
	return min(f.Limit, MaxLimit)
}

// A Page answers a query.
type Page struct {
	Events []telemetry.Event // by position
	// Gaps are what may be missing: those noticed since Filter.Since and behind
	// After. That the oldest were pruned is one only for an After that is older.
	Gaps []Gap
	// Through is the position up to which was looked: After of the next page, or
	// where to Follow from.
	Through uint64
	// More is true where Limit cut the answer: behind Through, or with Newest
	// before the first event.
	More bool
}

// Query returns the events that match, from disk and from memory. While the disk
// does not answer, what is only there is a Gap; an error of reading is returned.
func (l *Log) Query(ctx context.Context, f Filter) (Page, error) {
	v := l.tail.view()
	q := question{Filter: f, want: f.limit() + 1} // one more tells whether there is more
	var events []telemetry.Event
	var err error
	if f.Newest {
		events = q.memory(v)
		if len(events) < q.want {
			var older []telemetry.Event
			older, err = l.disk(ctx, &q, v, q.want-len(events))
			events = append(older, events...)
		}
	} else {
		events, err = l.disk(ctx, &q, v, q.want)
		if len(events) < q.want {
			events = append(events, q.memory(v)...)
		}
	}
	if err != nil {
		return Page{}, err
	}
	return q.page(events, v), nil
}

// A question is a filter on its way through a log.
type question struct {
	Filter
	want int
	gaps []Gap
}

// page cuts what was found.
func (q *question) page(events []telemetry.Event, v view) Page {
	p := Page{Events: events, Through: max(v.next-1, q.After), Gaps: q.gaps}
	limit := q.limit()
	if len(events) <= limit {
		return p
	}
	p.More = true
	if q.Newest {
		p.Events = events[len(events)-limit:]
		return p
	}
	p.Events = events[:limit]
	p.Through = p.Events[limit-1].Seq
	p.Gaps = slices.DeleteFunc(p.Gaps, func(g Gap) bool { return g.First > p.Through })
	return p
}

// memory returns what matches in the tail, the first or the newest.
func (q *question) memory(v view) []telemetry.Event {
	var found []telemetry.Event
	for at := max(q.After, v.oldest-1); q.Newest || len(found) < q.want; {
		events := v.after(at)
		if len(events) == 0 {
			break
		}
		at = events[len(events)-1].Seq
		for i := range events {
			if q.Match(&events[i]) {
				found = append(found, events[i])
			}
		}
	}
	if len(found) <= q.want {
		return found
	}
	if q.Newest {
		return found[len(found)-q.want:]
	}
	return found[:q.want]
}

// disk returns what matches before the tail.
func (l *Log) disk(ctx context.Context, q *question, v view, want int) ([]telemetry.Event, error) {
	through := v.oldest - 1
	for q.After < through {
		s, gaps := l.absent(q.Filter, through)
		q.gaps = gaps
		if s == nil {
			return nil, nil
		}
		text, args := q.sql(through, want)
		events, err := s.query(ctx, text, args...)
		if err == nil {
			if q.Newest {
				slices.Reverse(events)
			}
			return events, nil
		}
		if err = l.readFailed(ctx, s, err); !errors.Is(err, errAgain) {
			return nil, err
		}
	}
	return nil, nil
}

// absent returns the store, and what a query up to a position can not show.
func (l *Log) absent(f Filter, through uint64) (*store, []Gap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var missing []Gap
	if gone := min(l.gone.Load(), through); 0 < f.After && f.After < gone {
		missing = append(missing, Gap{First: f.After + 1, Last: gone, Reason: GapPruned})
	}
	for _, g := range l.gaps {
		if g.Last > f.After && !g.Time.Before(f.Since) {
			missing = append(missing, g.from(f.After))
		}
	}
	if l.store == nil && l.file != "" {
		missing = append(missing, Gap{First: f.After + 1, Last: through, Reason: GapUnreadable, Time: l.health.Since})
	}
	return l.store, missing
}

// sql is the question to the file. The lower bound of the position spares a
// reading of everything: time is about in order, but not quite, so that an
// order by position would else begin with the oldest.
func (q *question) sql(through uint64, want int) (string, []any) {
	text := "SELECT seq, body FROM events WHERE seq > ? AND seq <= ?"
	args := []any{q.After, through}
	if q.Key != "" {
		text, args = text+" AND key = ?", append(args, string(q.Key))
	}
	if len(q.Kinds) > 0 {
		text += " AND kind IN (?" + strings.Repeat(", ?", len(q.Kinds)-1) + ")"
		for _, k := range q.Kinds {
			args = append(args, string(k))
		}
	}
	if !q.Since.IsZero() {
		text += " AND time_us >= ? AND seq >= (SELECT min(seq) FROM events INDEXED BY idx_events_time WHERE time_us >= ?)"
		args = append(args, ceilMicro(q.Since), ceilMicro(q.Since))
	}
	if !q.Until.IsZero() {
		text, args = text+" AND time_us < ?", append(args, ceilMicro(q.Until))
	}
	text += " ORDER BY seq"
	if q.Newest {
		text += " DESC"
	}
	return text + " LIMIT ?", append(args, want)
}

// ceilMicro rounds up, as an event's time is in whole microseconds.
func ceilMicro(t time.Time) int64 {
	us := t.UnixMicro()
	if time.UnixMicro(us).Before(t) {
		us++
	}
	return us
}
