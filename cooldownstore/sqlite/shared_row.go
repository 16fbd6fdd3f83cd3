//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// foundColumns selects a row as sharedRow has it, ourColumns one that is as we
// wrote it. What nobody reads, because it is too long or of another type, does
// not leave the file.
var (
	hostColumn   = `iif(typeof(host) = 'text' AND octet_length(host) <= 512, host, ''), `
	foundColumns = hostColumn + fmt.Sprintf(`iif(typeof(until_wall) IN ('real', 'integer'), until_wall, NULL),
		iif(octet_length(reason) <= %[1]d, reason, NULL), updated_at + 0.0,
		iif(octet_length(more) <= %[1]d, more, NULL), shown, expires_at,
		ifnull(octet_length(reason), 0) + ifnull(octet_length(more), 0) FROM breaker_cooldowns`, cooldownstore.MaxSharedBytes)
	ourColumns = hostColumn + fmt.Sprintf(`iif(octet_length(more) <= %d, more, NULL), shown, expires_at FROM breaker_cooldowns`,
		cooldownstore.MaxSharedBytes)
)

// A sharedRow is what was found of a key. Other programs write there too, so a
// column may hold any type.
type sharedRow struct {
	host                                         string
	until, reason, updated, more, shown, expires any
	bytes                                        int64
}

func (r *sharedRow) scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.host, &r.until, &r.reason, &r.updated, &r.more, &r.shown, &r.expires, &r.bytes)
}

func (r *sharedRow) scanTheirs(rows *sql.Rows) error { return r.scan(rows) }

func (r *sharedRow) scanOurs(rows *sql.Rows) error {
	if err := rows.Scan(&r.host, &r.more, &r.shown, &r.expires); err != nil {
		return err
	}
	r.until = r.shown
	return nil
}

// read is the row as a value, and what it has left; see
// cooldownstore.SharedPlace. The zero value is a row that says nothing, or no
// longer does. An error says what of it was passed over.
func (r *sharedRow) read(now time.Time) (v cooldownstore.SharedRow, left time.Duration, err error) {
	if r.bytes > cooldownstore.MaxSharedBytes {
		return v, 0, fmt.Errorf("more than %d bytes long", cooldownstore.MaxSharedBytes)
	}
	until, isNumber := number(r.until)
	if !isNumber {
		err = errors.New("until_wall is no number")
	}
	shown, hasShown := number(r.shown)
	theirs := !hasShown || shown != until
	expires, expiring := number(r.expires)
	wall := cooldownstore.EpochSeconds(now)
	alive := expiring && expires > wall
	if expiring && !alive && !theirs {
		return v, 0, nil
	}
	if theirs && until < wall-cooldownstore.KeepEnded.Seconds() {
		if until = 0; !alive {
			return v, 0, err
		}
	}
	v = cooldownstore.SharedRow{UntilWall: until, Reason: text(r.reason)}
	v.UpdatedAt, _ = number(r.updated)
	left = -1
	if alive {
		left = time.Duration(min(expires-wall, breaker.KeepClear.Seconds()) * float64(time.Second))
	}
	if alive || !expiring {
		v.More = text(r.more)
	}
	return v, left, err
}

// found looks for the row of a host; sql.ErrNoRows becomes the zero row.
func found(ctx context.Context, find *sql.Stmt, host string) (r sharedRow, err error) {
	err = r.scan(find.QueryRowContext(ctx, host))
	if errors.Is(err, sql.ErrNoRows) {
		return sharedRow{}, nil
	}
	return r, err
}
