package cluster

import "slices"

const (
	maxSeeds      = 256 // addresses remembered; the oldest that is not live goes first
	seedsPerRound = 32  // addresses joined at a time; the next round takes the next ones
)

// seeds are the addresses to join when they are not live. It is used by one
// goroutine.
type seeds struct {
	peers []string          // configured: never forgotten
	known []string          // of members seen, the latest last
	node  map[string]string // node id of a known address, if it was seen by this process
	next  int               // where the next round begins
}

func newSeeds(peers, known []string) *seeds {
	s := &seeds{peers: slices.Clone(peers), node: map[string]string{}}
	for _, addr := range known {
		if _, _, err := splitHostPort(addr); err == nil && !slices.Contains(s.known, addr) {
			s.known = append(s.known, addr)
		}
	}
	s.known = s.known[max(0, len(s.known)-maxSeeds):]
	return s
}

// saw remembers where the live members are. It says whether that is news.
func (s *seeds) saw(members []Member) bool {
	news := false
	live := map[string]bool{}
	for _, m := range members {
		if live[m.GossipAddress] = true; m.Self {
			continue
		}
		news = s.saw1(m) || news
	}
	for i := 0; len(s.known) > maxSeeds && i < len(s.known); {
		if live[s.known[i]] && len(live) <= maxSeeds {
			i++
			continue
		}
		delete(s.node, s.known[i])
		s.known = slices.Delete(s.known, i, i+1)
	}
	return news
}

// saw1 remembers one member, and forgets where it was before.
func (s *seeds) saw1(m Member) bool {
	if s.node[m.GossipAddress] == m.ID {
		return false
	}
	s.forget(m.ID)
	news := !slices.Contains(s.known, m.GossipAddress)
	if news {
		s.known = append(s.known, m.GossipAddress)
	}
	s.node[m.GossipAddress] = m.ID
	return news
}

// forget drops the address of a node that left or moved. It says whether there
// was one.
func (s *seeds) forget(id string) bool {
	for addr, node := range s.node {
		if node == id {
			delete(s.node, addr)
			s.known = slices.DeleteFunc(s.known, func(a string) bool { return a == addr })
			return true
		}
	}
	return false
}

// round picks the addresses to join now: those that are not live, in turn.
func (s *seeds) round(live map[string]bool) []string {
	var away []string
	for _, addr := range slices.Concat(s.peers, s.known) {
		if !live[addr] && !slices.Contains(away, addr) {
			away = append(away, addr)
		}
	}
	if len(away) <= seedsPerRound {
		return away
	}
	s.next %= len(away)
	turn := append(away[s.next:len(away):len(away)], away[:s.next]...)[:seedsPerRound]
	s.next += seedsPerRound
	return turn
}
