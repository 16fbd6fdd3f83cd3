package cooldownstore

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"fleetfuse/breaker"
)

// Limits of what is remembered of other programs' deadlines.
const (
	maxSightings       = 200_000 // keys
	maxSightingsPerKey = maxCovered
	maxLater           = 8 // stamps of one deadline: as many as cooldowns of a key
)

// sightings remembers when deadlines of other programs were first seen, and
// which of them a clear covered, so that reading one again makes it neither
// look new nor live again, also when its program wrote over our clear.
type sightings struct {
	mu   sync.Mutex
	keys map[breaker.Key]*sighted
	now  time.Time // the wall time last told, zero before the first
}

type sighted struct {
	clear     breaker.Stamp
	last      breaker.Stamp // given to a deadline
	deadlines []sighting
	about     []float64 // deadlines that a clear ended, as others place them
}

type sighting struct {
	until   float64 // epoch seconds, as written
	at      time.Time
	stamp   breaker.Stamp   // the earliest that anybody gave it
	later   []breaker.Stamp // others that somebody may still hold it under
	covered bool
}

// first is when and with which stamp a deadline was first seen. A deadline
// that is new here comes after every clear known of its key, even where that
// clear's author has a clock that is ahead of ours.
func (s *sightings) first(key breaker.Key, until float64, now time.Time) sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	k := s.key(key)
	if i := k.find(until); i >= 0 {
		d := &k.deadlines[i]
		if d.at.IsZero() { // known by hearsay
			d.at = now
		}
		return *d
	}
	k.last = max(breaker.StampAt(now), k.clear+1, k.last+1)
	d := sighting{until: until, at: now, stamp: k.last, covered: slices.ContainsFunc(k.about, isAbout(until))}
	k.forget(now)
	k.add(d)
	return d
}

func isForeign(c breaker.Cooldown) bool { return c.Setter == ForeignSetter }

