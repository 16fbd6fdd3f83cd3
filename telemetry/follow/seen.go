package follow

// maxSeen bounds the events remembered: two members that write down the same thing
// do so within seconds.
const maxSeen = 4096

// seen remembers which events were told.
type seen struct {
	ids    map[string]struct{}
	order  []string
	oldest int
}

func newSeen() seen { return seen{ids: map[string]struct{}{}} }

// add reports whether an event was not told yet.
func (s *seen) add(id string) bool {
	if _, told := s.ids[id]; told {
		return false
	}
	s.ids[id] = struct{}{}
	if len(s.order) < maxSeen {
		s.order = append(s.order, id)
		return true
	}
	delete(s.ids, s.order[s.oldest])
	s.order[s.oldest] = id
	s.oldest = (s.oldest + 1) % maxSeen
	return true
}
