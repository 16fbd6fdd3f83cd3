package spread_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
)

// world joins nodes by a network of its own, in virtual time. All nodes read
// one clock: what skewed clocks do is tested where instants travel.
type world struct {
	t      testing.TB
	now    breaker.Instant
	rand   *rand.Rand
	policy breaker.Policy
	nodes  []*node
	events events
	seq    int
	delay  func() time.Duration
	lost   func(from, to string, m spread.Message) bool
	copies int            // of each message, beside itself
	sent   map[string]int // messages by type
}

type node struct {
	w        *world
	id       string
	n        *spread.Node
	clock    breaker.StampClock
	machines map[breaker.Key]*breaker.Machine
	wakes    map[breaker.Key]breaker.Instant
	tickAt   breaker.Instant
	began    map[breaker.Key][]breaker.Instant // calls that succeeded
	done     map[uint64]any
	trips    int
	served   int // requests
	up       bool
	moved    map[breaker.Key]breaker.Snapshot // what the gate was told
}

type event struct {
	at  breaker.Instant
	seq int
	do  func()
}

type events []event

func (h events) Len() int { return len(h) }
func (h events) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *events) Push(x any)   { *h = append(*h, x.(event)) }
func (h *events) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

const key = breaker.Key("host:api.example.org")

func newWorld(t testing.TB, seed uint64, size int) *world {
	w := &world{t: t, now: breaker.Instant(time.Hour), rand: rand.New(rand.NewPCG(seed, 1)), policy: breaker.DefaultPolicy(), sent: map[string]int{}}
	w.policy.HalfOpenJitter = 0
	w.policy.ResetTimeout = 10 * time.Second
	w.delay = func() time.Duration { return 200*time.Microsecond + time.Duration(w.rand.IntN(300))*time.Microsecond }
	w.lost = func(string, string, spread.Message) bool { return false }
	for i := range size {
		w.nodes = append(w.nodes, w.start(fmt.Sprint("n", i)))
	}
	w.connect()
	for _, n := range w.nodes {
		n.do(n.n.ClaimAll)
	}
	w.run(10 * time.Millisecond) // the digests of the start
	return w
}

func (w *world) start(id string) *node {
	n := &node{
		w: w, id: id, machines: map[breaker.Key]*breaker.Machine{}, wakes: map[breaker.Key]breaker.Instant{},
		began: map[breaker.Key][]breaker.Instant{}, done: map[uint64]any{}, up: true, moved: map[breaker.Key]breaker.Snapshot{},
	}
	n.n = spread.New(spread.Options{
		Self: id, Limit: view.MaxExceptions, FirstID: uint64(w.now), Policy: func(breaker.Key) *breaker.Policy { return &w.policy },
		Witness: n.witness,
	})
	return n
}

// witness is what a perfect memory saw.
func (n *node) witness(k breaker.Key, q breaker.WitnessQuestion) breaker.WitnessAnswer {
	var a breaker.WitnessAnswer
	for _, at := range n.began[k] {
		if at > q.From && at < q.To {
			a.Success = max(a.Success, at)
		}
	}
	return a
}

// connect tells every node the members that it can hear: those on its side.
func (w *world) connect() { w.split(func(string) int { return 0 }) }

// split cuts the network into sides, in messages and in membership.
func (w *world) split(side func(id string) int) {
	w.lost = func(from, to string, _ spread.Message) bool { return side(from) != side(to) }
	for _, n := range w.nodes {
		var live []spread.Member
		for _, m := range w.nodes {
			if m.up && side(m.id) == side(n.id) {
				live = append(live, spread.Member{ID: m.id})
			}
		}
		if n.up {
			n.do(func(now breaker.Instant) spread.Effects { return n.n.SetMembers(now, live, nil) })
			for k := range n.machines { // actors a ring change gives away are released
				if n.n.Owner(k) != n.id {
					delete(n.machines, k)
					delete(n.wakes, k)
				}
			}
		}
	}
}

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.events, event{w.now.Add(d), w.seq, do})
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.events) > 0 && w.events[0].at <= end {
		x := heap.Pop(&w.events).(event)
		w.now = x.at
		x.do()
	}
	w.now = end
}

// until runs the world until something holds and returns how long that took.
func (w *world) until(limit time.Duration, what string, ok func() bool) time.Duration {
	w.t.Helper()
	from := w.now
	for !ok() {
		if w.now.Sub(from) > limit {
			w.t.Fatalf("after %v: not %s", limit, what)
		}
		w.run(time.Millisecond)
	}
	return w.now.Sub(from)
}

func (n *node) moment() breaker.Moment {
	return breaker.Moment{
		Now: n.w.now, Stamp: n.clock.Next(time.Unix(0, int64(n.w.now))), Members: n.n.Known(n.w.now), Rand: n.w.rand.Uint64(),
	}
}

func (n *node) do(input func(now breaker.Instant) spread.Effects) {
	if !n.up {
		return
	}
	e := input(n.w.now)
	for _, x := range e.Changed {
		n.moved[x.Key] = x.Snapshot
	}
	for _, s := range e.Sends {
		n.send(s)
	}
	for _, d := range e.Done {
		n.done[d.ID] = d.Body
	}
	if e.WakeAt != 0 {
		n.tickAt = e.WakeAt
		n.w.after(e.WakeAt.Sub(n.w.now), func() {
			if n.tickAt != 0 && n.w.now >= n.tickAt {
				n.tickAt = 0
				n.do(n.n.Tick)
			}
		})
	}
	for _, s := range e.Steps {
		n.step(s)
	}
	for _, s := range e.Serve {
		n.serve(s)
	}
}

