package simulation

import (
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
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
	switch q := s.Request.Body.(type) {
	case spread.Ask:
		n.tell(key, func(a *actor) { reply(a.ask(q.Question)) })
	case spread.Word:
		n.tell(key, func(a *actor) { a.operate(q, reply) })
	case spread.Lay:
		n.tell(key, func(a *actor) { a.lay(q, reply) })
	case spread.Hold:
		n.commitHere(key, q.Snapshot, func(err error) {
			if err != nil {
				reply(err)
				return
			}
			n.do(func(p *spread.Node, now breaker.Instant) spread.Effects { return p.Hold(now, s.From, key, q.Snapshot) })
			reply(spread.Held{})
		})
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
	n.request(wordLimit, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return s.Request(now, key, body, wordLimit)
	}, func(reply any) {
		switch reply.(type) {
		case spread.OperatorResult, spread.LayResult:
			done(reply)
		default:
			n.world.sometimes(SawStandIn)
			n.standIn(key, body, done)
		}
	})
}

// operate carries out an open or a close; the mailbox waits for the disks.
func (a *actor) operate(q spread.Word, done func(any)) {
	before := a.status()
	e := a.wordOf(a.machine, q)
	a.commit(e, func(result spread.OperatorResult) {
		result.Before, result.After = before, a.status()
		done(result)
	})
}

func (a *actor) status() breaker.Status {
	s := a.machine.Snapshot()
	return s.At(a.node.clock.Now())
}

func (a *actor) wordOf(m *breaker.Machine, q spread.Word) breaker.Effects {
	if q.Length == 0 {
		return m.Close(a.moment(), q.Author, q.Detail)
	}
	return m.OpenUntil(a.moment(), a.node.id, q.Length, q.Author, q.Detail)
}

// lay changes a policy.
func (a *actor) lay(q spread.Lay, done func(any)) {
	result, e := a.layOf(a.machine, q)
	if result.Conflict || len(result.Refused) > 0 {
		done(result)
		return
	}
	a.commit(e, func(r spread.OperatorResult) {
		result.Durable, result.Copies, result.Err = r.Durable, r.Copies, r.Err
		done(result)
	})
}

func (a *actor) layOf(m *breaker.Machine, q spread.Lay) (spread.LayResult, breaker.Effects) {
	s := m.Snapshot()
	was := s.Overlay(q.Register)
	result := spread.LayResult{Was: was, Overlay: was}
	if q.Match != nil && *q.Match != was.Stamp {
		result.Conflict = true
		return result, breaker.Effects{}
	}
	mo := a.moment()
	set, err := config.ParseOverlay(q.Set)
	if err != nil {
		result.Refused = []string{err.Error()}
		return result, breaker.Effects{}
	}
	next, err := a.node.policies.Amend(a.key, s, config.Amendment{
		Register: q.Register, Whole: q.Whole, Set: set, Unset: q.Unset, Length: q.Length, Author: q.Author, Reason: q.Reason,
	}, mo)
	if err != nil {
		result.Refused = []string{err.Error()}
		return result, breaker.Effects{}
	}
	e := m.Lay(mo, next)
	result.Overlay = next
	return result, e
}

// commit writes what a word did here and on one other member, announces it, and
// lets the mailbox go on.
func (a *actor) commit(e breaker.Effects, done func(spread.OperatorResult)) {
	finish := func(r spread.OperatorResult) {
		a.busy = false
		if a.node.actors[a.key] == a {
			a.carryOut(e)
			done(r)
			a.run()
		}
	}
	if e.Persist == nil {
		finish(spread.OperatorResult{})
		return
	}
	a.busy = true
	a.node.commit(a.key, *e.Persist, finish)
}

// standIn carries out a word on a key whose owner does not answer.
func (n *node) standIn(key breaker.Key, body any, done func(any)) {
	a := &actor{node: n, key: key, machine: breaker.New(n.policies.Of(key))}
	a.machine.Adopt(a.moment(), n.spread.View().Of(key))
	finish := func(e breaker.Effects, result func(spread.OperatorResult) any) {
		announce := func(r spread.OperatorResult) {
			if x := e.Announce; x != nil {
				n.do(func(s *spread.Node, now breaker.Instant) spread.Effects {
					return s.Announce(now, key, x.Snapshot, x.Derived)
				})
			}
			done(result(r))
		}
		if e.Persist == nil {
			announce(spread.OperatorResult{})
			return
		}
		n.commit(key, *e.Persist, announce)
	}
	switch q := body.(type) {
	case spread.Word:
		finish(a.wordOf(a.machine, q), func(r spread.OperatorResult) any {
			r.After = a.status()
			return r
		})
	case spread.Lay:
		result, e := a.layOf(a.machine, q)
		if result.Conflict || len(result.Refused) > 0 {
			done(result)
			return
		}
		finish(e, func(r spread.OperatorResult) any {
			result.Durable, result.Copies = r.Durable, r.Copies
			return result
		})
	}
}

// commit puts a word on this disk, then on one other member's.
func (n *node) commit(key breaker.Key, s breaker.Snapshot, done func(spread.OperatorResult)) {
	n.commitHere(key, s, func(err error) {
		r := spread.OperatorResult{Durable: err == nil, Copies: 1, Err: err}
		members := n.spread.Members()
		n.rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		n.hold(members[:min(len(members), holders)], key, s, r, done)
	})
}

// hold asks members, one after the other, until one holds the word.
func (n *node) hold(members []string, key breaker.Key, s breaker.Snapshot, r spread.OperatorResult, done func(spread.OperatorResult)) {
	if len(members) == 0 {
		done(r)
		return
	}
	n.request(holdLimit, func(p *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return p.RequestFrom(now, members[0], key, spread.Hold{Snapshot: s}, holdLimit)
	}, func(body any) {
		if _, ok := body.(spread.Held); ok {
			r.Copies++
			done(r)
			return
		}
		n.hold(members[1:], key, s, r, done)
	})
}

// commitHere writes a word with what else is believed of the key.
func (n *node) commitHere(key breaker.Key, s breaker.Snapshot, done func(error)) {
	merged := n.spread.View().Of(key)
	merged.Merge(s)
	n.disk.commit(key, merged, done)
}
