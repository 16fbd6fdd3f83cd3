package simulation

import (
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
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
	case spread.Word, spread.Lay:
		n.tell(key, func(a *actor) {
			if wanted() {
				a.carryOutWord(q, reply)
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
	n.decide(key, body, n.clock.Now().Add(words.DecideLimit), done)
}

// decide has the owner carry out a word, and whoever owns the key next if that is not
// who was asked.
func (n *node) decide(key breaker.Key, body any, until breaker.Instant, done func(any)) {
	left := until.Sub(n.clock.Now())
	if left <= 0 {
		done(words.ErrDisagree)
		return
	}
	owner := n.spread.Owner(key)
	n.askOwner(owner, key, body, left, func(reply any) {
		err, _ := reply.(error)
		step := words.After(owner, n.spread.Owner(key), err)
		if n.clock.Now() >= until {
			step = words.Answered
		}
		body := words.Again(body)
		switch step {
		case words.Answered:
			done(reply)
		case words.StandIn:
			n.world.sometimes(SawStandIn)
			n.standIn(key, body, done)
		case words.AskAgain:
			n.later(words.HandOver, func() { n.decide(key, body, until, done) })
		}
	})
}

// askOwner has a member carry out a word, or this node's own actor.
func (n *node) askOwner(owner string, key breaker.Key, body any, left time.Duration, done func(any)) {
	if owner != n.id {
		n.request(min(words.WordLimit, left), func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
			return s.RequestFrom(now, owner, key, body, words.WordLimit)
		}, done)
		return
	}
	answered := false
	answer := func(reply any) {
		if !answered {
			answered = true
			done(reply)
		}
	}
	limit := min(words.ActorLimit, left)
	until := n.clock.Now().Add(limit)
	n.tell(key, func(a *actor) {
		if n.clock.Now() < until {
			a.carryOutWord(body, answer)
		}
	})
	n.later(limit, func() { answer(errNoReply) })
}
