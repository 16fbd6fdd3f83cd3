package node

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
)

// standing is which parts of this node do not work, so that the beginning and the
// end of each are an event, once. Its zero value is ready for use.
type standing struct {
	mu     sync.Mutex
	failed map[string]string // why, by part
	told   func(part string, works bool, why string)

	looking sync.Mutex // one look at a time, lest an older one have the last word
	looked  map[string]string
}

// tell takes note of a part. That it fails for another reason is no event.
func (s *standing) tell(part string, fails bool, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, failed := s.failed[part]; failed == fails {
		return
	}
	if s.failed == nil {
		s.failed = map[string]string{}
	}
	if s.failed[part] = why; !fails {
		delete(s.failed, part)
	}
	if s.told != nil {
		s.told(part, !fails, why)
	}
}

// begin says where events go from now on: first what failed before.
func (s *standing) begin(told func(part string, works bool, why string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = told
	for _, part := range slices.Sorted(maps.Keys(s.failed)) {
		told(part, false, s.failed[part])
	}
}

// look takes note of all parts that a look at the node found; what an earlier look
// found and this one did not works again, and ended says how that came.
func (s *standing) look(find func() (failed map[string]string, ended func(part string) string)) {
	s.looking.Lock()
	defer s.looking.Unlock()
	failed, ended := find()
	for _, part := range slices.Sorted(maps.Keys(s.looked)) {
		if _, fails := failed[part]; !fails {
			s.tell(part, false, ended(part))
		}
	}
	for _, part := range slices.Sorted(maps.Keys(failed)) {
		s.tell(part, true, failed[part])
	}
	s.looked = failed
}

// Parts that can fail, as their events name them. Those of members end with the
// member's name.
const (
	partStore    = "store"
	partShared   = "shared store"
	partEvents   = "event log"
	partTuner    = "record of the tuner"
	partClock    = "clock"
	partPeers    = "contact with its peers"
	partReload   = "reload of the configuration"
	partConfig   = "agreement on the configuration"
	partOverlays = "policy overlay"
	partName     = "name "
	partActor    = "actor port of "
	partClockOf  = "clock of "
)

// tellStanding takes note of what is to be seen of members and policies. The node
// looks when members change, after a reload, and each second, for a member that
// is mute says nothing.
func (n *Node) tellStanding() { n.standing.look(n.findFailed) }

func (n *Node) findFailed() (failed map[string]string, ended func(part string) string) {
	failed = map[string]string{}
	n.board.mu.Lock()
	live := slices.Clone(n.board.members.live)
	n.board.mu.Unlock()
	own, names, differ := n.policies.hash(), map[string]int{}, []string(nil)
	for _, m := range live {
		if names[m.Name]++; names[m.Name] == 2 {
			failed[partName+m.Name] = "several members have it"
		}
		if !m.Self && m.ConfigHash != own {
			differ = append(differ, m.Name)
		}
	}
	if len(differ) > 0 {
		slices.Sort(differ)
		failed[partConfig] = "another one has " + strings.Join(differ, ", ")
	}
	for _, id := range read(n.board, func(s *spread.Node) []string { return s.Mute(n.clock.Now(), muteLimit) }) {
		failed[partActor+n.fleet().Name(id)] = "it does not answer"
	}
	skews, _ := n.skews()
	for name, ahead := range skews {
		failed[partClockOf+name] = fmt.Sprintf("it differs by %v", ahead)
	}
	if text := n.alone(); text != "" {
		failed[partPeers] = text
	}
	if keys := n.policies.invalid(); len(keys) > 0 {
		failed[partOverlays] = string(keys[0]) + " does not fit the configuration"
	}
	return failed, func(part string) string { return endOf(part, live) }
}

// endOf says how a part came to work again: that of a member that is gone did not.
func endOf(part string, live []cluster.Member) string {
	for _, sort := range []string{partActor, partClockOf} {
		name, ok := strings.CutPrefix(part, sort)
		if ok && !slices.ContainsFunc(live, func(m cluster.Member) bool { return m.Name == name }) {
			return "it is no member any more"
		}
	}
	return ""
}
