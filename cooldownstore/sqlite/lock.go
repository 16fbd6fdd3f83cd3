//go:build cgo

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"fleetfuse/cooldownstore"
)

const maxPIDBytes = 20

// lockDir makes this process the only one to use a data directory. The lock
// ends with the process, however it ends; the file stays, because removing it
// would let two processes lock two files of that name.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, explain(err, "lock the data directory", dirSetting)
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		defer f.Close()
		return nil, fmt.Errorf("%s: %w: process %s holds %s; stop it or choose another --data-dir",
			dir, cooldownstore.ErrLocked, holder(f), path)
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := writePID(f); err != nil {
		f.Close()
		return nil, explain(err, "lock the data directory", dirSetting)
	}
	return f, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// holder is the pid in a lock file, for people.
func holder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, maxPIDBytes))
	pid := strings.TrimSpace(string(b))
	if err != nil || pid == "" {
		return "(unknown)"
	}
	return pid
}
