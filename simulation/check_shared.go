package simulation

import (
	"encoding/json"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// sharedChecks hold what the fleet and the shared store tell each other to the
// promises. They read the values of the store on their own.
type sharedChecks struct {
	world   *World
	known   map[cooldownID]bool           // cooldowns that somebody believed in, of all clusters
	since   map[believer]time.Duration    // when a life of a node first believed in one
	rows    map[breaker.Key][]row         // deadlines that programs wrote
	foreign map[cooldownID]float64        // identities of those, as nodes adopted them
	read    map[nodeRow]bool              // those that a node read itself
	covered map[nodeRow]time.Duration     // of these, when a clear ended those that one ended in its eyes
	clears  map[breaker.Key]breaker.Stamp // the latest of the other cluster
	spoke   map[breaker.Key][]time.Duration
	missing map[cooldownID]bool // what the store lost and nobody wrote again
	reach   []reach             // of each node
	again   map[writer]repeats
	lostAt  time.Duration
	slowAt  time.Duration
}

// row is a deadline of another program.
type row struct {
	until float64 // as it wrote it
	at    time.Duration
}

type believer struct {
	node int
	id   cooldownID
}

type nodeRow struct {
	node  int
	key   breaker.Key
	until float64
}

// reach is how a node gets at the store.
type reach struct {
	state reachState
	since time.Duration
}

type reachState uint8

const (
	steady   reachState = iota
	unsteady            // slow, or it denies what it took
	away
)

func newSharedChecks(w *World) *sharedChecks {
	if w.place == nil {
		return nil
	}
	return &sharedChecks{
		world: w, known: map[cooldownID]bool{}, since: map[believer]time.Duration{}, rows: map[breaker.Key][]row{}, foreign: map[cooldownID]float64{},
		read: map[nodeRow]bool{}, covered: map[nodeRow]time.Duration{}, clears: map[breaker.Key]breaker.Stamp{}, spoke: map[breaker.Key][]time.Duration{}, missing: map[cooldownID]bool{}, again: map[writer]repeats{},
		reach: make([]reach, w.plan.Nodes), lostAt: never, slowAt: never,
	}
}

// documented is what every program reads of a value, and what only we do.
type documented struct {
	UntilWall float64 `json:"until_wall"`
	More      *struct {
		Shown   float64   `json:"shown"`
		Covered []float64 `json:"covered"`
	} `json:"more"`
}

func documentedOf(text string) (d documented) {
	_ = json.Unmarshal([]byte(text), &d) // what is no JSON says nothing
	return d
}

// theirs is the deadline of another program in a value, 0 if there is none.
func (d *documented) theirs() float64 {
	if d.More != nil && d.More.Shown == d.UntilWall {
		return 0
	}
	return max(d.UntilWall, 0)
}

// wordOf is a value in the eyes of somebody who remembers nothing.
func (s *sharedChecks) wordOf(key breaker.Key, text string) cooldownstore.SharedWord {
	var fresh cooldownstore.SharedValues
	w, _ := fresh.Read(key, text, epoch.Add(s.world.now)) // what cannot be read says nothing
	return w
}

// wrote checks what a node, or the other cluster's, put into the store.
func (s *sharedChecks) wrote(l *link, key breaker.Key, text string) {
	w := s.wordOf(key, text)
	s.storms(l, key)
	for _, k := range w.Snapshot.Cooldowns {
		id := cooldownID{key, k.Setter, k.Stamp}
		switch k.Reason {
		case breaker.ReasonRetryAfter, breaker.ReasonCLIOpen:
			if !s.known[id] {
				s.fail("circuits never reach the shared store", l, "%s: the %s of %s at %d was never a cooldown", key, k.Reason, k.Setter, k.Stamp)
			}
		case breaker.ReasonStore:
		default:
			s.fail("circuits never reach the shared store", l, "%s: %s of %s at %d", key, k.Reason, k.Setter, k.Stamp)
		}
		if s.missing[id] {
			s.world.sometimes(SawPlaceRepaired)
			delete(s.missing, id)
		}
	}
}

func (s *sharedChecks) fail(check string, l *link, format string, args ...any) {
	if i := l.who.place(); i >= 0 {
		s.world.fail(check, s.world.nodes[i], format, args...)
		return
	}
	s.world.fail(check, nil, "the other cluster: "+format, args...)
}

// lost notes what the store forgot.
func (s *sharedChecks) lost(values []named) {
	s.lostAt = s.world.now
	for _, v := range values {
		key, ok := cooldownstore.FromSharedName(v.name)
		if !ok {
			continue
		}
		w := s.wordOf(key, v.text)
		for i, k := range w.Snapshot.Cooldowns {
			if w.Wall[i].After(epoch.Add(s.world.now)) {
				s.missing[cooldownID{key, k.Setter, k.Stamp}] = true
			}
		}
	}
}

// written notes what others do to the store.
func (s *sharedChecks) written(x Write, key breaker.Key) {
	s.spoke[key] = append(s.spoke[key], s.world.now)
	switch x.Kind {
	case ProgramDeadline:
		until := cooldownstore.EpochSeconds(epoch.Add(s.world.now + x.For))
		if !slices.ContainsFunc(s.rows[key], func(r row) bool { return r.until == until }) {
			s.rows[key] = append(s.rows[key], row{until, s.world.now})
		}
	case ClusterClose:
		s.world.checks.lift(key.Name())
	}
}

// believedByOthers notes what the other cluster believes.
func (s *sharedChecks) believedByOthers(key breaker.Key, snap breaker.Snapshot) {
	for _, k := range snap.Cooldowns {
		s.known[cooldownID{key, k.Setter, k.Stamp}] = true
	}
}

// viewed notes what a node is about to believe of a key, before it is noted
// elsewhere.
func (s *sharedChecks) viewed(n *node, key breaker.Key, snap breaker.Snapshot) {
	if s == nil {
		return
	}
	s.believedByOthers(key, snap)
	for _, k := range snap.Cooldowns {
		b := believer{n.index, cooldownID{key, k.Setter, k.Stamp}}
		if _, ok := s.since[b]; !ok {
			s.since[b] = s.world.now
		}
	}
	for _, k := range s.world.checks.seen[seenKey{n.index, key}].cooldowns {
		until, ok := s.foreign[cooldownID{key, k.Setter, k.Stamp}]
		if r := (nodeRow{n.index, key, until}); ok && k.Stamp <= snap.Clear && s.read[r] {
			s.world.sometimes(SawForeignCovered)
			if _, before := s.covered[r]; !before {
				s.covered[r] = s.world.now
			}
		}
	}
}

// wiped forgets what a node had read: its disk is new.
func (s *sharedChecks) wiped(n *node) {
	if s == nil {
		return
	}
	for r := range s.read {
		if r.node == n.index {
			delete(s.read, r)
			delete(s.covered, r)
		}
	}
}

// killed forgets what a process knew that is gone, but for what it must have
// written to its disk: it was listed since a close ended it, and nothing was wrong.
func (s *sharedChecks) killed(n *node) {
	if s == nil {
		return
	}
	for b := range s.since {
		if b.node == n.index {
			delete(s.since, b)
		}
	}
	for r := range s.read {
		at, ended := s.covered[r]
		kept := ended && s.world.now-at > settled && s.steadyFor(n, settled)
		if r.node == n.index && !kept {
			delete(s.read, r)
			delete(s.covered, r)
		}
	}
}
