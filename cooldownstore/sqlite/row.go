//go:build cgo

package sqlite

import (
	"database/sql"
	"encoding/json"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// A row is what the tables hold of one key, as found: other programs write
// there too, so a column may hold any type.
type row struct {
	host                   string
	until, reason, updated any // NULL if they are as we wrote them
	more, shown            any
	stamp                  sql.NullInt64 // when a save first met this until
	cleared                sql.NullBool  // by an operator's close
	circuit                any
	overlaid               bool // overlays are in force; only where a key is loaded
	isOverlay              bool // more is one of them; only where all are listed
}

func (r *row) scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.host, &r.until, &r.reason, &r.updated, &r.more, &r.shown, &r.stamp, &r.cleared, &r.circuit)
}

// scanLoaded reads the row of loadQuery.
func (r *row) scanLoaded(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.host, &r.until, &r.reason, &r.updated, &r.more, &r.shown, &r.stamp, &r.cleared, &r.circuit, &r.overlaid)
}

// record puts together what the row says: our own record, and the cooldown of
// another program if one changed the row.
func (s *Store) record(key breaker.Key, w *row) cooldownstore.Record {
	r := cooldownstore.Record{Key: key}
	if own, _, ok := cooldownstore.DecodeMore(key, text(w.more)); ok {
		r = own.Record
	}
	if m, ok := decode[ownCircuit](w.circuit); ok {
		m.into(&r)
	}
	if n, ok := s.news(w); ok {
		n.into(&r)
	}
	return r
}

// news is a cooldown that another program wrote over ours or on its own.
type news struct {
	cooldown       breaker.Cooldown
	until, written time.Time
	untilWall      float64 // as found
}

func (n news) into(r *cooldownstore.Record) {
	r.Snapshot.Cooldowns = append(r.Snapshot.Cooldowns, n.cooldown)
	r.Wall = append(r.Wall, n.until)
	if r.UpdatedAt.IsZero() {
		r.UpdatedAt = n.written
	}
}

// news reads the documented columns of a row; false if they are ours, say
// nothing, or were covered by an operator's close.
func (s *Store) news(w *row) (news, bool) {
	until, ok := number(w.until)
	if shown, own := number(w.shown); !ok || w.cleared.Bool || own && shown == until {
		return news{}, false
	}
	updated, _ := number(w.updated)
	f := cooldownstore.Foreign{UntilWall: until, UpdatedAt: updated, Reason: text(w.reason)}
	seen := s.now()
	if !f.Dated(seen) {
		seen = s.seen.first(w.host, until, seen)
		if w.stamp.Valid {
			seen = breaker.Stamp(w.stamp.Int64).Wall()
		}
	}
	n := news{untilWall: until}
	n.cooldown, n.until, n.written, ok = f.Cooldown(seen)
	if ok && w.stamp.Valid {
		n.cooldown.Stamp = breaker.Stamp(w.stamp.Int64)
	}
	return n, ok
}

// decode reads one of our JSON columns. Text that is not JSON of ours counts
// as absent: what it said is lost, and a breaker nobody remembers is closed.
func decode[T any](column any) (T, bool) {
	var v T
	s := text(column)
	if s == "" {
		return v, false
	}
	err := json.Unmarshal([]byte(s), &v)
	return v, err == nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}
