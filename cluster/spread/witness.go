package spread

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// round is a witness round of a key of this node.
type round struct {
	key      breaker.Key
	id       breaker.Stamp
	sent     breaker.Instant // zero until it is
	deadline breaker.Instant
	waiting  []string // members that have not answered
}

// AskWitnesses starts a round for an actor of this node. The questions of
// healing rounds are collected for a moment: one message for each member.
func (n *Node) AskWitnesses(now breaker.Instant, key breaker.Key, q breaker.WitnessQuestion) Effects {
	r := &round{key: key, id: q.Round, deadline: now.Add(n.roundLength())}
	for _, p := range n.order {
		r.waiting = append(r.waiting, p.ID)
	}
	own := n.opt.Witness(key, q)
	own.Node, own.Round = n.opt.Self, q.Round
	n.step(key, own)
	if len(r.waiting) == 0 {
		n.step(key, EndRound{q.Round})
		return n.take(now)
	}
	n.rounds = append(n.rounds, r)
	switch {
	case !q.Heal:
		r.sent = now
		n.askAll([]WitnessQuestion{{key, q}})
	default:
		n.heals = append(n.heals, WitnessQuestion{key, q})
		r.deadline = r.deadline.Add(healDelay)
		if n.healAt == 0 {
			n.healAt = now.Add(healDelay)
		}
	}
	return n.take(now)
}

// roundLength is how long the slowest member may take to answer.
func (n *Node) roundLength() time.Duration {
	length := roundFloor
	for _, p := range n.order {
		length = max(length, 2*p.rtt)
	}
	return length
}

func (n *Node) askAll(questions []WitnessQuestion) {
	for _, p := range n.order {
		n.send(p, WitnessAsk{questions})
	}
}

// askHeals sends the questions that were collected.
func (n *Node) askHeals(now breaker.Instant) {
	for chunk := range slices.Chunk(n.heals, askLimit) {
		n.askAll(chunk)
	}
	for _, r := range n.rounds {
		if r.sent == 0 {
			r.sent = now
		}
	}
	n.heals, n.healAt = nil, 0
}

// onWitnessAsk answers what this node's gate saw.
func (n *Node) onWitnessAsk(p *peer, m WitnessAsk) {
	reply := WitnessReply{Answers: make([]WitnessAnswer, 0, len(m.Questions))}
	for _, q := range m.Questions {
		a := n.opt.Witness(q.Key, q.WitnessQuestion)
		a.Round, a.Node = q.Round, n.opt.Self
		reply.Answers = append(reply.Answers, WitnessAnswer{q.Key, a})
	}
	n.send(p, reply)
}

// onWitnessReply takes a member's answers. Ages in them count from when the
// question was sent: the time both messages travelled must not make a success
// look younger than the failures.
func (n *Node) onWitnessReply(p *peer, m WitnessReply, now breaker.Instant) {
	type id struct {
		key   breaker.Key
		round breaker.Stamp
	}
	open := make(map[id]*round, len(n.rounds))
	for _, r := range n.rounds {
		open[id{r.key, r.id}] = r
	}
	for _, a := range m.Answers {
		r := open[id{a.Key, a.Round}]
		if r == nil || r.sent == 0 {
			continue
		}
		i := slices.Index(r.waiting, p.ID)
		if i < 0 {
			continue
		}
		r.waiting = slices.Delete(r.waiting, i, i+1)
		a.Node = p.ID
		if a.Success != 0 {
			a.Success = a.Success.Add(-now.Sub(r.sent))
		}
		n.step(a.Key, a.WitnessAnswer)
	}
	n.expireRounds(now)
}

// expireRounds ends the rounds that all have answered or whose time is up.
func (n *Node) expireRounds(now breaker.Instant) {
	n.rounds = slices.DeleteFunc(n.rounds, func(r *round) bool {
		over := len(r.waiting) == 0 || now >= r.deadline
		if over {
			n.step(r.key, EndRound{r.id})
		}
		return over
	})
}
