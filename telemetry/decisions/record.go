//go:build cgo

package decisions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// A Record is one thing that the tuner did.
type Record struct {
	ID   string      // names it, on all nodes: 1 to 128 bytes
	At   time.Time   // kept in UTC, to the microsecond
	Key  breaker.Key // of the breaker; "" where it is about none
	Kind string      // 1 to 64 bytes
	Body []byte      // JSON, at most MaxBody bytes
}

// Limits of a Record.
const (
	MaxBody  = 64 << 10
	maxID    = 128
	maxKind  = 64
	maxAhead = 24 * time.Hour // as for stamps
)

// ErrBadRecord is returned for a record that is not taken.
var ErrBadRecord = errors.New("no record of a decision")

// checked returns the record as it is kept.
func (r Record) checked(now time.Time) (Record, error) {
	if r.Key != "" {
		if _, err := breaker.ParseKey(string(r.Key)); err != nil {
			return r, fmt.Errorf("%w: its key %.300q: %w", ErrBadRecord, r.Key, err)
		}
	}
	switch {
	case r.ID == "" || len(r.ID) > maxID:
		return r, fmt.Errorf("%w: its id has %d bytes, must have 1 to %d", ErrBadRecord, len(r.ID), maxID)
	case r.Kind == "" || len(r.Kind) > maxKind:
		return r, fmt.Errorf("%w: its kind has %d bytes, must have 1 to %d", ErrBadRecord, len(r.Kind), maxKind)
	case len(r.Body) > MaxBody:
		return r, fmt.Errorf("%w: its body has %d bytes, must have at most %d", ErrBadRecord, len(r.Body), MaxBody)
	case !json.Valid(r.Body):
		return r, fmt.Errorf("%w: its body is no JSON", ErrBadRecord)
	case r.At.After(now.Add(maxAhead)):
		return r, fmt.Errorf("%w: its time %v is more than %v ahead: check the clocks", ErrBadRecord, r.At, maxAhead)
	}
	r.At, r.Body = r.At.UTC().Truncate(time.Microsecond), bytes.Clone(r.Body)
	return r, nil
}

// newestFirst orders records; of one moment by ID.
func newestFirst(list []Record) {
	slices.SortFunc(list, func(a, b Record) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
}

// older reports whether r goes before o where there are too many.
func (r *Record) older(o *Record) bool {
	return cmp.Or(r.At.Compare(o.At), cmp.Compare(r.ID, o.ID)) < 0
}
