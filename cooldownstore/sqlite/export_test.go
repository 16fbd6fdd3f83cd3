//go:build cgo

package sqlite

// WithMaxPages bounds the file, so that a test can fill the disk.
func WithMaxPages(n int) Option { return func(o *options) { o.maxPages = n } }

// WithMost bounds a listing of a shared file.
func WithMost(rows int) Option { return func(o *options) { o.most = rows } }

// WithRemote says what kind of network file system every path is on.
func WithRemote(kind string) Option {
	return func(o *options) { o.remote = func(string) string { return kind } }
}

// What tests look into.
const (
	PruneEvery = pruneEvery
	MaxPruned  = maxPruned
)

// The queries, for their plans.
var (
	NewsQuery   = newsQuery
	TheirsQuery = eachTheirs
)
