package cooldownstore

import (
	"fmt"
	"time"

	"fleetfuse/breaker"
)

// A SharedRow is a value in columns, for a place that is a table. Another
// program writes UntilWall, Reason and UpdatedAt only. Author and Detail are for
// people: they are written and not read.
type SharedRow struct {
	UntilWall, UpdatedAt   float64 // epoch seconds
	Reason, Author, Detail string
	More                   string // JSON of ours, see EncodeMore
}

func (r SharedRow) value() sharedValue {
	v := sharedValue{UntilWall: r.UntilWall, Reason: r.Reason, updatedAt: r.UpdatedAt}
	if m, ok := decodeMore(r.More, make([]sharedCooldown, 0, 1)); ok {
		v.More = &m
	}
	return v
}

// ReadRow is Read for a row. Where another program dates its deadline, it counts
// from then.
func (v *SharedValues) ReadRow(key breaker.Key, row SharedRow, wall time.Time) (SharedWord, error) {
	return v.read(key, row.value(), wall.Round(0))
}

// WriteRow is Write for a row that was found, the zero row if none was, with
// what it has left: see SharedPlace. The time to live is 0 if there is nothing
// to change.
func (v *SharedValues) WriteRow(word SharedWord, found SharedRow, left time.Duration, wall time.Time) (row SharedRow, ttl time.Duration, err error) {
	wall = wall.Round(0)
	there := found != SharedRow{}
	old := SharedWord{Record: Record{Key: word.Key}}
	if there {
		old, _ = v.ReadRow(word.Key, found, wall) // what cannot be read is overwritten
	}
	merged, ttl, err := v.merge(word, old, left, there, wall)
	if err != nil || ttl <= 0 {
		return SharedRow{}, 0, err
	}
	value := valueOf(&merged)
	row = SharedRow{UntilWall: value.UntilWall, Reason: value.Reason, Author: value.Author, Detail: value.Detail, UpdatedAt: EpochSeconds(wall)}
	if row.More, err = value.More.encode(); err != nil {
		return SharedRow{}, 0, fmt.Errorf("write %s: %w", word.Key, err)
	}
	same := row.UntilWall == found.UntilWall && row.Reason == found.Reason && row.More == found.More
	if same && left > 0 && ttl < left+refresh {
		return SharedRow{}, 0, nil
	}
	return row, ttl, nil
}
