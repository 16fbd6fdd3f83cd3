//go:build cgo

package sqlite

import "fmt"

// Warnings says what is wrong with the place of the data directory, for an
// operator: nothing fails because of it, yet.
func (s *Store) Warnings() []string { return warnRemote(s.file, dirSetting, s.remote) }

func warnRemote(file, setting string, remote func(path string) string) []string {
	kind := remote(file)
	if kind == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s is on a network file system, %s: SQLite may lose or damage what is written there; name a local disk in %s",
		file, kind, setting)}
}
