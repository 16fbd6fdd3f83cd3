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
	q := question{Filter: f, want: f.limit() + 1} // one more tells whether there is more
	for {
		m := l.moment(q.Filter)
		events, err := q.answer(ctx, m)
		if err == nil {
			return q.page(events, m), nil
		}
		if err = l.readFailed(ctx, m.store, err); !errors.Is(err, errAgain) {
			return Page{}, err
		}
	}
}

// A moment is a log as it is when a query comes.
type moment struct {
	tail   view
	flying []telemetry.Event // they come before the tail
	disk   uint64            // the last position to look for on disk
	store  *store            // nil if the disk does not answer, or there is none
	gaps   []Gap             // that a query is to be told
}

func (l *Log) moment(f Filter) moment {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := moment{tail: l.tail.view(), store: l.store}
	m.disk = m.tail.oldest - 1
	if m.flying = l.write.flyingBefore(m.tail.oldest); len(m.flying) > 0 {
		m.disk = m.flying[0].Seq - 1
	}
	if gone := min(l.gone.Load(), m.disk); 0 < f.After && f.After < gone {
		m.gaps = append(m.gaps, Gap{First: f.After + 1, Last: gone, Reason: GapPruned})
	}
	for _, g := range l.gaps {
		if g.Last > f.After && !g.Time.Before(f.Since) {
			m.gaps = append(m.gaps, g.from(f.After))
		}
	}
	if l.store == nil && l.file != "" && f.After < m.disk {
		m.gaps = append(m.gaps, Gap{First: f.After + 1, Last: m.disk, Reason: GapUnreadable, Time: l.health.Since})
	}
	return m
}

// A question is a filter on its way through a log.
type question struct {
	Filter
	want int
}

// answer finds what matches, of the newest or of the first as many as are wanted.
func (q *question) answer(ctx context.Context, m moment) ([]telemetry.Event, error) {
	if !q.Newest {
		events, err := q.onDisk(ctx, m, q.want)
		if err == nil && len(events) < q.want {
			events = append(events, q.inMemory(m)...)
		}
		return events[:min(len(events), q.want)], err
	}
	events := q.inMemory(m)
	older, err := q.onDisk(ctx, m, q.want-len(events))
	slices.Reverse(older)
	return append(older, events...), err
}

// inMemory returns what matches in memory, of the newest or of the first as many
// as are wanted.
func (q *question) inMemory(m moment) (found []telemetry.Event) {
	parts := [][]telemetry.Event{m.flying}
	for at := m.tail.oldest - 1; ; {
		events := m.tail.after(at)
		if len(events) == 0 {
			break
		}
		at = events[len(events)-1].Seq
		parts = append(parts, events)
	}
	if !q.Newest {
		for _, events := range parts {
			for i := 0; i < len(events) && len(found) < q.want; i++ {
				found = q.add(found, &events[i])
			}
		}
		return found
	}
	for _, events := range slices.Backward(parts) {
		for i := len(events) - 1; i >= 0 && len(found) < q.want; i-- {
			found = q.add(found, &events[i])
		}
	}
	slices.Reverse(found)
	return found
}

func (q *question) add(found []telemetry.Event, e *telemetry.Event) []telemetry.Event {
	if e.Seq > q.After && q.Match(e) {
		return append(found, *e)
	}
	return found
}

// onDisk returns what matches in the file, the newest first if those are wanted.
func (q *question) onDisk(ctx context.Context, m moment, want int) ([]telemetry.Event, error) {
	if m.store == nil || q.After >= m.disk || want <= 0 {
		return nil, nil
	}
	text, args := q.sql(m.disk, want)
	return m.store.query(ctx, text, args...)
}

// page cuts what was found.
func (q *question) page(events []telemetry.Event, m moment) Page {
	p := Page{Events: events, Through: max(m.tail.next-1, q.After), Gaps: m.gaps}
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

// sql is the question to the file. Rows are read in order of position, or those
// of one key; the plus signs keep SQLite from reading by time and sorting. Time is
// about in the order of positions, so a lower bound of the position spares reading
// what is older.
func (q *question) sql(through uint64, want int) (string, []any) {
	text, args := "SELECT seq, body FROM events WHERE seq > ?", []any{q.After}
	if !q.Since.IsZero() {
		since := ceilMicro(q.Since)
		// One bound, for SQLite would use the first of two.
		text = "SELECT seq, body FROM events WHERE seq >= max(? + 1, (SELECT min(seq) FROM events INDEXED BY idx_events_time WHERE time_us >= ?))" +
			" AND +time_us >= ?"
		args = append(args, since, since)
	}
	text, args = text+" AND seq <= ?", append(args, through)
	if q.Key != "" {
		text, args = text+" AND key = ?", append(args, string(q.Key))
	}
	if len(q.Kinds) > 0 {
		text += " AND kind IN (?" + strings.Repeat(", ?", len(q.Kinds)-1) + ")"
		for _, k := range q.Kinds {
			args = append(args, string(k))
		}
	}
	if !q.Until.IsZero() {
		text, args = text+" AND +time_us < ?", append(args, ceilMicro(q.Until))
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
