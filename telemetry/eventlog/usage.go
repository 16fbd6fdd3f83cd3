//go:build cgo

package eventlog

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Pages that are free are given back to the file system when they are many: the
// limit was lowered, or a storm is over. Some are kept for what comes.
const (
	minSlack    = 1024
	shrinkPages = 256 // in one step
)

// usage is how a file's pages are used.
type usage struct{ pages, free, pageBytes int64 }

func (u usage) used() int64 { return (u.pages - u.free) * u.pageBytes }

// slack reports whether the file has more free pages than it should.
func (u usage) slack() bool { return u.free > max(minSlack, u.pages/4) }

func (s *store) usage() (u usage, err error) {
	err = s.write.QueryRow("SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").
		Scan(&u.pages, &u.free, &u.pageBytes)
	return u, err
}

// oldest is the position of the last of the n oldest events or, with a time, of
// the last of those before the first that was written since; zero if there is none.
func (s *store) oldest(n int, since time.Time) (uint64, error) {
	if since.IsZero() {
		var seq uint64
		err := s.write.QueryRow("SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM events ORDER BY seq LIMIT ?)", n).Scan(&seq)
		return seq, err
	}
	rows, err := s.write.Query("SELECT seq, logged_us FROM events ORDER BY seq LIMIT ?", n)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var last uint64
	for rows.Next() {
		var seq uint64
		var logged int64
		if err := rows.Scan(&seq, &logged); err != nil {
			return 0, err
		}
		if logged >= since.UnixMicro() {
			break
		}
		last = seq
	}
	return last, rows.Err()
}

// prune deletes the events up to a position.
func (s *store) prune(through uint64) error {
	return s.transact(func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM events WHERE seq <= ?", through); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE log SET pruned = max(pruned, ?)", through)
		return err
	})
}

// shrink gives some free pages back, and reports whether there is more to give.
func (s *store) shrink(before usage) (more bool, err error) {
	// It gives back a page each time a row is asked for.
	rows, err := s.write.Query(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", shrinkPages))
	if err != nil {
		return false, err
	}
	for rows.Next() {
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return false, err
	}
	u, err := s.usage()
	return u.slack() && u.pages < before.pages, err
}
