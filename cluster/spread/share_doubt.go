package spread

import (
	"maps"
	"time"

	"fleetfuse/breaker"
)

// A doubt is a shared clear that would have to spare a circuit of this cluster.
// Who said it does not stand beside it: it may be this cluster's own operator, on
// the other side of a split or of a link that is cut. Spared, the circuit would
// undo that close when the cluster is whole again.
type doubt struct {
	clear breaker.Stamp
	until breaker.Instant
}

// ownWordWithin is how soon members tell each other what an operator said,
// whatever link is cut.
const ownWordWithin = 15 * time.Second

// doubtful reports whether a shared clear that reaches a circuit has to wait for
// members to say it too; then it closes the circuit as well. A node that is alone
// and misses nobody waits for nobody.
func (n *Node) doubtful(now breaker.Instant, key breaker.Key, clear breaker.Stamp, c breaker.Circuit) bool {
	apart := n.apartFrom(now)
	if c.State == breaker.Closed || len(n.peers) == 0 && !apart {
		delete(n.doubts, key)
		return false
	}
	d := n.doubts[key]
	if d.clear != clear {
		d = doubt{clear, now.Add(ownWordWithin)}
		n.doubts[key] = d
	}
	return apart || now < d.until
}

// apartFrom reports whether a member was lost without leaving in the last 10
// minutes: it may live, and hear operators. A node that started so lately and met
// nobody whom it expects may have started on the small side of a split.
func (n *Node) apartFrom(now breaker.Instant) bool {
	if n.opt.Expects && !n.met && (!n.ready || now.Sub(n.readyAt) < lostFor) {
		return true
	}
	for _, at := range n.lost {
		if now.Sub(at) < lostFor {
			return true
		}
	}
	return false
}

// forgetDoubts drops those that nobody reads any more.
func (n *Node) forgetDoubts(now breaker.Instant) {
	maps.DeleteFunc(n.doubts, func(_ breaker.Key, d doubt) bool { return now.Sub(d.until) > lostFor })
}
