package cooldownstore

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// A Sighting is what SharedValues remembers of one deadline of another program.
// A process that starts again recalls it, or what a clear ended would look new:
// its program may say it again and again.
type Sighting struct {
	Key       breaker.Key   `json:"key"`
	UntilWall float64       `json:"until_wall"` // epoch seconds, as written
	At        time.Time     `json:"at,omitzero"`
	Stamp     breaker.Stamp `json:"stamp,string"`
	Covered   bool          `json:"covered,omitempty"` // a clear ended it
	About     bool          `json:"about,omitempty"`   // a member said so, to this process UntilWall is about when
}

// maxRecalled bounds the sightings that are kept; those that end last are.
const maxRecalled = 10_000

// Sightings lists what is remembered of the keys that matter and has not ended
// at a wall time, in one order.
func (v *SharedValues) Sightings(wall time.Time, matters func(breaker.Key) bool) []Sighting {
	var list []Sighting
	now := EpochSeconds(wall.Round(0))
	for _, s := range v.seen.all() {
		if s.UntilWall > now && matters(s.Key) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Sighting) int {
		return cmp.Or(cmp.Compare(b.UntilWall, a.UntilWall), strings.Compare(string(a.Key), string(b.Key)))
	})
	return list[:min(len(list), maxRecalled)]
}

// Recall takes in what Sightings listed in an earlier process.
func (v *SharedValues) Recall(list []Sighting) {
	for _, s := range list[:min(len(list), maxRecalled)] {
		v.seen.recall(s)
	}
}

func (s *sightings) all() (list []Sighting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, k := range s.keys {
		for _, d := range k.deadlines {
			list = append(list, Sighting{Key: key, UntilWall: d.until, At: d.at, Stamp: d.stamp, Covered: d.covered})
		}
		for _, until := range k.about {
			list = append(list, Sighting{Key: key, UntilWall: until, Covered: true, About: true})
		}
	}
	return list
}

func (s *sightings) recall(d Sighting) {
	if d.About {
		s.cover(d.Key, d.UntilWall)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key(d.Key).set(d.UntilWall, sighting{at: d.At, stamp: d.Stamp, covered: d.Covered})
}
