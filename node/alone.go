package node

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"fleetfuse/cluster"
)

// solitude is since when this node has seen no other member; zero while it sees one.
type solitude struct {
	mu    sync.Mutex
	since time.Time
}

// look takes note of how many others are live.
func (s *solitude) look(others int, now time.Time) (since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case others > 0:
		s.since = time.Time{}
	case s.since.IsZero():
		s.since = now
	}
	return s.since
}

// aloneAfter is how long a node with peers may see none of them before that is a
// problem: those of a fleet do not start at once.
const aloneAfter = 5 * time.Second

// maxMissedShown bounds the peers that a problem names.
const maxMissedShown = 3

// alone says that this node has peers configured and reaches none, "" where it is
// not so.
func (n *Node) alone() string {
	n.board.mu.Lock()
	c, live := n.board.cluster, len(n.board.members.live)
	n.board.mu.Unlock()
	if c == nil {
		return "" // it is about to join
	}
	now := time.Now()
	since := n.solitude.look(live-1, now)
	if since.IsZero() || now.Sub(since) < aloneAfter {
		return ""
	}
	return aloneText(since, c.Missed())
}

// aloneText names the peers and why each is not reached.
func aloneText(since time.Time, missed []cluster.Missed) string {
	if len(missed) == 0 { // no peers, or all are this node itself
		return ""
	}
	var peers []string
	for _, m := range missed[:min(len(missed), maxMissedShown)] {
		peers = append(peers, fmt.Sprintf("%s (%s)", m.Address, m.Why))
	}
	if rest := len(missed) - len(peers); rest > 0 {
		peers = append(peers, fmt.Sprintf("and %d more", rest))
	}
	peer := "the configured peer is not"
	if len(missed) > 1 {
		peer = fmt.Sprintf("none of the %d configured peers is", len(missed))
	}
	return fmt.Sprintf("alone since %s: %s reached, and this node decides by what its own workers see; --cluster.peer %s; "+
		"do they run, are these their gossip ports (TCP and UDP), and open?",
		since.UTC().Format(time.RFC3339), peer, strings.Join(peers, ", "))
}
