//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// The rows of records are in three parts. The documented columns say nothing
// more where nobody else wrote, which is almost everywhere: there they are not
// read.
var (
	eachOurs = `SELECT c.host, ` + moreColumn + `, (SELECT more FROM breaker_circuits z WHERE z.host = c.host) FROM breaker_cooldowns c
		WHERE c.shown IS c.until_wall AND ` + nameable
	eachTheirs = `SELECT c.host,` + columns + ` FROM breaker_cooldowns c` + joinForeign + ` LEFT JOIN breaker_circuits z ON z.host = c.host
		WHERE c.shown IS NOT c.until_wall AND ` + nameable
	eachCircuits = `SELECT host, NULL, more FROM breaker_circuits z WHERE typeof(host) = 'text'
		AND NOT EXISTS (SELECT 1 FROM breaker_cooldowns c WHERE c.host = z.host)`
	newsQuery = eachTheirs + ` AND (c.until_wall > ? OR c.more IS NOT NULL)`
)

func scanOurs(w *row, rows *sql.Rows) error   { return rows.Scan(&w.host, &w.more, &w.circuit) }
func scanTheirs(w *row, rows *sql.Rows) error { return w.scan(rows) }
func scanOverlay(w *row, rows *sql.Rows) error {
	w.isOverlay = true
	return rows.Scan(&w.host, &w.more)
}

// Each implements cooldownstore.Store. It shows the store as it was at the
// call. Rows that name no breaker are passed over.
func (s *Store) Each(ctx context.Context, yield func(cooldownstore.Record) bool) error {
	overlays := map[string][]ownOverlay{}
	done := false
	parts := []part[row]{{eachOverlay, nil, scanOverlay}, {eachOurs, nil, scanOurs}, {eachTheirs, nil, scanTheirs}, {eachCircuits, nil, scanOurs}}
	err := snapshot(ctx, s.read, parts, func(w *row) bool {
		if w.isOverlay {
			if m, ok := decode[ownOverlay](w.more); ok {
				overlays[w.host] = append(overlays[w.host], m)
			}
			return true
		}
		key, ok := cooldownstore.FromSharedName(w.host)
		if !ok {
			return true
		}
		r := s.record(key, w)
		if found, ok := overlays[w.host]; ok {
			addOverlays(&r, found)
			delete(overlays, w.host)
		}
		done = !r.Snapshot.Empty() && !yield(r)
		return !done
	})
	if err != nil {
		return s.fail(ctx, "list records", err)
	}
	for host, found := range overlays {
		if done {
			break
		}
		key, ok := cooldownstore.FromSharedName(host)
		r := cooldownstore.Record{Key: key}
		addOverlays(&r, found)
		done = ok && !r.Snapshot.Empty() && !yield(r)
	}
	return nil
}

// News implements cooldownstore.Store. Its cost is that of the rows that
// another program wrote and no save has met, however many are ours: see
// idx_cd_news.
func (s *Store) News(ctx context.Context, yield func(cooldownstore.Record) bool) error {
	now := s.now()
	running := []any{cooldownstore.EpochSeconds(now)}
	err := snapshot(ctx, s.read, []part[row]{{newsQuery, running, scanTheirs}}, func(w *row) bool {
		key, isKey := cooldownstore.FromSharedName(w.host)
		if !isKey {
			return true
		}
		r := cooldownstore.Record{Key: key}
		if n, ok := s.news(w); ok && n.until.After(now) {
			n.into(&r)
		} else if !hides(key, w, now) {
			return true
		}
		return yield(r)
	})
	if err != nil {
		return s.fail(ctx, "read what other programs wrote", err)
	}
	return nil
}

// hides reports whether another program wrote over a cooldown of ours that
// runs: who reads the documented columns would call the host.
func hides(key breaker.Key, w *row, now time.Time) bool {
	until, _ := number(w.until)
	own, _, ok := cooldownstore.DecodeMore(key, text(w.more))
	return ok && slices.ContainsFunc(own.Wall, func(t time.Time) bool {
		return t.After(now) && cooldownstore.EpochSeconds(t) > until
	})
}
