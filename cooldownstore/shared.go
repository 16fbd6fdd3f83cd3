package cooldownstore

import (
	"context"
	"errors"
	"time"

	"fleetfuse/breaker"
)

// A Shared is where clusters share cooldowns and operators' opens with each
// other and with other programs. Circuits never go there. All methods are safe
// for concurrent use, honour the context and return an error that names the
// operation; an error of Put and Load names the key too.
type Shared interface {
	// Put joins words into what is there, each key in one atomic step and
	// with the merge of SharedWord.Merge. What another program wrote with a
	// later deadline survives, a shorter one of theirs is overwritten. After
	// an error some of the words may have been written: putting them again is
	// harmless. A word that has ended long ago is not written.
	Put(ctx context.Context, words []SharedWord) error
	// Load returns what is there of one key, and false if there is nothing
	// that can be read.
	Load(ctx context.Context, key breaker.Key) (SharedWord, bool, error)
	// LoadAll calls yield with what is there of some keys, as Load does but in
	// one go.
	LoadAll(ctx context.Context, keys []breaker.Key, yield func(SharedWord)) error
	// Each calls yield with everything there is, each key once, until it
	// returns false. The listing is the truth about what is there; a key that
	// is absent says nothing. Values that cannot be read are passed over. Beyond
	// MaxShared it fails with ErrTooMany. Yield may call the Shared.
	Each(ctx context.Context, yield func(SharedWord) bool) error
	// Hints calls changed with keys that somebody changed, this handle
	// included, until ctx ends, Close is called or the connection is lost; then
	// it returns why. First it calls changed with the empty key: from now on it
	// listens, so a listing begun now misses nothing. It is best effort: only
	// programs that announce their changes are heard.
	Hints(ctx context.Context, changed func(breaker.Key)) error
	// Check says what is wrong with the place itself, for an operator: an
	// error if it cannot be used, warnings if it can but may lose what it was
	// given or holds what nobody can read.
	Check(ctx context.Context) (warnings []string, err error)
	// Values is what the handle remembers of other programs' deadlines.
	Values() *SharedValues
	// Kind names the adapter in listings: "redis", "sqlite", "memory".
	Kind() string
	// String is the place as --cooldown-store names it, without secrets.
	String() string
	// Close ends Hints and releases everything. A second Close does nothing.
	Close() error
}

// MaxShared bounds what a listing of a shared place looks at, five times what a
// node's view holds: other programs need not tidy up, and each node keeps in memory
// what it has seen of a listing.
const MaxShared = 1_000_000

// ErrTooMany is returned by Shared.Each where there is more than MaxShared.
var ErrTooMany = errors.New("no node reads so many")

// A SharedWord is what is shared of one key: cooldowns, and the clear that
// ended earlier ones. It is a Record, so that deadlines turn into wall time
// plus duration and back, and are clamped, in one place for all stores; its
// circuit and Renewed are zero, for they never leave a cluster. For the same
// reason whoever adopts a word's clear applies it to cooldowns only.
type SharedWord struct {
	Record
	// Covered are deadlines of other programs that Clear ended, as they wrote
	// them (until_wall, epoch seconds). They are never adopted again, however
	// often their program repeats them.
	Covered []float64
	// Outdated says that other programs read less there than the word says, or
	// again what a clear ended: who holds more is to put it once more, or they
	// would call the host, or who starts later would take it for news.
	Outdated bool
}

// Silent reports whether a word says nothing at all.
func (w SharedWord) Silent() bool { return w.Snapshot.Empty() && !w.Outdated }

// CoveredAt is Covered on the clock that never steps. now and wall are the same
// moment on the two clocks.
func (w SharedWord) CoveredAt(now breaker.Instant, wall time.Time) (at []breaker.Instant) {
	for _, until := range w.Covered {
		at = append(at, now.Add(FromEpochSeconds(until).Sub(wall.Round(0))))
	}
	return at
}

// SharedPart is what of a snapshot is shared.
func SharedPart(s breaker.Snapshot) breaker.Snapshot {
	s.Circuit, s.Renewed, s.Overlays = breaker.Circuit{}, 0, nil
	return s
}

// ShareSnapshot makes the word of what of a snapshot is shared. now and wall
// are the same moment on the two clocks.
func ShareSnapshot(key breaker.Key, s breaker.Snapshot, now breaker.Instant, wall time.Time) SharedWord {
	return SharedWord{Record: FromSnapshot(key, SharedPart(s), now, wall)}
}

// An Outbox lets a Behind write to a place: what is put into it waits while the
// place is away, at most as many keys as the Behind's limit, the longest
// deadlines of all.
type Outbox struct{ Shared }

// Save implements Saver. What is shared survives what its place survives.
func (o Outbox) Save(ctx context.Context, records []Record, _ Durability) error {
	words := make([]SharedWord, len(records))
	for i, r := range records {
		words[i] = SharedWord{Record: r}
	}
	return o.Put(ctx, words)
}

// SharedKeys names the keys of words in an error text: the first, and how many
// more.
func SharedKeys(words []SharedWord) string {
	records := make([]Record, len(words))
	for i, w := range words {
		records[i] = w.Record
	}
	return Keys(records)
}