func (n *node) send(s spread.Send) {
	n.w.sent[fmt.Sprintf("%T", s.Message)]++
	if n.w.lost(n.id, s.To, s.Message) {
		return
	}
	stamp := n.clock.Next(time.Unix(0, int64(n.w.now)))
	arrive := func() {
		for _, to := range n.w.nodes {
			if to.id == s.To && to.up {
				_ = to.clock.Observe(stamp, time.Unix(0, int64(n.w.now)))
				to.do(func(now breaker.Instant) spread.Effects { return to.n.Receive(now, n.id, s.Message) })
			}
		}
	}
	for range 1 + n.w.copies {
		n.w.after(n.w.delay(), arrive)
	}
}

func (n *node) machine(k breaker.Key) *breaker.Machine {
	m := n.machines[k]
	if m == nil {
		m = breaker.New(&n.w.policy)
		n.machines[k] = m
		n.effects(k, m.Adopt(n.moment(), n.n.View().Of(k)))
	}
	return m
}

func (n *node) step(s spread.Step) {
	if a, ok := s.Do.(spread.Adopt); ok && !a.Wake && n.machines[s.Key] == nil {
		return
	}
	m := n.machine(s.Key)
	switch do := s.Do.(type) {
	case spread.Count:
		if do.Gap {
			m.Gap(do.Node)
		}
		for _, o := range do.Outcomes {
			o.Node = do.Node
			n.effects(s.Key, m.Report(n.moment(), o))
		}
	case spread.Cool:
		n.effects(s.Key, m.Cool(n.moment(), do.Cooldown))
	case spread.Adopt:
		n.effects(s.Key, m.Adopt(n.moment(), do.Snapshot))
	case spread.Joined:
		n.effects(s.Key, m.Joined(n.moment()))
	case breaker.WitnessAnswer:
		n.effects(s.Key, m.Witness(n.moment(), do))
	case spread.EndRound:
		n.effects(s.Key, m.EndRound(n.moment(), do.Round))
	}
}

func (n *node) effects(k breaker.Key, e breaker.Effects) {
	if a := e.Announce; a != nil {
		for _, t := range a.Transitions {
			if t.To == breaker.Open && t.Reason == breaker.ReasonConsecutive && t.Detail != "adopted" {
				n.trips++
			}
		}
		n.do(func(now breaker.Instant) spread.Effects { return n.n.Announce(now, k, a.Snapshot, a.Derived) })
	}
	if q := e.AskWitnesses; q != nil {
		n.do(func(now breaker.Instant) spread.Effects { return n.n.AskWitnesses(now, k, *q) })
	}
	n.wakes[k] = e.WakeAt
	if at := e.WakeAt; at != 0 {
		n.w.after(at.Sub(n.w.now), func() {
			if m := n.machines[k]; m != nil && n.up && n.wakes[k] == at {
				n.effects(k, m.Tick(n.moment()))
			}
		})
	}
}

func (n *node) serve(s spread.Serve) {
	var body any
	n.served++
	m := n.machine(s.Request.Key)
	switch q := s.Request.Body.(type) {
	case spread.Ask:
		a, e := m.Ask(n.moment(), q.Question)
		n.effects(s.Request.Key, e)
		body = a
	case spread.Word:
		e := breaker.Effects{}
		if q.Length == 0 {
			e = m.Close(n.moment(), q.Author, q.Detail)
		} else {
			e = m.OpenUntil(n.moment(), n.id, q.Length, q.Author, q.Detail)
		}
		n.effects(s.Request.Key, e)
		body = spread.OperatorResult{Copies: 1}
	case spread.Lay:
		body = spread.LayResult{}
	}
	n.do(func(now breaker.Instant) spread.Effects { return n.n.Reply(now, s.From, s.Request.ID, body) })
}

// call reports one call of the key at a node that took a millisecond.
func (n *node) call(ok bool) {
	began := n.w.now.Add(-time.Millisecond)
	o := breaker.Outcome{Node: n.id, Kind: breaker.Failure, Count: 1, Began: began, Ended: n.w.now}
	if ok {
		o.Kind = breaker.Success
		n.began[key] = append(n.began[key], began)
		return // a gate keeps the successes of a key that does not fail here to itself
	}
	n.do(func(now breaker.Instant) spread.Effects { return n.n.Report(now, key, []breaker.Outcome{o}) })
}

func (n *node) state() breaker.State {
	s := n.n.View().Of(key)
	return s.At(n.w.now).State
}

func (w *world) all(state breaker.State) bool {
	return !slices.ContainsFunc(w.nodes, func(n *node) bool { return n.up && n.state() != state })
}

// owner is the node that owns the key in the eyes of a node.
func (w *world) owner(of *node) *node {
	i := slices.IndexFunc(w.nodes, func(n *node) bool { return n.id == of.n.Owner(key) })
	return w.nodes[i]
}

// other is a node that is not this one, the last of them.
func (w *world) other(than *node) *node {
	n := w.nodes[len(w.nodes)-1]
	if n == than {
		n = w.nodes[len(w.nodes)-2]
	}
	return n
}

// agree reports whether the views of all nodes are equal.
func (w *world) agree() bool {
	var first []uint64
	for _, n := range w.nodes {
		if !n.up {
			continue
		}
		if d := n.n.Summary().Buckets; first == nil {
			first = d
		} else if !slices.Equal(first, d) {
			return false
		}
	}
	return true
}
