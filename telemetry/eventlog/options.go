//go:build cgo

package eventlog

import "time"

// Defaults of Options.
const (
	DefaultDelay    = 50 * time.Millisecond
	DefaultBuffer   = 65_536
	DefaultMaxAge   = 7 * 24 * time.Hour
	DefaultMaxBytes = 256 << 20
)

// Options of a log. The zero value of each field stands for its default.
type Options struct {
	// Delay is how long an event may wait for its write.
	Delay time.Duration
	// Buffer is how many events are held in memory, for followers and until they
	// are written: about 600 bytes each, taken as they come.
	Buffer int
	// MaxAge is how long an event is kept on disk after it was written.
	MaxAge time.Duration
	// MaxBytes bounds what is kept on disk; the oldest go. The file and its log
	// are some megabytes larger.
	MaxBytes int64
	// Now reads the wall clock.
	Now func() time.Time
	// OnHealth, if not nil, is told when OK, Dropped or SetAside changed, one call
	// at a time. It may call Append, not Close or Flush.
	OnHealth func(Health)

	maxPages int // of the file, in tests: a disk that is full
}

func (o Options) withDefaults() Options {
	if o.Delay <= 0 {
		o.Delay = DefaultDelay
	}
	if o.Buffer <= 0 {
		o.Buffer = DefaultBuffer
	}
	if o.MaxAge <= 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Health says how a log does.
type Health struct {
	// OK is true while events reach the disk, or there is to be none.
	OK    bool
	Since time.Time // when OK last changed
	Err   error     // of the last attempt, nil if OK
	// SetAside is where a damaged file was put, "" if none was found.
	SetAside string

	Last       uint64 // the latest position
	Pending    int    // events in memory that are not on disk yet
	Appended   uint64
	Duplicates uint64 // not logged again
	// Dropped counts events that were not written, for followers only; a Gap says
	// which.
	Dropped uint64
	Bytes   int64 // kept on disk
	Waiting int   // followers that have everything
}
