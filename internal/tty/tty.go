// Package tty tells whether somebody may be watching what is written.
package tty

import (
	"io"
	"os"
)

// Is reports whether w is a terminal. It is true for /dev/null too, where
// neither form nor colour does harm.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
