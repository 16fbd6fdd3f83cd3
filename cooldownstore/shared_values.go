package cooldownstore

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// KeepEnded is how long a value outlives the deadline it shows, so that its
// running out is seen. Members remember longer that they knew it: one that read it
// again when they do not would take it for news.
const KeepEnded = 8 * time.Minute

// keepCleared is how long a clear outlives the value it took the place of, so
// that a copy still under way does not bring that back.
const keepCleared = time.Hour

// refresh is by how much a value must gain time to live to be written again
// unchanged.
const refresh = time.Minute

// SharedValues is what an adapter of Shared needs beside its transport: it
// reads and writes the documented JSON of a key, and remembers of other
// programs' deadlines what the JSON has no room for. It is safe for concurrent
// use; the zero value is ready.
type SharedValues struct{ seen sightings }

// Read reads the value of a key at a wall time. An error says why something of
// it was passed over; the word has the rest.
//
// A deadline of another program counts from when it was first seen here.
func (v *SharedValues) Read(key breaker.Key, value string, wall time.Time) (SharedWord, error) {
	found, err := decodeShared(value)
	if err != nil {
		return SharedWord{Record: Record{Key: key}}, err
	}
	return v.read(key, found, wall.Round(0))
}

// read is Read of a value in parts.
func (v *SharedValues) read(key breaker.Key, found sharedValue, wall time.Time) (SharedWord, error) {
	w, err := found.ownWord(key, wall)
	v.seen.note(w)
	w = v.seen.pin(w)
	w.Outdated = found.More != nil && found.UntilWall < found.More.Shown && w.runs(wall)
	if found.UntilWall <= 0 || found.More != nil && found.More.Shown == found.UntilWall {
		return w, err
	}
	if found.UntilWall > EpochSeconds(wall.Add(yearsAway)) {
		return w, errors.Join(err, errors.New("until_wall is years away: it is in seconds since 1970"))
	}
	theirs := Foreign{UntilWall: found.UntilWall, Reason: found.Reason, UpdatedAt: found.updatedAt}
	seen := wall
	if theirs.Dated(wall) {
		seen = FromEpochSeconds(theirs.UpdatedAt)
	}
	first := v.seen.first(key, found.UntilWall, seen)
	theirs.UpdatedAt = 0 // its author may date it anew: the first time counts
	c, until, written, ok := theirs.Cooldown(first.at)
	w.Outdated = w.Outdated || first.covered
	if !ok || first.covered {
		return w, err
	}
	c.Stamp = first.stamp
	news := SharedWord{Record: Record{Key: key, UpdatedAt: written, Wall: []time.Time{until}}}
	news.Snapshot.Cooldowns = []breaker.Cooldown{c}
	merged := w.Merge(news)
	merged.Outdated = w.Outdated
	if c.Stamp <= w.Snapshot.Clear {
		// The clear's author did not find it in the place and did not say that it ended
		// it: who reads it first later than that clear would take it for news.
		merged.Outdated = true
		v.seen.note(merged)
	}
	return merged, err
}

// runs reports whether a cooldown of the word has not ended.
func (w SharedWord) runs(wall time.Time) bool {
	return slices.ContainsFunc(w.Wall, func(until time.Time) bool { return until.After(wall) })
}

// Cover notes that a clear ended a deadline of another program which, as a member
// heard of it, is at about that wall time. Read again it is not taken for news.
func (v *SharedValues) Cover(key breaker.Key, until time.Time) {
	v.seen.cover(key, EpochSeconds(until.Round(0)))
}

// A SharedPlace is what an adapter found under a key.
type SharedPlace struct {
	Value string        // "" if absent or not readable
	Left  time.Duration // until it expires; 0 if absent, negative if it never does
}

// Write joins a word into what was found and returns what to write in its
// place, and how long that has to live. The value is "" if there is nothing to
// change.
func (v *SharedValues) Write(word SharedWord, found SharedPlace, wall time.Time) (value string, ttl time.Duration, err error) {
	old := SharedWord{Record: Record{Key: word.Key}}
	if found.Value != "" {
		old, _ = v.Read(word.Key, found.Value, wall) // what cannot be read is overwritten
	}
	merged, ttl, err := v.merge(word, old, found.Left, found.Value != "", wall.Round(0))
	if err != nil || ttl <= 0 {
		return "", 0, err
	}
	value, err = encodeShared(merged)
	if value == found.Value && found.Left > 0 && ttl < found.Left+refresh {
		return "", 0, err
	}
	return value, ttl, err
}

