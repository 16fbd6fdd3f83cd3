//go:build cgo

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fleetfuse/internal/sqlitefile"
)

// inspect looks at a file before SQLite does, which would say "unable to open"
// to everything, make the target of a link to nowhere, and open what it may not
// write. The info is nil if there is no file yet.
func inspect(file, setting string) (os.FileInfo, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, absent(file, setting)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("this is a directory: name a file in %s, or move it away", setting)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("this is no regular file (%v): choose another %s", info.Mode().Type(), setting)
	}
	return info, sqlitefile.Writable(file)
}

// absent says why a file that is not there cannot be made, nil if it can.
func absent(file, setting string) error {
	if err := dangling(file, setting); err != nil {
		return err
	}
	dir := filepath.Dir(file)
	if err := dangling(dir, setting); err != nil {
		return err
	}
	err := sqlitefile.Writable(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the directory %s does not exist: make it, or choose another %s", dir, setting)
	}
	return err
}

// dangling reports a link to nowhere.
func dangling(path, setting string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	target, err := os.Readlink(path)
	if err != nil {
		return nil
	}
	return fmt.Errorf("%s is a link to %s, which does not exist: make or mount that, or choose another %s", path, target, setting)
}
