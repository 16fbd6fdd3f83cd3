//go:build cgo

package sqlitefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
)

// SetAside renames a damaged file out of the way, with its log, and returns its
// new name. SQLite can open it under that name, for what is left of it. Do it while
// the file is open, because SQLite deletes the log on closing.
func SetAside(file string, now time.Time) (string, error) {
	aside := file + ".corrupt-" + now.UTC().Format("20060102T150405.000000000Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(file+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("set the damaged file aside: %w", err)
		}
	}
	return aside, nil
}

// Writable tells whether this process may write a file or a directory.
func Writable(path string) error {
	const write = 2 // W_OK of access(2)
	if err := syscall.Access(path, write); err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// A CorruptError is damage that SQLite does not report as an error.
type CorruptError string

func (e CorruptError) Error() string { return "the database is damaged: " + string(e) }

// IsCorrupt reports whether the file is not, or no longer, a sound database.
func IsCorrupt(err error) bool {
	if _, ok := errors.AsType[CorruptError](err); ok {
		return true
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB)
}

// IsFull reports whether the disk, or the file's limit, has no room.
func IsFull(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && e.Code == sqlite3.ErrFull
}

// Advice is what to do about an error whose cause is the place of the file, with
// the setting that names it; "" if there is none. What becomes of damaged files and
// full disks is for who uses the file to say.
func Advice(err error, setting string) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "give this user write permission there, or choose another " + setting
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only; remount it or choose another " + setting
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "something there is a file and no directory; choose another " + setting
	case errors.Is(err, syscall.ENOSPC):
		return "free space on this disk"
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return ""
	}
	switch e.Code {
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
