package simulation

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
)

// operate carries out an open or a close; the mailbox waits for the disks.
func (a *actor) operate(q spread.Word, done func(any)) {
	before := a.status()
	e := a.wordOf(q)
	finish := func(r spread.OperatorResult) {
		a.carryOut(e)
		r.Before, r.After, r.Entry = before, a.status(), a.machine.Snapshot()
		done(r)
	}
	if e.Persist == nil {
		finish(spread.OperatorResult{})
		return
	}
	a.hold(func() { a.node.commit(a.key, *e.Persist, a.released(finish)) })
}

// lay changes a policy: another member first, which may know of a later change.
func (a *actor) lay(q spread.Lay, done func(any)) {
	// What this node holds for another one may still be in the mailbox.
	a.carryOut(a.machine.Adopt(a.moment(), breaker.Snapshot{Overlays: a.node.spread.View().Of(a.key).Overlays}))
	s := a.machine.Snapshot()
	result, next, settled := a.layOf(s, q)
	if settled {
		done(result)
		return
	}
	s.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{next}})
	a.laying = true
	a.hold(func() {
		a.node.commitOverlay(a.key, s, func(r spread.OperatorResult, later breaker.Overlay) {
			a.laying = false
			a.released(func(r spread.OperatorResult) {
				if later.Stamp != 0 {
					a.carryOut(a.machine.Adopt(a.moment(), breaker.Snapshot{Overlays: []breaker.Overlay{later}}))
					a.lay(q, done)
					return
				}
				result.Durable, result.Copies, result.Err = r.Durable, r.Copies, r.Err
				a.carryOut(a.machine.Lay(a.moment(), next))
				done(result)
			})(r)
		})
	})
}

// hold has the mailbox wait until what is committed is released.
func (a *actor) hold(commit func()) {
	a.busy = true
	commit()
}

// released lets the mailbox go on after what was committed is carried out; an
// actor that is gone by then carries out nothing.
func (a *actor) released(do func(spread.OperatorResult)) func(spread.OperatorResult) {
	return func(r spread.OperatorResult) {
		a.busy = false
		if a.standsIn || a.node.actors[a.key] == a {
			do(r)
			a.run()
		}
	}
}

// standIn carries out a word on a key whose owner does not answer, one after the
// other.
func (n *node) standIn(key breaker.Key, body any, done func(any)) {
	waiting, busy := n.standing[key]
	if busy {
		n.standing[key] = append(waiting, func() { n.standInNow(key, body, done) })
		return
	}
	n.standing[key] = nil
	n.standInNow(key, body, done)
}

// stoodIn goes on with the next word that waits.
func (n *node) stoodIn(key breaker.Key) {
	waiting := n.standing[key]
	if len(waiting) == 0 {
		delete(n.standing, key)
		return
	}
	n.standing[key] = waiting[1:]
	waiting[0]()
}

func (n *node) standInNow(key breaker.Key, body any, done func(any)) {
	finish := func(result any) {
		done(result)
		n.stoodIn(key)
	}
	a := &actor{node: n, key: key, machine: breaker.New(n.policies.Of(key)), standsIn: true}
	a.machine.Adopt(a.moment(), n.spread.View().Of(key))
	switch q := body.(type) {
	case spread.Word:
		a.operate(q, finish)
	case spread.Lay:
		a.lay(q, finish)
	}
}

func (a *actor) status() breaker.Status {
	s := a.machine.Snapshot()
	return s.At(a.node.clock.Now())
}

func (a *actor) wordOf(q spread.Word) breaker.Effects {
	if q.Length == 0 {
		return a.machine.Close(a.moment(), q.Author, q.Detail)
	}
	return a.machine.OpenUntil(a.moment(), a.node.id, q.Length, q.Author, q.Detail)
}

