//go:build cgo

package eventlog

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
)

// schemas holds one step per schema version, in order; PRAGMA user_version counts
// those applied.
//
// An event is its body, api.Event as JSON; the columns beside it are what is
// searched and what makes its identity. logged_us is when it was written: an
// event can be about something that is long past, and is kept as long as others.
var schemas = []string{`
CREATE TABLE events (
	seq       INTEGER PRIMARY KEY,
	time_us   INTEGER NOT NULL,
	logged_us INTEGER NOT NULL,
	kind      TEXT NOT NULL,
	key       TEXT NOT NULL,
	stamp     INTEGER NOT NULL,
	state     TEXT NOT NULL,
	node      TEXT NOT NULL,
	body      TEXT NOT NULL
);
CREATE UNIQUE INDEX idx_events_id ON events(stamp, kind, state, key, node);
CREATE INDEX idx_events_key ON events(key);
CREATE INDEX idx_events_time ON events(time_us);
CREATE TABLE gaps (
	first   INTEGER PRIMARY KEY,
	last    INTEGER NOT NULL,
	events  INTEGER NOT NULL,
	reason  TEXT NOT NULL,
	time_us INTEGER NOT NULL
);
CREATE TABLE log (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	reserved INTEGER NOT NULL, -- positions up to it may have been given out
	pruned   INTEGER NOT NULL, -- positions up to it are not kept
	clean    INTEGER NOT NULL  -- 1 after a Close that wrote everything
);
`}

// migrate brings the file to this program's schema version, one transaction per
// step.
func migrate(ctx context.Context, db *sql.DB) error {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(schemas) || version < 0 {
		return fmt.Errorf("%w: its schema version is %d, this program knows versions up to %d", ErrNewerSchema, version, len(schemas))
	}
	for ; version < len(schemas); version++ {
		step := fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT", schemas[version], version+1)
		if _, err := db.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("migrate to schema version %d: %w", version+1, err)
		}
	}
	return nil
}

// found is what a file says when it is opened.
type found struct {
	fresh    bool // it has never been used
	reserved uint64
	last     uint64 // position of the last event
	pruned   uint64
	clean    bool
	gaps     gaps
	ids      []telemetry.ID // of its last events
}

// maxIDs bounds found.ids, for a start takes 2 µs for each.
const maxIDs = 16_384

func (s *store) find(ctx context.Context) (found, error) {
	var f found
	err := s.write.QueryRowContext(ctx, "SELECT reserved, pruned, clean FROM log").Scan(&f.reserved, &f.pruned, &f.clean)
	if err == sql.ErrNoRows {
		return found{fresh: true}, nil
	}
	if err != nil {
		return f, err
	}
	if err := s.write.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM events").Scan(&f.last); err != nil {
		return f, err
	}
	if f.gaps, err = s.findGaps(ctx); err != nil {
		return f, err
	}
	f.ids, err = s.findIDs(ctx)
	return f, err
}

func (s *store) findGaps(ctx context.Context) (gaps, error) {
	rows, err := s.write.QueryContext(ctx, "SELECT first, last, events, reason, time_us FROM gaps ORDER BY first")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all gaps
	for rows.Next() {
		var g Gap
		var at int64
		if err := rows.Scan(&g.First, &g.Last, &g.Events, &g.Reason, &at); err != nil {
			return nil, err
		}
		g.Time = time.UnixMicro(at)
		all = append(all, g)
	}
	return all, rows.Err()
}

func (s *store) findIDs(ctx context.Context) ([]telemetry.ID, error) {
	rows, err := s.write.QueryContext(ctx, "SELECT stamp, kind, state, key, node FROM events ORDER BY seq DESC LIMIT ?", maxIDs)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []telemetry.ID
	for rows.Next() {
		var id telemetry.ID
		var stamp int64
		if err := rows.Scan(&stamp, &id.Kind, &id.State, &id.Key, &id.Node); err != nil {
			return nil, err
		}
		id.Stamp = breaker.Stamp(stamp)
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// lost is the gap that a crash left: from the last event on disk to the first
// position of this process. It is empty (Last before First) if there was no crash.
func (f *found) lost(base uint64, now time.Time) Gap {
	g := Gap{First: 1, Reason: GapCrash, Time: now}
	if f.fresh || f.clean {
		return g
	}
	g.First, g.Last = f.used()+1, base-1
	return g
}

// used is the last position the file says something about.
func (f *found) used() uint64 {
	last := max(f.last, f.pruned)
	if n := len(f.gaps); n > 0 {
		last = max(last, f.gaps[n-1].Last)
	}
	return last
}
