package simulation

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/travel"
)

// network is which messages arrive, and when.
type network struct {
	Network
	side  []int          // of a split, by node
	cut   map[[2]int]int // from, to: how many faults cut it
	lossy float64        // beside Loss
}

func newNetwork(n Network, nodes int) network {
	return network{Network: n, side: make([]int, nodes), cut: map[[2]int]int{}}
}

// joined reports whether messages can get from one node to another.
func (n *network) joined(from, to int) bool {
	return n.side[from] == n.side[to] && n.cut[[2]int{from, to}] == 0
}

// send sends a message, with the sender's stamp as frames carry it. It takes
// the wire's form when it departs and the receiver's instants when it arrives.
func (w *World) send(from *node, to int, m spread.Message) {
	w.messages++
	w.checks.batched(from, to, m)
	net := &w.network
	stamp := from.clock.Stamp()
	if !net.joined(from.index, to) || w.rand.Float64() < net.Loss+net.lossy {
		return
	}
	f, err := travel.Depart(m, from.clock.Now())
	if err != nil {
		w.fail("a message can travel", from, "%T: %v", m, err)
		return
	}
	f.From, f.Stamp = from.id, uint64(stamp)
	arrive := func() {
		if !net.joined(from.index, to) {
			return
		}
		n := w.nodes[to]
		n.hear(func() {
			if err := n.clock.Observe(breaker.Stamp(f.Stamp)); err != nil {
				_, wall := n.clock.Both()
				n.do(func(s *spread.Node, now breaker.Instant) spread.Effects {
					return s.Refuse(now, from.id, breaker.Stamp(f.Stamp).Wall().Sub(wall))
				})
				return
			}
			m, err := travel.Arrive(f, n.clock.Now())
			if err != nil {
				w.fail("a message can travel", n, "%v", err)
				return
			}
			w.checks.arrived(m)
			w.checks.acknowledged(n, from.index, m)
			w.trace.note(codeMessage, uint64(from.index), uint64(to), uint64(w.now))
			n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Receive(now, from.id, m) })
		})
	}
	w.after(net.delay(w), arrive)
	if w.rand.Float64() < net.Duplicate {
		w.sometimes(SawDuplicate)
		w.after(net.delay(w), arrive)
	}
}

func (n *network) delay(w *World) time.Duration {
	d := n.Least + time.Duration(w.rand.Int64N(int64(n.Most-n.Least)+1))
	if n.Slow > 0 && w.rand.Float64() < n.Slow {
		d *= time.Duration(1 + w.rand.IntN(100))
	}
	return d
}
