//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// A part of a listing is a query, and how its rows are read into an R.
type part[R any] struct {
	query string
	args  []any
	scan  func(*R, *sql.Rows) error
}

// snapshot calls use with the rows of all parts, as they are at one moment,
// until it returns false. The row is used again.
func snapshot[R any](ctx context.Context, db *sql.DB, parts []part[R], use func(*R) bool) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err != nil {
			conn.Raw(func(any) error { return driver.ErrBadConn }) // it must not go on reading what was then
		}
	}()
	for _, p := range parts {
		more, err := p.read(ctx, conn, use)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (p part[R]) read(ctx context.Context, conn *sql.Conn, use func(*R) bool) (more bool, err error) {
	rows, err := conn.QueryContext(ctx, p.query, p.args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var r R
	for rows.Next() {
		if err := p.scan(&r, rows); err != nil {
			return false, err
		}
		if !use(&r) {
			return false, nil
		}
	}
	return true, rows.Err()
}
