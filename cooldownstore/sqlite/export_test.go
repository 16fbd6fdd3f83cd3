//go:build cgo

package sqlite

// WithMaxPages bounds the file, so that a test can fill the disk.
func WithMaxPages(n int) Option { return func(o *options) { o.maxPages = n } }
