//go:build cgo

package eventlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// inspect looks at a file before SQLite does, which would leave read-only files
// of its own beside one that it may not write, and say "unable to open" to
// everything else. It makes the directory if there is none.
func inspect(file string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writable(dir)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("this is no regular file (%v): move it away, or choose another --data-dir", info.Mode().Type())
	}
	return errors.Join(writable(file), writable(dir))
}

func writable(path string) error {
	const write = 2 // W_OK of access(2)
	if err := syscall.Access(path, write); err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}
