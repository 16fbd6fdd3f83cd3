package simulation

import (
	"errors"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
	"fleetfuse/config"
)

// carryOutWord has an actor carry out what an operator said, or a change of a policy;
// the mailbox waits for the disks.
func (a *actor) carryOutWord(body any, done func(any)) {
	switch q := body.(type) {
	case spread.Word:
		a.operate(q, done)
	case spread.Lay:
		a.lay(q, done)
	}
}

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
	a.busy = true
	a.node.commit(a.key, *e.Persist, a.within(), func(r spread.OperatorResult) { a.released(func() { finish(r) }) })
}

// within is by when a word that is committed from now on must be.
func (a *actor) within() breaker.Instant { return a.node.clock.Now().Add(words.CommitLimit) }

// lay changes a policy, when no other change of it is decided on this node.
func (a *actor) lay(q spread.Lay, done func(any)) {
	n, until := a.node, a.within()
	finish := func(reply any) {
		n.deciding.give(a.key)
		a.released(func() { done(reply) })
	}
	a.busy = true
	n.deciding.take(a.key, func() {
		if n.clock.Now() >= until {
			finish(words.ErrBusy)
			return
		}
		l := words.Lay(q, words.Site{
			Key: a.key, Machine: a.machine, Recall: n.spread.View().Of, Amend: n.amend, Moment: a.moment, CarryOut: a.carryOut,
		})
		if l.Made(func() []breaker.Overlay { return n.disk.past[a.key] }) {
			n.world.sometimes(SawMadeBefore)
		}
		a.layOn(l, until, finish)
	})
}

// layOn commits what a change makes, until it stands.
func (a *actor) layOn(l *words.Laying, until breaker.Instant, done func(any)) {
	s, more := l.Next()
	if !more {
		done(l.Result)
		return
	}
	a.node.commitOverlay(a.key, s, until, func(r spread.OperatorResult, later breaker.Overlay, err error) {
		if err != nil {
			done(err)
			return
		}
		l.Heard(r, later)
		a.layOn(l, until, done)
	})
}

// released lets the mailbox go on after a word. An actor whose key another node owns by
// now carries out the word that it began, and no other.
func (a *actor) released(do func()) {
	a.busy = false
	do()
	a.run()
}

// turns are locks by key: who waits goes on in the order in which they came.
type turns map[breaker.Key][]func()

func (t turns) take(key breaker.Key, do func()) {
	waiting, taken := t[key]
	if taken {
		t[key] = append(waiting, do)
		return
	}
	t[key] = nil
	do()
}

// give lets the next one go on.
func (t turns) give(key breaker.Key) {
	waiting := t[key]
	if len(waiting) == 0 {
		delete(t, key)
		return
	}
	t[key] = waiting[1:]
	waiting[0]()
}

// standIn carries out a word on a key whose owner does not answer, one after the
// other.
func (n *node) standIn(key breaker.Key, body any, done func(any)) {
	n.standing.take(key, func() {
		a := &actor{node: n, key: key, machine: breaker.New(n.policies.Of(key))}
		a.machine.Adopt(a.moment(), n.spread.View().Of(key))
		a.carryOutWord(body, func(result any) {
			done(result)
			n.standing.give(key)
		})
	})
}

func (a *actor) status() breaker.Status {
	s := a.machine.Snapshot()
	return s.At(a.node.clock.Now())
}

func (a *actor) wordOf(q spread.Word) breaker.Effects {
	if q.Length == 0 {
		e := a.machine.Close(a.moment(), q.Author, q.Detail)
		a.node.world.checks.closing(a.key.Name(), a.machine.Snapshot().Clear)
		return e
	}
	return a.machine.OpenUntil(a.moment(), a.node.id, q.Length, q.Author, q.Detail)
}

