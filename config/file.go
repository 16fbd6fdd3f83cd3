package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxFileBytes bounds a configuration file: room for a million hosts.
const maxFileBytes = 64 << 20

// ReadFile reads a file that people wrote, of at most limit bytes. A pipe or a
// device, which may never end, is refused.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	var wrong *os.PathError
	switch {
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("read %s: %w", path, wrong.Err)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("read %s: is a directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read %s: is no file but a pipe or a device; write it to a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text bytes.Buffer
	text.Grow(int(min(info.Size(), limit)) + bytes.MinRead)
	if _, err := text.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	if int64(text.Len()) > limit {
		return nil, fmt.Errorf("read %s: longer than %d MiB", path, limit>>20)
	}
	return text.Bytes(), nil
}
