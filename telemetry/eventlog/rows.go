//go:build cgo

package eventlog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/sqlitefile"
	"fleetfuse/telemetry"
)

// reserveAhead is how far the reservation is ahead of what is written: far more
// than memory holds.
const reserveAhead = 1 << 20

// begin notes that a process uses the file from now on: it gives out positions
// from base on. It survives power loss, as batches do not: they only must be known
// to be missing.
func (s *store) begin(base uint64, f found) (err error) {
	if _, err := s.write.Exec("PRAGMA synchronous=FULL"); err != nil {
		return err
	}
	s.reserved = base + reserveAhead
	err = s.transact(func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT OR REPLACE INTO log (one, reserved, pruned, clean) VALUES (1, ?, ?, 0)", s.reserved, f.pruned)
		if err != nil {
			return err
		}
		return putGaps(tx, f.gaps)
	})
	if err != nil {
		return err
	}
	_, err = s.write.Exec("PRAGMA synchronous=NORMAL")
	return err
}

// close closes the file, and notes whether everything was written.
func (s *store) close(clean bool) error {
	var err error
	if clean {
		_, err = s.write.Exec("UPDATE log SET clean = 1")
	}
	if closeErr := s.closePools(); err == nil {
		err = closeErr
	}
	if err != nil {
		return explain(err, s.file)
	}
	return nil
}

func putGaps(tx *sql.Tx, all gaps) error {
	if _, err := tx.Exec("DELETE FROM gaps"); err != nil {
		return err
	}
	for _, g := range all {
		if _, err := tx.Exec("INSERT INTO gaps (first, last, events, reason, time_us) VALUES (?, ?, ?, ?, ?)",
			g.First, g.Last, g.Events, string(g.Reason), g.Time.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// A conflict is an event that is there already: a duplicate, or a batch that was
// on disk although its commit failed.
const insertEvent = `INSERT INTO events (seq, time_us, logged_us, kind, key, stamp, state, node, body)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

// append writes one batch.
func (s *store) append(b batch, now time.Time) error {
	reserved := max(s.reserved, b.last+reserveAhead)
	err := s.transact(func(tx *sql.Tx) error {
		if b.saveGaps {
			if err := putGaps(tx, b.gaps); err != nil {
				return err
			}
		}
		if b.last+reserveAhead/2 > s.reserved {
			if _, err := tx.Exec("UPDATE log SET reserved = ?", reserved); err != nil {
				return err
			}
		}
		return insert(tx, b.events, now)
	})
	if err == nil && b.last+reserveAhead/2 > s.reserved {
		s.reserved = reserved
	}
	return err
}

func insert(tx *sql.Tx, events []telemetry.Event, now time.Time) error {
	if len(events) == 0 {
		return nil
	}
	statement, err := tx.Prepare(insertEvent)
	if err != nil {
		return err
	}
	defer statement.Close()
	for i := range events {
		e := &events[i]
		body, err := json.Marshal(e.API())
		if err != nil {
			return fmt.Errorf("write event %d: %w", e.Seq, err)
		}
		id := e.ID()
		if _, err := statement.Exec(e.Seq, e.Time.UnixMicro(), now.UnixMicro(), string(id.Kind), string(id.Key), int64(id.Stamp), id.State,
			id.Node, string(body)); err != nil {
			return err
		}
	}
	return nil
}

// page reads some events after one position and up to another, none if there
// are none. They are shared: do not change them.
func (s *store) page(ctx context.Context, after, through uint64) ([]telemetry.Event, error) {
	return s.pages.at(ctx, after, func() ([]telemetry.Event, error) {
		// Not with the context of the one who happens to come first.
		return s.query(s.ctx, "SELECT seq, body FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", after, through, pageEvents)
	})
}

func (s *store) query(ctx context.Context, query string, args ...any) ([]telemetry.Event, error) {
	release, err := s.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []telemetry.Event
	for rows.Next() {
		var seq uint64
		var body sql.RawBytes
		if err := rows.Scan(&seq, &body); err != nil {
			return nil, err
		}
		e, err := decode(seq, body)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

func decode(seq uint64, body []byte) (telemetry.Event, error) {
	var a api.Event
	err := json.Unmarshal(body, &a)
	if err == nil {
		var e telemetry.Event
		if e, err = telemetry.EventFromAPI(a); err == nil {
			e.Seq = seq
			return e, nil
		}
	}
	return telemetry.Event{}, sqlitefile.CorruptError(fmt.Sprintf("event %d: %v", seq, err))
}
