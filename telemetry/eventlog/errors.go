//go:build cgo

package eventlog

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// corruptError is a finding of our own.
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

// explain adds where an error happened and what to do about it.
func explain(err error, file string) error {
	if err == nil {
		return nil
	}
	if advice := advise(err); advice != "" {
		return fmt.Errorf("event log %s: %w: %s", file, err, advice)
	}
	return fmt.Errorf("event log %s: %w", file, err)
}

func advise(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "give this user write permission there, or choose another --data-dir"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only; remount it or choose another --data-dir"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "something there is a file and no directory; choose another --data-dir"
	case errors.Is(err, ErrNewerSchema):
		return "run the newer fleetfuse-node again, or move this file away: a new one is made then"
	case isCorrupt(err):
		return "it is set aside, and a new one made"
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return ""
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return "free space on this disk; events are kept in memory meanwhile, as many as fit"
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen:
		return "check that this user may write the file and its directory, or choose another --data-dir"
	case sqlite3.ErrIoErr:
		return "check the disk (dmesg) and that the file system is local"
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return "another program holds it locked for seconds; find it (fuser) and let it commit sooner"
	}
	return ""
}
