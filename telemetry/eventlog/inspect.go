//go:build cgo

package eventlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fleetfuse/internal/sqlitefile"
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
		return sqlitefile.Writable(dir)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("this is no regular file (%v): move it away, or choose another --data-dir", info.Mode().Type())
	}
	return errors.Join(sqlitefile.Writable(file), sqlitefile.Writable(dir))
}
