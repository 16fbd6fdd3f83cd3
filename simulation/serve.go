package simulation

import (
	"errors"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// Limits of requests (package node).
const (
	wordLimit = 6 * time.Second
	holdLimit = 2 * time.Second
	holders   = 3
)

// Ask implements gate.Owner.
func (n *node) Ask(key breaker.Key, q breaker.Question, limit time.Duration, answer func(breaker.Answer, error)) {
	if n.owns(key) {
		n.tell(key, func(a *actor) { answer(a.ask(q), nil) })
		return
	}
	n.request(limit, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) { return s.Ask(now, key, q) }, func(body any) {
		if a, ok := body.(breaker.Answer); ok {
			answer(a, nil)
			return
		}
		n.world.sometimes(SawNoOwner)
		answer(breaker.Answer{}, errNoReply)
	})
}

// Report implements gate.Owner.
func (n *node) Report(key breaker.Key, outcomes []breaker.Outcome) {
	n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Report(now, key, outcomes) })
}

// Return implements gate.Owner.
func (n *node) Return(key breaker.Key, id breaker.PermitID) {
	n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Return(now, key, id) })
}

// Cool implements gate.Owner.
func (n *node) Cool(key breaker.Key, c breaker.Cooldown) {
	n.world.checks.cooled(n, key, c)
	n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Cool(now, key, c) })
}

// serve answers a request of a member.
func (n *node) serve(s spread.Serve) {
	key := s.Request.Key
	reply := func(body any) {
		n.do(func(p *spread.Node, now breaker.Instant) spread.Effects {
			return p.Reply(now, s.From, s.Request.ID, body)
		})
	}
	wanted := func() bool { return s.Until == 0 || n.clock.Now() < s.Until }
	switch q := s.Request.Body.(type) {
	case spread.Ask:
		n.tell(key, func(a *actor) { reply(a.ask(q.Question)) })
	case spread.Word:
		n.tell(key, func(a *actor) {
			if wanted() {
				a.operate(q, reply)
			}
		})
	case spread.Lay:
		n.tell(key, func(a *actor) {
			if wanted() {
				a.lay(q, reply)
			}
		})
	case spread.Hold:
		n.holdFor(s.From, key, q.Snapshot, reply)
	default:
		reply(fmt.Errorf("a request for a %T is not served", q))
	}
}

// say is an operator's word about a key, said to this node: the owner's to carry
// out, or this node's own if no owner answers.
func (n *node) say(key breaker.Key, body any, done func(any)) {
	if n.owns(key) {
		n.tell(key, func(a *actor) {
			switch q := body.(type) {
			case spread.Word:
				a.operate(q, done)
			case spread.Lay:
				a.lay(q, done)
			}
		})
		return
	}
	owner := n.spread.Owner(key)
	n.request(wordLimit, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return s.Request(now, key, body, wordLimit)
	}, func(reply any) {
		err, failed := reply.(error)
		switch {
		case !failed:
			done(reply)
		case errors.Is(err, spread.ErrNotOwner), errors.Is(err, spread.ErrMoved), n.spread.Owner(key) != owner && n.spread.Owner(key) != "":
			n.later(handOver, func() { n.say(key, body, done) })
		default:
			n.world.sometimes(SawStandIn)
			n.standIn(key, body, done)
		}
	})
}

// handOver is how long an owner that has just changed is given (package node).
const handOver = 50 * time.Millisecond