// amend is the overlay that a change makes.
func (n *node) amend(key breaker.Key, s breaker.Snapshot, q spread.Lay, mo breaker.Moment) (next breaker.Overlay, refused []string) {
	set, err := config.ParseOverlay(q.Set)
	if err == nil {
		next, err = n.policies.Amend(key, s, config.Amendment{
			Register: q.Register, Whole: q.Whole, Set: set, Unset: q.Unset, Length: q.Length, Author: q.Author, Reason: q.Reason,
		}, mo)
	}
	if err != nil {
		return next, []string{err.Error()}
	}
	return next, nil
}

// commit puts a word on this disk, then on another member's.
func (n *node) commit(key breaker.Key, s breaker.Snapshot, until breaker.Instant, done func(spread.OperatorResult)) {
	n.commitHere(key, s, func(err error) {
		h := words.HoldWord(n.spread.Heirs(key), s, n.owns(key))
		n.holdElsewhere(key, h, until, func() { done(h.Result(err, true)) })
	})
}

// commitOverlay puts an overlay on another member's disk, then on this one.
func (n *node) commitOverlay(key breaker.Key, s breaker.Snapshot, until breaker.Instant, done func(spread.OperatorResult, breaker.Overlay, error)) {
	h := words.HoldChange(n.spread.Heirs(key), s, n.owns(key))
	n.holdElsewhere(key, h, until, func() {
		if errors.Is(h.Err, words.ErrUnknown) {
			n.world.sometimes(SawUnknownWord)
		}
		if !h.Stands() {
			done(spread.OperatorResult{}, h.Later, h.Err)
			return
		}
		n.commitHere(key, s, func(err error) { done(h.Result(err, true), breaker.Overlay{}, nil) })
	})
}

// holdElsewhere has one other member hold something.
func (n *node) holdElsewhere(key breaker.Key, h *words.Holding, until breaker.Instant, done func()) {
	to, more := h.Next()
	if !more {
		done()
		return
	}
	limit := max(0, min(words.HoldLimit, until.Sub(n.clock.Now())))
	n.request(limit, func(p *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return p.RequestFrom(now, to, key, spread.Hold{Snapshot: h.Snapshot}, words.HoldLimit)
	}, func(body any) {
		held, _ := body.(spread.Held)
		err, _ := body.(error)
		if held.Busy {
			n.world.sometimes(SawBusyHolder)
		} else if held.Refused() {
			n.world.sometimes(SawHoldRefused)
		}
		heard := func() {
			h.Heard(held, err, n.owns(key), n.clock.Now() >= until)
			n.holdElsewhere(key, h, until, done)
		}
		if !held.Busy {
			heard()
			return
		}
		n.later(words.WhileBusy, heard)
	})
}

// holdFor commits what another node asks to be held, unless that is refused, or has
// to wait.
func (n *node) holdFor(from string, key breaker.Key, s breaker.Snapshot, reply func(any)) {
	known := n.spread.View().Of(key)
	if later, refuses := words.Refuses(known, s, func(o breaker.Overlay) bool { return n.disk.was(key, o) }); refuses {
		reply(spread.Held{Known: later})
		return
	}
	news := len(words.News(known, s)) > 0
	if _, busy := n.deciding[key]; news && busy {
		reply(spread.Held{Busy: true})
		return
	}
	write := func() {
		n.commitHere(key, s, func(err error) {
			if err != nil {
				n.committed.GiveUp(key)
				reply(err)
			} else {
				n.do(func(p *spread.Node, now breaker.Instant) spread.Effects { return p.Hold(now, from, key, s) })
				reply(spread.Held{})
			}
			if news {
				n.deciding.give(key)
			}
		})
	}
	if news {
		n.deciding.take(key, write)
		return
	}
	write()
}

// commitHere writes a word with what else is believed of the key.
func (n *node) commitHere(key breaker.Key, s breaker.Snapshot, done func(error)) {
	n.committed.Begin(key, s)
	n.disk.commit(key, n.committed.With(key, n.spread.View().Of(key)), done)
}