// merge joins a word into the old one, found in its place with that time left,
// and returns how long the result is to be kept, 0 if nothing is to be written.
func (v *SharedValues) merge(word, old SharedWord, left time.Duration, there bool, wall time.Time) (SharedWord, time.Duration, error) {
	if len(word.Wall) != len(word.Snapshot.Cooldowns) {
		return old, 0, fmt.Errorf("%s: word has %d cooldowns and %d deadlines", word.Key, len(word.Snapshot.Cooldowns), len(word.Wall))
	}
	if word.Snapshot.Empty() {
		return old, 0, nil
	}
	old.Covered = v.seen.covered(word.Key) // more than the value says if its program wrote over our clear
	old, word, over := withoutOver(old, v.seen.pin(word), wall)
	merged := old.Merge(word)
	v.seen.note(merged)
	ttl := merged.live(word, old, left, there, wall)
	if over && ttl <= 0 {
		ttl = KeepEnded // a value that never expires, else there is time left
	}
	return merged, ttl, nil
}

// withoutOver drops the cooldowns that ended KeepEnded ago as the word, which is
// to be joined into the old one, has it, and reports whether the old one had any.
// Its author may know by a clock that never steps, where the deadline was set by a
// wall clock that is ahead of others.
func withoutOver(old, word SharedWord, wall time.Time) (SharedWord, SharedWord, bool) {
	over := word.over(wall)
	if len(over) == 0 {
		return old, word, false
	}
	n := len(old.Snapshot.Cooldowns)
	old, word = old.without(over), word.without(over)
	return old, word, len(old.Snapshot.Cooldowns) < n
}

// over are the cooldowns of a word that ended KeepEnded ago. Of those of other
// programs the sightings know.
func (w SharedWord) over(wall time.Time) (over []breaker.Cooldown) {
	for i, c := range w.Snapshot.Cooldowns[:min(len(w.Snapshot.Cooldowns), len(w.Wall))] {
		if !isForeign(c) && !w.Wall[i].Add(KeepEnded).After(wall) {
			over = append(over, c)
		}
	}
	return over
}

// Over reports whether putting a word takes something away, if it is there.
func (w SharedWord) Over(wall time.Time) bool { return len(w.over(wall.Round(0))) > 0 }

// without is the word without some cooldowns.
func (w SharedWord) without(over []breaker.Cooldown) SharedWord {
	all, wall := w.Snapshot.Cooldowns, w.Wall
	w.Snapshot.Cooldowns, w.Wall = nil, nil
	for i, c := range all {
		if !slices.ContainsFunc(over, func(d breaker.Cooldown) bool { return same(c, d) }) {
			w.Snapshot.Cooldowns, w.Wall = append(w.Snapshot.Cooldowns, c), append(w.Wall, wall[i])
		}
	}
	return w
}

// live is how long a merged word is to be kept. What was found never loses
// time: it was given by the clock of the place, not by ours. It gains what the word
// has by the clock of its author, whatever other clocks made of a deadline that
// both have. What a clear ended is taken to have had the time to live that was found;
// where nothing was, it is not known and the clear stays for as long as it counts.
func (w SharedWord) live(word, old SharedWord, left time.Duration, there bool, wall time.Time) time.Duration {
	ttl := max(word.remaining(wall), left)
	if left < 0 {
		ttl = max(ttl, old.remaining(wall))
	}
	clear := w.Snapshot.Clear
	if clear == 0 || clear == old.Snapshot.Clear && left > 0 {
		return ttl
	}
	kept := min(w.ClearKept.Sub(wall), breaker.KeepClear)
	if there {
		ended := left
		if ended < 0 {
			ended = old.remaining(wall)
			for _, until := range w.Covered {
				ended = max(ended, FromEpochSeconds(until).Sub(wall))
			}
		}
		kept = min(kept, ended+keepCleared)
	}
	return max(ttl, kept)
}

// remaining is how long the word's cooldowns are of interest, 0 if none is.
func (w SharedWord) remaining(wall time.Time) (left time.Duration) {
	for i, c := range w.Snapshot.Cooldowns {
		until := min(w.Wall[i].Sub(wall), c.Length)
		if !w.UpdatedAt.IsZero() {
			until = min(until, w.Wall[i].Sub(w.UpdatedAt))
		}
		left = max(left, until+KeepEnded)
	}
	return left
}
