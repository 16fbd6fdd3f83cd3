//go:build cgo

package history

import (
	"time"

	"fleetfuse/telemetry/rollup"
)

// settled is the latest bucket as far as the wall clock is believed. What is too old
// goes by it: a clock that stood a week ahead for a minute must not take a week along.
type settled struct {
	bucket rollup.Bucket
	at     time.Time // when that was, which no step of the wall clock moves
	ahead  time.Time // since when the clock has been ahead of that; zero: it is not
}

// A clock that is ahead by more than leap is believed when it has been for so long.
const (
	leap     = rollup.Bucket(time.Hour / rollup.Width)
	believed = time.Hour
)

// take looks at the latest bucket, 0 if there was none, and answers up to which one is
// believed. The first one is.
func (s *settled) take(latest rollup.Bucket, now time.Time) rollup.Bucket {
	due := s.bucket + rollup.Bucket(now.Sub(s.at)/rollup.Width)
	if s.bucket == 0 || latest <= due+leap {
		*s = settled{bucket: latest, at: now}
		return latest
	}
	if s.ahead.IsZero() {
		s.ahead = now
	}
	if now.Sub(s.ahead) < believed {
		return due
	}
	*s = settled{bucket: latest, at: now}
	return latest
}
