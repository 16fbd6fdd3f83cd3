//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// ownOverlay is the JSON in breaker_overlays.more.
type ownOverlay struct {
	Register  breaker.Register `json:"register"` // 0 the tuner's, 1 the operator's
	Stamp     breaker.Stamp    `json:"stamp"`
	Base      breaker.Stamp    `json:"base,omitempty"`
	Fields    string           `json:"fields,omitempty"`
	Temporary string           `json:"temporary,omitempty"`
	Until     time.Time        `json:"until,omitzero"`
	LengthNS  time.Duration    `json:"length_ns,omitempty"`
	Kept      time.Time        `json:"kept,omitzero"`
	Author    string           `json:"author,omitempty"`
	Reason    string           `json:"reason,omitempty"`
	Change    uint64           `json:"change,omitempty"`
	UpdatedAt time.Time        `json:"updated_at,omitzero"`
}

func (m ownOverlay) record() cooldownstore.OverlayRecord {
	return cooldownstore.OverlayRecord{
		Overlay: breaker.Overlay{
			Register: m.Register, Stamp: m.Stamp, Base: m.Base, Fields: m.Fields, Temporary: m.Temporary,
			Length: m.LengthNS, Author: m.Author, Reason: m.Reason, Change: m.Change,
		},
		OverlayWall: cooldownstore.OverlayWall{Until: m.Until, Kept: m.Kept},
	}
}

func overlayOf(o cooldownstore.OverlayRecord, updated time.Time) ownOverlay {
	return ownOverlay{
		Register: o.Register, Stamp: o.Stamp, Base: o.Base, Fields: o.Fields, Temporary: o.Temporary,
		Until: o.OverlayWall.Until.UTC(), LengthNS: o.Length, Kept: o.OverlayWall.Kept.UTC(),
		Author: o.Author, Reason: o.Reason, Change: o.Change, UpdatedAt: updated.UTC(),
	}
}

// into adds the overlay to a record.
func (m ownOverlay) into(r *cooldownstore.Record) {
	if m.Register > breaker.RegisterOperator || m.Stamp == 0 {
		return
	}
	o := m.record()
	r.Snapshot.Overlays = append(r.Snapshot.Overlays, o.Overlay)
	r.Overlays = append(r.Overlays, o.OverlayWall)
	if r.UpdatedAt.IsZero() {
		r.UpdatedAt = m.UpdatedAt
	}
}

// The statements that write overlays. Where a record has none, and none was in
// force, none is run.
const (
	endOverlays = `UPDATE breaker_overlays SET in_force = 0, ended_wall = ? WHERE host = ? AND in_force = 1`
	putOverlay  = `INSERT OR REPLACE INTO breaker_overlays
		(host, register, version, in_force, kept_wall, ended_wall, fields, author, reason, more) VALUES (?, ?, ?, 1, ?, 0, ?, ?, ?, ?)`
	trimOverlays = `DELETE FROM breaker_overlays WHERE host = ?1 AND in_force = 0 AND version NOT IN
		(SELECT version FROM breaker_overlays WHERE host = ?1 ORDER BY version DESC LIMIT ?2)`
)

// saveOverlays makes the overlays of a record those in force; the others of the
// key are history then. there says that some were in force.
func (v *saver) saveOverlays(ctx context.Context, host string, r cooldownstore.Record, there bool) error {
	list := r.OverlayRecords()
	if len(list) == 0 && !there {
		return nil
	}
	if _, err := v.tx.ExecContext(ctx, endOverlays, cooldownstore.EpochSeconds(v.now), host); err != nil {
		return err
	}
	for _, o := range list {
		more, err := json.Marshal(overlayOf(o, r.UpdatedAt))
		if err != nil {
			return err
		}
		fields := o.Fields
		if o.Temporary != "" {
			fields += " temporary: " + o.Temporary
		}
		_, err = v.tx.ExecContext(ctx, putOverlay, host, o.Register.String(), int64(o.Stamp),
			cooldownstore.EpochSeconds(o.OverlayWall.Kept), fields, o.Author, o.Reason, string(more))
		if err != nil {
			return err
		}
	}
	_, err := v.tx.ExecContext(ctx, trimOverlays, host, cooldownstore.MaxPastOverlays)
	return err
}

const (
	eachOverlay    = `SELECT host, more FROM breaker_overlays WHERE in_force = 1`
	overlaysOf     = eachOverlay + ` AND host = ?`
	overlayHistory = `SELECT host, more FROM breaker_overlays WHERE host = ? ORDER BY version DESC LIMIT ?`
)

// overlayRow is one overlay, as found.
type overlayRow struct {
	host string
	more any
}

func (o *overlayRow) scan(rows *sql.Rows) error { return rows.Scan(&o.host, &o.more) }

// overlaysIn reads overlays that a query selects, by host.
func overlaysIn(ctx context.Context, db *sql.DB, query string, args ...any) (map[string][]ownOverlay, error) {
	found := map[string][]ownOverlay{}
	err := snapshot(ctx, db, []part[overlayRow]{{query, args, (*overlayRow).scan}}, func(o *overlayRow) bool {
		if m, ok := decode[ownOverlay](o.more); ok {
			found[o.host] = append(found[o.host], m)
		}
		return true
	})
	return found, err
}

// addOverlays gives a record the overlays that were found of its key.
func addOverlays(r *cooldownstore.Record, found []ownOverlay) {
	slices.SortFunc(found, func(a, b ownOverlay) int { return int(a.Register) - int(b.Register) })
	for _, m := range found {
		m.into(r)
	}
}

// Overlays implements cooldownstore.Store.
func (s *Store) Overlays(ctx context.Context, key breaker.Key) ([]cooldownstore.OverlayRecord, error) {
	host := cooldownstore.SharedName(key)
	found, err := overlaysIn(ctx, s.read, overlayHistory, host, cooldownstore.MaxPastOverlays)
	if err != nil {
		return nil, s.fail(ctx, "list the overlays of "+string(key), err)
	}
	var list []cooldownstore.OverlayRecord
	for _, m := range found[host] {
		list = append(list, m.record())
	}
	return list, nil
}
