//go:build cgo

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"fleetfuse/cooldownstore"
)

// The settings that name a file, for advice.
const (
	dirSetting    = "--data-dir"
	sharedSetting = "--cooldown-store"
)

// corruptError is what PRAGMA quick_check found.
type corruptError string

func (e corruptError) Error() string { return "the database is damaged: " + string(e) }

// isCorrupt reports whether the file is not, or no longer, a sound database.
func isCorrupt(err error) bool {
	if _, ok := errors.AsType[corruptError](err); ok {
		return true
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB)
}

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
	case errors.Is(err, fs.ErrPermission):
		return "give this user write permission there, or choose another " + setting
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only; remount it or choose another " + setting
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "something there is a file and no directory; choose another " + setting
	case errors.Is(err, syscall.ENOSPC):
		return "free space on this disk"
	case isCorrupt(err):
		return "stop every program that uses it and move it away; a new one is made then"
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return ""
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return "free space on this disk; what is not written is kept in memory and retried"
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		return "give this user write permission to the file and its directory, or choose another " + setting
	case sqlite3.ErrCantOpen:
		return "check that this user may write the file and its directory, or choose another " + setting
	case sqlite3.ErrIoErr:
		return "check the disk (dmesg) and that the file system is local"
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return "another program holds it locked for seconds; find it (fuser) and let it commit sooner"
	}
	return ""
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
