package cluster

import (
	"cmp"
	"maps"
	"slices"
)

// maxGivenUp bounds the epochs that are remembered as given up. A node that is
// forgotten returns without being told, which costs it stale actors.
const maxGivenUp = 4096

// A sighting is one process that memberlist believes alive.
type sighting struct {
	Member
	process string // its name in memberlist
	addr    []byte // gossip IP
	port    uint16
}

// A roster decides who is a member from what memberlist sees. It is used by
// one goroutine.
type roster struct {
	live    map[string]Member // by node id
	givenUp map[string]uint64 // last epoch of nodes that vanished without a word
	leaving map[string]uint64 // epoch of nodes that said they leave
}

// A change is what an update of the roster found.
type change struct {
	live               []Member   // sorted by id
	joined, lost, left []string   // node ids
	returned           []sighting // with an epoch that was given up: to be told
	twin               string     // process that uses this node's id with a later epoch
	any                bool       // whether live differs, or somebody left
}

func newRoster() *roster {
	return &roster{live: map[string]Member{}, givenUp: map[string]uint64{}, leaving: map[string]uint64{}}
}

// leaves notes that a member said it goes; it counts until it is gone.
func (r *roster) leaves(id string, epoch uint64) {
	if m, ok := r.live[id]; ok && m.Epoch == epoch || r.givenUp[id] == epoch {
		r.leaving[id] = epoch
	}
}

// update replaces the live members. self is a member whatever memberlist sees.
// While doubtful, this node was itself away: it gives nobody up.
func (r *roster) update(self Member, seen []sighting, doubtful bool) change {
	var c change
	next := map[string]Member{self.ID: self}
	for id, s := range latest(seen) {
		switch gone, is := r.givenUp[id]; {
		case id == self.ID:
			if s.Epoch > self.Epoch {
				c.twin = s.process
			}
		case is && s.Epoch <= gone:
			c.returned = append(c.returned, s)
		case s.Epoch < r.live[id].Epoch: // its later process has just vanished
		default:
			next[id] = s.Member
			delete(r.givenUp, id)
		}
	}
	r.depart(next, &c, doubtful)
	for id, m := range next {
		was, ok := r.live[id]
		if !ok {
			c.joined = append(c.joined, id)
		}
		c.any = c.any || m != was
	}
	c.any = c.any || len(c.left) > 0 || len(next) != len(r.live)
	r.live = next
	c.live = slices.SortedFunc(maps.Values(next), func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	slices.Sort(c.joined)
	return c
}

// depart sorts those who are gone into left and lost.
func (r *roster) depart(next map[string]Member, c *change, doubtful bool) {
	for id, was := range r.live {
		if _, ok := next[id]; ok {
			continue
		}
		switch epoch, said := r.leaving[id]; {
		case was.Draining || said && epoch == was.Epoch:
			c.left = append(c.left, id)
		default:
			c.lost = append(c.lost, id)
			if !doubtful {
				r.giveUp(id, was.Epoch)
			}
		}
	}
	for id, epoch := range r.leaving {
		_, live := next[id]
		if _, was := r.live[id]; !live && !was && r.givenUp[id] == epoch { // its word came late
			c.left = append(c.left, id)
			delete(r.givenUp, id)
		}
		if m := next[id]; !live || m.Epoch > epoch {
			delete(r.leaving, id)
		}
	}
	slices.Sort(c.left)
	slices.Sort(c.lost)
}

func (r *roster) giveUp(id string, epoch uint64) {
	if len(r.givenUp) >= maxGivenUp {
		for other := range r.givenUp {
			delete(r.givenUp, other)
			break
		}
	}
	r.givenUp[id] = epoch
}

// latest picks one process of each node: the one with the latest epoch, of
// equal ones the one whose name sorts last. The others are superseded.
func latest(seen []sighting) map[string]sighting {
	best := map[string]sighting{}
	for _, s := range seen {
		was, ok := best[s.ID]
		if !ok || s.Epoch > was.Epoch || s.Epoch == was.Epoch && s.process > was.process {
			best[s.ID] = s
		}
	}
	return best
}
