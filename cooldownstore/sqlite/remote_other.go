//go:build cgo && !linux

package sqlite

// remote names the kind of network file system that a path is on. Here nobody
// can tell.
func remote(string) string { return "" }
