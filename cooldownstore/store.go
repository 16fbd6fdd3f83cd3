// Package cooldownstore has the ports to what remembers breakers across restarts
// (Store: adapters in memory and sqlite, their contract storetest) and to what
// clusters and other programs share (Shared: adapters in memory, sqlite and redis,
// their contract sharetest). Behind writes to a Store without making callers wait.
package cooldownstore

import (
	"context"
	"errors"

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

// A Store keeps records. All methods are safe for concurrent use, honour the
// context, and return an error that names the operation and the key.
type Store interface {
	// Load returns the record of a key, and false if there is none.
	Load(ctx context.Context, key breaker.Key) (Record, bool, error)
	// Save replaces the records of their keys in one atomic step. A record
	// whose snapshot is empty deletes the key's. Where other programs may
	// write too, a deadline of theirs that the record does not know of and
	// that ends later survives: it is news, to be read and adopted.
	Save(ctx context.Context, records []Record, d Durability) error
	// Each calls yield with every record until it returns false, in no order.
	// Yield may call the store.
	Each(ctx context.Context, yield func(Record) bool) error
	// News calls yield with the cooldowns that other programs wrote, that run and
	// that no record has taken in yet, each as a record of its own, until it
	// returns false. A record without any says that another program wrote over a
	// cooldown of ours that runs. What News has yielded it yields again until a
	// Save of the key has taken it in or overwritten it. Yield may call the store.
	News(ctx context.Context, yield func(Record) bool) error
	// Overlays lists the overlays of a key that were saved, those of a record
	// that was replaced too, the latest first: the history of its policy.
	Overlays(ctx context.Context, key breaker.Key) ([]OverlayRecord, error)
	// Meta and SetMeta keep a small value of the node's own: its id, seeds.
	// An unknown name has the value "". What SetMeta stored survives power loss.
	Meta(ctx context.Context, name string) (string, error)
	SetMeta(ctx context.Context, name, value string) error
	// Kind names the adapter in listings: "sqlite", "memory".
	Kind() string
	// Close releases everything. A second Close does nothing.
	Close() error
}
