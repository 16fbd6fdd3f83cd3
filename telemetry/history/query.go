//go:build cgo

package history

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"fleetfuse/breaker"
	"fleetfuse/internal/sqlitefile"
	"fleetfuse/telemetry/rollup"
)

// A Query asks for what was counted from one bucket to another, both included.
// Until zero is up to now; a Key or Role that is nil is any. At most Limit spans
// come back, the latest; zero is 10,000.
type Query struct {
	Key          *breaker.Key
	Role         *string
	Since, Until rollup.Bucket
	Limit        int
}

const (
	defaultLimit = 10_000
	endOfTime    = rollup.Bucket(1) << 40
)

// Spans lists buckets, the oldest first: those on disk and those that wait. What
// waits is listed also where the disk fails, with its error.
func (h *History) Spans(ctx context.Context, q Query) ([]rollup.Span, error) {
	limit := cmp.Or(q.Limit, defaultLimit)
	var list []rollup.Span
	err := h.each(ctx, q, limit, func(s rollup.Span) { list = append(list, s) })
	slices.SortStableFunc(list, func(a, b rollup.Span) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Role, b.Role))
	})
	list = joined(list)
	return list[max(0, len(list)-limit):], err
}

// joined adds up spans of one bucket and series: a part of it may be on disk
// while another waits.
func joined(list []rollup.Span) []rollup.Span {
	kept := list[:0]
	for i := range list {
		if n := len(kept) - 1; n >= 0 && kept[n].At == list[i].At && kept[n].Series == list[i].Series {
			kept[n].Add(&list[i].Counts)
			continue
		}
		kept = append(kept, list[i])
	}
	return kept
}

// Sum adds up what a query asks for, whatever its Limit. The rows are in no
// order.
func (h *History) Sum(ctx context.Context, q Query) ([]rollup.Row, error) {
	sums := map[rollup.Series]*rollup.Counts{}
	err := h.each(ctx, q, -1, func(s rollup.Span) {
		if sums[s.Series] == nil {
			sums[s.Series] = &rollup.Counts{}
		}
		sums[s.Series].Add(&s.Counts)
	})
	var rows []rollup.Row
	for s, c := range sums {
		rows = append(rows, rollup.Row{Series: s, Counts: *c})
	}
	return rows, err
}

// each finds the spans of the latest so many rows on disk, and those that wait.
func (h *History) each(ctx context.Context, q Query, rows int, found func(rollup.Span)) error {
	if q.Until == 0 {
		q.Until = endOfTime
	}
	take := func(s rollup.Series, m minute, buckets []byte) {
		for _, span := range spans(s, m, buckets) {
			if span.At >= q.Since && span.At <= q.Until {
				found(span)
			}
		}
	}
	h.use.RLock()
	defer h.use.RUnlock()
	h.mu.Lock()
	trouble := h.status.Trouble
	for m, of := range h.waiting.minutes {
		for s, buckets := range of {
			if (q.Key == nil || *q.Key == s.Key) && (q.Role == nil || *q.Role == s.Role) {
				take(s, m, buckets)
			}
		}
	}
	h.mu.Unlock()
	if h.disk == nil {
		return errors.Join(ErrNoDisk, trouble)
	}
	err := h.disk.each(ctx, q, rows, take)
	if sqlitefile.IsCorrupt(err) {
		h.mu.Lock()
		h.damaged = true
		h.mu.Unlock()
	}
	return err
}

// ErrNoDisk is returned by queries while there is no file.
var ErrNoDisk = errors.New("the rollups on disk cannot be read")

func (d *disk) each(ctx context.Context, q Query, limit int, take func(rollup.Series, minute, []byte)) error {
	where, args := "m.minute BETWEEN ? AND ?", []any{int64(minuteOf(q.Since)), int64(minuteOf(q.Until))}
	if q.Key != nil {
		where, args = where+" AND s.key = ?", append(args, string(*q.Key))
	}
	if q.Role != nil {
		where, args = where+" AND s.role = ?", append(args, *q.Role)
	}
	rows, err := d.Read.QueryContext(ctx, `SELECT s.key, s.role, m.minute, m.buckets FROM minutes m JOIN series s ON s.id = m.series
		WHERE `+where+` ORDER BY m.minute DESC LIMIT ?`, append(args, limit)...)
	if err != nil {
		return sqlitefile.Explain(err, "read rollups")
	}
	defer rows.Close()
	for rows.Next() {
		var s rollup.Series
		var m int64
		var buckets []byte
		if err := rows.Scan(&s.Key, &s.Role, &m, &buckets); err != nil {
			return sqlitefile.Explain(err, "read rollups")
		}
		take(s, minute(m), buckets)
	}
	if err := rows.Err(); err != nil {
		return sqlitefile.Explain(err, "read rollups")
	}
	return nil
}
