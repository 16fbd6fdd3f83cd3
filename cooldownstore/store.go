// Package cooldownstore is the port to whatever remembers breakers across
// restarts. The adapters are in memory, sqlite and, later, redis; storetest is
// the contract all of them pass.
package cooldownstore

import (
	"context"
	"errors"
	"time"

	"fleetfuse/breaker"
)

// Durability is what a commit must survive.
type Durability uint8

// The durabilities.
const (
	// SurvivesKill is for evidence: kill -9 loses nothing, power loss may lose
	// the last batch.
	SurvivesKill Durability = iota
	// SurvivesPowerLoss is for an operator's word.
	SurvivesPowerLoss
)

// Errors a store's callers branch on.
var (
	// ErrNewerSchema is returned by Open for a database of a later version.
	ErrNewerSchema = errors.New("the database was written by a newer version")
	// ErrLocked is returned by Open when another node uses the directory.
	ErrLocked = errors.New("another node uses this data directory")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("store is closed")
)

// A Record is what is stored of one key: a breaker's snapshot with its
// deadlines as wall time plus duration.
type Record struct {
	Key       breaker.Key
	Snapshot  breaker.Snapshot // Instants in it are meaningless; the fields below replace them
	Wall      []time.Time      // deadline of each cooldown, same order
	Circuit   CircuitWall
	ClearKept time.Time
	Renewed   time.Time
	UpdatedAt time.Time
}

// CircuitWall holds the instants of a circuit as wall time; zero stays zero.
type CircuitWall struct {
	Until     time.Time
	Length    time.Duration // what remains is clamped to it
	FirstTrip time.Time
	Keep      time.Time
}

// A Store keeps records. All methods are safe for concurrent use, honour the
// context, and return an error that names the operation and the key.
type Store interface {
	// Load returns the record of a key, and false if there is none.
	Load(ctx context.Context, key breaker.Key) (Record, bool, error)
	// Save replaces the records of their keys in one atomic step. A record
	// whose snapshot is empty deletes the key's.
	Save(ctx context.Context, records []Record, d Durability) error
	// Each calls yield with every record until it returns false, in no order.
	Each(ctx context.Context, yield func(Record) bool) error
	// Meta and SetMeta keep a small value of the node's own: its id, seeds.
	Meta(ctx context.Context, name string) (string, error)
	SetMeta(ctx context.Context, name, value string) error
	// Kind names the adapter in listings: "sqlite", "memory".
	Kind() string
	// Close releases everything. A second Close does nothing.
	Close() error
}

// FromSnapshot makes the record of a snapshot. now and wall are the same
// moment on the two clocks.
func FromSnapshot(key breaker.Key, s breaker.Snapshot, now breaker.Instant, wall time.Time) Record {
	at := func(i breaker.Instant) time.Time {
		if i == 0 {
			return time.Time{}
		}
		return wall.Add(i.Sub(now))
	}
	r := Record{Key: key, Snapshot: s.Clone(), ClearKept: at(s.ClearKept), Renewed: at(s.Renewed), UpdatedAt: wall}
	for _, c := range s.Cooldowns {
		r.Wall = append(r.Wall, at(c.Until))
	}
	r.Circuit = CircuitWall{Until: at(s.Circuit.Until), FirstTrip: at(s.Circuit.FirstTrip), Keep: at(s.Circuit.Keep)}
	if s.Circuit.State == breaker.Open && s.Circuit.Until > now {
		r.Circuit.Length = s.Circuit.Until.Sub(now)
	}
	return r
}

// ToSnapshot reads the record at a moment. What remains of a deadline is
// clamped to its length, so that a wall clock that was set back cannot stretch
// it; every cooldown is marked as read from disk. A part whose deadline passed
// 10 minutes ago or more is gone.
func (r Record) ToSnapshot(now breaker.Instant, wall time.Time) breaker.Snapshot {
	at := func(t time.Time, clamp time.Duration) breaker.Instant {
		if t.IsZero() {
			return 0
		}
		return now.Add(min(t.Sub(wall), clamp))
	}
	s := r.Snapshot.Clone()
	for i := range s.Cooldowns {
		c := &s.Cooldowns[i]
		c.Until = at(r.Wall[i], c.Length)
		c.Disk = true
	}
	s.Circuit.Until = at(r.Circuit.Until, max(r.Circuit.Length, 0))
	s.Circuit.FirstTrip = at(r.Circuit.FirstTrip, 0)
	s.Circuit.Keep = at(r.Circuit.Keep, breaker.MaxOpen)
	s.ClearKept = at(r.ClearKept, breaker.KeepClear)
	s.Renewed = at(r.Renewed, 0)
	s.Forget(now)
	return s
}
