package spread

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/placement"
	"fleetfuse/cluster/view"
)

// Times of the protocol (DESIGN 1, 4, 5).
const (
	resendEvery = 250 * time.Millisecond
	digestEvery = 2 * time.Second
	replyFloor  = 100 * time.Millisecond // a reply is waited for max(this, 3 × RTT)
	roundFloor  = 50 * time.Millisecond  // a round lasts max(this, 2 × RTT)
	healDelay   = 5 * time.Millisecond   // collects the questions of a heal
	lostFor     = 10 * time.Minute       // a lost member stays known
	settledFor  = 30 * time.Second       // a difference that stayed is looked at again
)

// Limits of what waits for one member.
const (
	pushKeys    = 512     // keys in one push
	pushWindow  = 4       // pushes that are not acknowledged
	batchLimit  = 4096    // outcomes in one batch
	maxWaiting  = 100_000 // outcomes that wait for an owner
	maxSettles  = 10_000  // ends of permits
	maxRequests = 10_000
	askLimit    = 1000 // questions in one WitnessAsk
)

// Options of a Node. All but Expects are required.
type Options struct {
	Self    string // node id
	Limit   int    // of the view, in entries
	FirstID uint64 // of messages: later than those of an earlier start
	Policy  func(breaker.Key) *breaker.Policy
	// Expects says that there should be other members: addresses of some are
	// configured, or remembered.
	Expects bool
	// Witness is what this node's gate saw.
	Witness func(breaker.Key, breaker.WitnessQuestion) breaker.WitnessAnswer
}

// A Member is a live member of the cluster.
type Member struct {
	ID    string
	Epoch uint64
	Aloof bool // owns nothing: it drains, or its clock is off
}

// A Node is what one node knows of the cluster and of every breaker that is
// not plainly closed. It is not safe for concurrent use.
type Node struct {
	opt  Options
	view *view.View
	ring placement.Ring

	peers    map[string]*peer
	order    []*peer // by id: digests go round, and nothing depends on the order of a map
	lost     map[string]breaker.Instant
	doubts   map[breaker.Key]doubt
	turn     int
	digestAt breaker.Instant
	peersAt  breaker.Instant // when something about a member is due, or was: a Tick that comes too early looks anew
	sums     [2][]uint64     // of the buckets at the last two digests, the older first

	ids      uint64
	gaps     map[breaker.Key]struct{} // keys whose next report says that one is missing
	rounds   []*round
	heals    []WitnessQuestion // wait for healAt
	healAt   breaker.Instant
	requests []*request
	late     []lateAsk
	begun    []begun
	dropped  uint64
	counts   Counts // but what Counts looks up
	apart    bool
	ready    bool            // this node's own memory was compared with the members': it may own keys
	readyAt  breaker.Instant // since when
	met      bool            // it had a member at some time

	e Effects // of the input in progress
}

// New returns a node that knows of no other.
func New(opt Options) *Node {
	return &Node{
		opt: opt, view: view.New(opt.Limit), ring: placement.New([]string{opt.Self}),
		peers: map[string]*peer{}, lost: map[string]breaker.Instant{}, ids: opt.FirstID, gaps: map[breaker.Key]struct{}{}, doubts: map[breaker.Key]doubt{},
	}
}

// Owner is the id of the node that owns a key, "" if none does.
func (n *Node) Owner(key breaker.Key) string { return n.ring.Owner(string(key)) }

// Heirs are the ids of the other live members, in the order in which they would
// own a key if this node and those before them went. A word that is held by the
// first is known to the next owner.
func (n *Node) Heirs(key breaker.Key) []string {
	heirs := slices.DeleteFunc(n.ring.Ranked(string(key)), func(id string) bool { return n.peers[id] == nil })
	for _, p := range n.order { // those that own nothing come last
		if !slices.Contains(heirs, p.ID) {
			heirs = append(heirs, p.ID)
		}
	}
	return heirs
}

// owns reports whether this node owns a key. A node that is starting owns none
// yet: what it remembers may be long over.
func (n *Node) owns(key breaker.Key) bool { return n.ready && n.Owner(key) == n.opt.Self }

// View is what the node believes; only read it.
func (n *Node) View() *view.View { return n.view }

// Known is the number of known members: the live ones and those lost without
// leaving in the last 10 minutes.
func (n *Node) Known(now breaker.Instant) int {
	known := 1 + len(n.peers)
	for _, at := range n.lost {
		if now.Sub(at) < lostFor {
			known++
		}
	}
	return known
}

// Mute lists the members that owe an acknowledgement for longer than a while:
// gossip says that they live, but their actor port does not answer.
func (n *Node) Mute(now breaker.Instant, longer time.Duration) []string {
	var ids []string
	for _, p := range n.order {
		if p.mute != 0 && now.Sub(p.mute) > longer {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// id numbers messages and requests.
func (n *Node) id() uint64 {
	n.ids++
	return n.ids
}

func (n *Node) send(p *peer, m Message) { n.e.Sends = append(n.e.Sends, Send{p.ID, m}) }

func (n *Node) step(key breaker.Key, do any) { n.e.Steps = append(n.e.Steps, Step{key, do}) }

// take ends an input: it returns what there is to do.
func (n *Node) take(now breaker.Instant) Effects {
	e := n.e
	n.e = Effects{}
	for i, s := range e.Sends {
		switch s.Message.(type) {
		case Push, Batch, Settle, WitnessAsk, Request:
			if p := n.peers[s.To]; p != nil && p.mute == 0 {
				p.mute = now
			}
		}
		if p := n.peers[s.To]; p != nil && (i == 0 || s.To != e.Sends[i-1].To) { // what is sent is what has to be repeated
			n.wakeFor(p)
		}
	}
	e.WakeAt = n.wakeAt(now)
	return e
}

// Tick does what is due; call it at Effects.WakeAt.
func (n *Node) Tick(now breaker.Instant) Effects {
	for _, p := range n.order {
		n.resend(p, now)
		n.expireBatch(p, now)
	}
	if n.healAt != 0 && now >= n.healAt {
		n.askHeals(now)
	}
	n.expireRounds(now)
	n.expireRequests(now)
	if now >= n.digestAt {
		n.digest(now)
	}
	n.peersAt = 0
	for _, p := range n.order {
		n.wakeFor(p)
	}
	return n.take(now)
}

// wakeFor makes sure that a Tick comes when something about a member is due.
func (n *Node) wakeFor(p *peer) {
	if at := p.wakeAt(); at != 0 && (n.peersAt == 0 || at < n.peersAt) {
		n.peersAt = at
	}
}

// wakeAt is when the next thing is due, zero for never.
func (n *Node) wakeAt(now breaker.Instant) breaker.Instant {
	if len(n.order) == 0 && len(n.requests) == 0 {
		return 0
	}
	at := n.digestAt
	sooner := func(t breaker.Instant) {
		if t != 0 && t < at {
			at = t
		}
	}
	sooner(n.healAt)
	sooner(n.peersAt)
	for _, r := range n.rounds {
		sooner(r.deadline)
	}
	for _, r := range n.requests {
		sooner(r.wakeAt())
	}
	return max(at, now)
}