// pin returns a word with the deadlines of other programs as they wrote them,
// and with the stamps of who is known to have seen them first. Since they were
// read the wall clock may have stepped, and turned into wall time again they
// would look like other deadlines.
func (s *sightings) pin(w SharedWord) SharedWord {
	if !slices.ContainsFunc(w.Snapshot.Cooldowns, isForeign) {
		return w
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[w.Key]
	if k == nil {
		return w
	}
	w.Record = w.Clone()
	for i := range w.Snapshot.Cooldowns {
		c := &w.Snapshot.Cooldowns[i]
		if !isForeign(*c) {
			continue
		}
		j := k.find(EpochSeconds(w.Wall[i]))
		if j < 0 {
			j = slices.IndexFunc(k.deadlines, func(d sighting) bool { return c.Stamp == d.stamp || slices.Contains(d.later, c.Stamp) })
		}
		if j < 0 || k.deadlines[j].at.IsZero() {
			continue
		}
		d := k.deadlines[j]
		if _, until, _, ok := (Foreign{UntilWall: d.until}).Cooldown(d.at); ok {
			c.Stamp, w.Wall[i] = d.stamp, until
		}
	}
	return w
}

// note takes over the clear of a word and what it covers, and the stamps of
// foreign deadlines that others saw before us.
func (s *sightings) note(w SharedWord) {
	if w.Snapshot.Clear == 0 && len(w.Covered) == 0 && !slices.ContainsFunc(w.Snapshot.Cooldowns, isForeign) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.key(w.Key)
	k.clear = max(k.clear, w.Snapshot.Clear)
	for i, c := range w.Snapshot.Cooldowns {
		if isForeign(c) {
			k.set(EpochSeconds(w.Wall[i]), sighting{at: w.UpdatedAt, stamp: c.Stamp})
		}
	}
	for _, until := range w.Covered {
		k.set(until, sighting{stamp: k.clear, covered: true})
	}
	k.forget(s.now)
}

// cover notes that a clear ended a deadline, which others who did not read it
// place about there.
func (s *sightings) cover(key breaker.Key, about float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, meant := s.key(key), isAbout(about)
	for i := range k.deadlines {
		k.deadlines[i].covered = k.deadlines[i].covered || meant(k.deadlines[i].until)
	}
	if len(k.about) >= maxSightingsPerKey {
		k.about = k.about[1:]
	}
	k.about = append(k.about, about)
}

// isAbout reports of a deadline whether it may be that one.
func isAbout(until float64) func(float64) bool {
	return func(other float64) bool {
		return breaker.SameForeign(wallInstant(FromEpochSeconds(until)), wallInstant(FromEpochSeconds(other)))
	}
}

// covered lists what clears of a key covered.
func (s *sightings) covered(key breaker.Key) (covered []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[key]; k != nil {
		for _, d := range k.deadlines {
			if d.covered {
				covered = append(covered, d.until)
			}
		}
	}
	return covered
}

// key must be called with mu held.
func (s *sightings) key(key breaker.Key) *sighted {
	k := s.keys[key]
	if k == nil {
		if s.keys == nil {
			s.keys = make(map[breaker.Key]*sighted)
		}
		if len(s.keys) >= maxSightings {
			s.evict()
		}
		k = new(sighted)
		s.keys[key] = k
	}
	return k
}

// evict forgets keys, so many at once that it is rarely called: those of which
// everything ended, then others of which nothing is covered, whose deadlines
// look new once more, which reading them again settles; and only if there are
// too few of them covered ones, which may then be adopted although a clear
// ended them.
func (s *sightings) evict() {
	enough := maxSightings - maxSightings/16
	for _, spare := range []func(sighting) bool{
		func(d sighting) bool { return !d.ended(s.now) },
		func(d sighting) bool { return d.covered },
		func(sighting) bool { return false },
	} {
		for key, k := range s.keys {
			if len(s.keys) <= enough {
				return
			}
			if !slices.ContainsFunc(k.deadlines, spare) {
				delete(s.keys, key)
			}
		}
	}
}

// ended reports whether a deadline ended so long ago that it need not be
// remembered: KeepEnded by the clock that is furthest behind. Ours may be
// ahead, or have stepped since we adopted it, and what we forget while it runs
// for others would move in the place, or be adopted although a clear ended it.
func (d sighting) ended(now time.Time) bool {
	return d.until < EpochSeconds(now.Add(-breaker.MaxStampLead-KeepEnded))
}

func (k *sighted) find(until float64) int {
	return slices.IndexFunc(k.deadlines, func(d sighting) bool { return d.until == until })
}

// set takes over what others know of a deadline. Once covered stays covered,
// and of two stamps the earlier stays.
func (k *sighted) set(until float64, d sighting) {
	i := k.find(until)
	if i < 0 {
		d.until = until
		k.add(d)
		return
	}
	known := &k.deadlines[i]
	known.covered = known.covered || d.covered
	before := known.stamp
	known.stamp = min(before, d.stamp)
	known.alias(before)
	if !d.covered { // else it is that of a clear
		known.alias(d.stamp)
	}
	known.at = earliest(known.at, d.at)
}

// alias remembers a stamp that is not the earliest.
func (d *sighting) alias(stamp breaker.Stamp) {
	if stamp != d.stamp && !slices.Contains(d.later, stamp) && len(d.later) < maxLater {
		d.later = append(d.later, stamp)
	}
}

// forget drops the deadlines that ended.
func (k *sighted) forget(now time.Time) {
	k.about = slices.DeleteFunc(k.about, func(until float64) bool { return sighting{until: until}.ended(now) })
	k.deadlines = slices.DeleteFunc(k.deadlines, func(d sighting) bool { return d.ended(now) })
}

// add makes room by forgetting the deadline that ends first.
func (k *sighted) add(d sighting) {
	if len(k.deadlines) >= maxSightingsPerKey {
		ends := func(a, b sighting) int { return cmp.Compare(a.until, b.until) }
		i := k.find(slices.MinFunc(k.deadlines, ends).until)
		k.deadlines = slices.Delete(k.deadlines, i, i+1)
	}
	k.deadlines = append(k.deadlines, d)
}
