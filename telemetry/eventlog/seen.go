//go:build cgo

package eventlog

import "fleetfuse/telemetry"

// seen knows the IDs of the events in the tail, and of as many that the last
// process wrote: an owner that starts anew says again what it finds. A
// duplicate of something older is logged once more, is kept once on disk, and
// has the same ID.
type seen struct {
	here   map[telemetry.ID]struct{}
	before map[telemetry.ID]struct{} // the last process's
	left   int                       // events until before is let go
}

func newSeen(before []telemetry.ID, left int) seen {
	s := seen{here: map[telemetry.ID]struct{}{}, left: left}
	if len(before) > 0 {
		s.before = make(map[telemetry.ID]struct{}, len(before))
		for _, id := range before {
			s.before[id] = struct{}{}
		}
	}
	return s
}

// add reports whether an ID is new, and remembers it.
func (s *seen) add(id telemetry.ID) bool {
	if _, known := s.here[id]; known {
		return false
	}
	if _, known := s.before[id]; known {
		return false
	}
	s.here[id] = struct{}{}
	if s.left--; s.left == 0 {
		s.before = nil
	}
	return true
}

// forget lets go of the IDs of a chunk that left the tail.
func (s *seen) forget(c *chunk) {
	events := c.read()
	for i := range events {
		delete(s.here, events[i].ID())
	}
}
