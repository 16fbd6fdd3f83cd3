package sharing

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
)

// Owed is what the owner of a key tells the place of what it believes, and false
// if that is nothing. A clear asks for a listing too: what it ended is to be
// remembered.
func Owed(key breaker.Key, snap breaker.Snapshot) (part breaker.Snapshot, owed, relist bool) {
	part = cooldownstore.SharedPart(snap)
	owed = !part.Empty() && cooldownstore.Sharable(key)
	return part, owed, owed && part.Clear != 0
}

// Missing is what of a node's own entries a whole listing said nothing of: the
// place was flushed or lost its last writes, was away when it should have been
// told, or the key is this node's only now.
func Missing(seen map[breaker.Key]struct{}, own []spread.Entry, now breaker.Instant) (missing []spread.Entry) {
	for _, x := range own {
		if _, ok := seen[x.Key]; !ok && cooldownstore.Lacks(breaker.Snapshot{}, x.Snapshot, now) {
			missing = append(missing, x)
		}
	}
	return missing
}

// A Hearing is what the place said of this node's keys.
type Hearing struct {
	Entries  []spread.Shared // what spread is to Share
	outdated map[breaker.Key]bool
}

// Hear takes the words on keys that the node owns. A word of a clock that is days
// ahead, which observe refuses, is passed over. now and wall are the same moment
// on the two clocks.
func Hear(words []cooldownstore.SharedWord, now breaker.Instant, wall time.Time, owns func(breaker.Key) bool, observe func(breaker.Stamp) error) Hearing {
	h := Hearing{outdated: map[breaker.Key]bool{}}
	for _, w := range words {
		if owns(w.Key) && observe(w.Snapshot.MaxStamp()) == nil {
			h.Entries = append(h.Entries, spread.Shared{
				Entry: spread.Entry{Key: w.Key, Snapshot: w.ToSnapshot(now, wall)}, Covered: w.CoveredAt(now, wall),
			})
			h.outdated[w.Key] = w.Outdated
		}
	}
	return h
}

// Answer is what the place is to be told back once the Entries were shared: what
// the owner believes of a key and the place lacks, and after a whole listing also
// what ended of what it holds. Two clusters that differ about whether something
// ended take turns then, and not as fast as hints travel.
func (h *Hearing) Answer(now breaker.Instant, whole bool, believed func(breaker.Key) breaker.Snapshot) (answer []spread.Entry) {
	for _, x := range h.Entries {
		own := believed(x.Key)
		news := own // but for what a clear ended there, which this node may have to believe in for a while
		if len(x.Covered) > 0 {
			news.Cooldowns = slices.DeleteFunc(slices.Clone(own.Cooldowns), x.Covers)
		}
		if cooldownstore.Lacks(x.Snapshot, news, now) || h.outdated[x.Key] || whole && cooldownstore.Outlives(x.Snapshot, own, now) {
			answer = append(answer, spread.Entry{Key: x.Key, Snapshot: own})
		}
	}
	return answer
}