// layOf is the overlay that a change makes; settled if there is none to commit.
func (a *actor) layOf(s breaker.Snapshot, q spread.Lay) (result spread.LayResult, next breaker.Overlay, settled bool) {
	result = q.Unmade(s)
	was := result.Was
	if result.Conflict {
		return result, was, true
	}
	set, err := config.ParseOverlay(q.Set)
	if err == nil {
		next, err = a.node.policies.Amend(a.key, s, config.Amendment{
			Register: q.Register, Whole: q.Whole, Set: set, Unset: q.Unset, Length: q.Length, Author: q.Author, Reason: q.Reason,
		}, a.moment())
	}
	if err != nil {
		result.Refused = []string{err.Error()}
		return result, was, true
	}
	result.Overlay = next
	return result, next, next.Stamp == was.Stamp
}

// commit puts a word on this disk, then on another member's.
func (n *node) commit(key breaker.Key, s breaker.Snapshot, done func(spread.OperatorResult)) {
	n.commitHere(key, s, func(err error) {
		n.holdElsewhere(n.heirs(key), key, s, func(copies int, _ breaker.Overlay) {
			done(spread.OperatorResult{Durable: err == nil, Copies: 1 + copies, Err: err})
		})
	})
}

// commitOverlay puts an overlay on another member's disk, then on this one.
func (n *node) commitOverlay(key breaker.Key, s breaker.Snapshot, done func(spread.OperatorResult, breaker.Overlay)) {
	n.holdElsewhere(n.heirs(key), key, s, func(copies int, later breaker.Overlay) {
		if later.Stamp != 0 {
			done(spread.OperatorResult{}, later)
			return
		}
		n.commitHere(key, s, func(err error) {
			done(spread.OperatorResult{Durable: err == nil, Copies: 1 + copies, Err: err}, later)
		})
	})
}

// heirs are the members that are asked to hold a word.
func (n *node) heirs(key breaker.Key) []string {
	heirs := n.spread.Heirs(key)
	return heirs[:min(len(heirs), holders)]
}

// whileBusy is how long a member that decides about the key itself is given.
const whileBusy = 20 * time.Millisecond

// holdElsewhere asks members, one after the other, until one holds the word or
// refuses it for an overlay that it knows.
func (n *node) holdElsewhere(members []string, key breaker.Key, s breaker.Snapshot, done func(copies int, later breaker.Overlay)) {
	if len(members) == 0 {
		done(0, breaker.Overlay{})
		return
	}
	n.request(holdLimit, func(p *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return p.RequestFrom(now, members[0], key, spread.Hold{Snapshot: s}, holdLimit)
	}, func(body any) {
		held, ok := body.(spread.Held)
		switch {
		case !ok:
			n.holdElsewhere(members[1:], key, s, done)
		case held.Busy:
			n.later(whileBusy, func() { n.holdElsewhere(members, key, s, done) })
		case held.Refused():
			done(0, held.Known)
		default:
			done(1, breaker.Overlay{})
		}
	})
}

// holdFor commits what another node asks to be held, unless it supersedes an
// overlay that its maker does not know of.
func (n *node) holdFor(from string, key breaker.Key, s breaker.Snapshot, reply func(any)) {
	known := n.spread.View().Of(key)
	news := false
	for _, o := range s.Overlays {
		later, unknown := n.spread.Foresees(key, o)
		if unknown {
			reply(spread.Held{Known: later})
			return
		}
		news = news || o.Stamp > known.Overlay(o.Register).Stamp
	}
	if a := n.actors[key]; news && (a != nil && a.laying || n.holding[key]) {
		reply(spread.Held{Busy: true})
		return
	}
	n.holding[key] = news
	n.commitHere(key, s, func(err error) {
		delete(n.holding, key)
		if err != nil {
			reply(err)
			return
		}
		n.do(func(p *spread.Node, now breaker.Instant) spread.Effects { return p.Hold(now, from, key, s) })
		reply(spread.Held{})
	})
}

// commitHere writes a word with what else is believed of the key.
func (n *node) commitHere(key breaker.Key, s breaker.Snapshot, done func(error)) {
	merged := n.spread.View().Of(key)
	merged.Merge(s)
	n.disk.commit(key, merged, done)
}
