//go:build cgo

package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"

	"fleetfuse/cooldownstore"
	"fleetfuse/internal/sqlitefile"
)

// The settings that name a file, for advice.
const (
	dirSetting    = "--data-dir"
	sharedSetting = "--cooldown-store"
)

func isBusy(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && e.Code == sqlite3.ErrBusy
}

// explain adds where an error happened and what to do about it, with the
// setting that can be changed.
func explain(err error, where, setting string) error {
	if advice := advise(err, setting); advice != "" {
		return fmt.Errorf("%s: %w: %s", where, err, advice)
	}
	return fmt.Errorf("%s: %w", where, err)
}

func advise(err error, setting string) string {
	switch {
	case sqlitefile.IsCorrupt(err):
		return "stop every program that uses it and move it away; a new one is made then"
	case sqlitefile.IsFull(err):
		return "free space on this disk; what is not written is kept in memory and retried"
	}
	return sqlitefile.Advice(err, setting)
}

// fail turns an error of an operation into what the caller sees.
func (s *Store) fail(ctx context.Context, op string, err error) error {
	switch {
	case s.closed.Load():
		err = cooldownstore.ErrClosed
	case ctx.Err() != nil:
		err = ctx.Err() // the driver's own word for it is "interrupted"
	default:
		err = explain(err, s.file, dirSetting)
	}
	return fmt.Errorf("%s: %w", op, err)
}
