package simulation

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// actor is the mailbox around one machine, as package actors has it: one
// message at a time, and while an operator's word is being committed the others
// wait.
type actor struct {
	node    *node
	key     breaker.Key
	machine *breaker.Machine
	life    uint64 // of the world: which activation it is
	wakeAt  breaker.Instant
	busy    bool
	used    time.Duration // when it was last told something
	mailbox []func(*actor)
}

// tell puts a message into the mailbox of a key's actor, which is there from
// then on. Only an owner has actors.
func (n *node) tell(key breaker.Key, do func(*actor)) {
	if !n.owns(key) {
		return
	}
	a := n.actors[key]
	if a == nil {
		a = &actor{node: n, key: key, life: n.world.activation()}
		n.actors[key] = a
		n.later(idleAfter, a.rest)
	}
	a.used = n.world.now
	a.mailbox = append(a.mailbox, do)
	if len(a.mailbox) == 1 && !a.busy {
		n.later(0, a.run)
	}
}

// tellIfThere is tell for what a fresh actor need not hear.
func (n *node) tellIfThere(key breaker.Key, do func(*actor)) {
	if n.actors[key] != nil {
		n.tell(key, do)
	}
}

// idleAfter is how long an actor that remembers nothing stays (package actors).
const idleAfter = time.Minute

// rest passivates the actor if it remembers nothing.
func (a *actor) rest() {
	n := a.node
	if n.actors[a.key] != a {
		return
	}
	left := idleAfter - (n.world.now - a.used)
	if left <= 0 && !a.busy && len(a.mailbox) == 0 && a.machine != nil && a.machine.Idle(a.moment()) {
		n.world.checks.released(a)
		delete(n.actors, a.key)
		return
	}
	n.later(max(left, time.Second), a.rest)
}

// run works through the mailbox.
func (a *actor) run() {
	for len(a.mailbox) > 0 && !a.busy && a.node.actors[a.key] == a {
		do := a.mailbox[0]
		a.mailbox = a.mailbox[1:]
		a.recall()
		a.obey()
		do(a)
	}
}

func (a *actor) moment() breaker.Moment {
	return a.node.clock.Moment(a.node.spread.Known(a.node.clock.Now()))
}

// recall starts the machine from what the view knows.
func (a *actor) recall() {
	if a.machine != nil {
		return
	}
	a.machine = breaker.New(a.node.policies.Of(a.key))
	known := a.node.spread.View().Of(a.key)
	if known.Empty() {
		return
	}
	e := a.machine.Adopt(a.moment(), known)
	if s := a.machine.Snapshot(); s.At(a.node.clock.Now()).State == breaker.Closed {
		e.Announce, e.Persist = nil, nil
	}
	a.carryOut(e)
}

func (a *actor) obey() {
	if p := a.node.policies.Of(a.key); p != a.machine.Policy() {
		a.carryOut(a.machine.Replace(a.moment(), p))
	}
}

func (a *actor) carryOut(e breaker.Effects) {
	n := a.node
	if x := e.Announce; x != nil {
		for i := range x.Transitions {
			n.world.checks.moved(a, &x.Transitions[i])
		}
		n.do(func(s *spread.Node, now breaker.Instant) spread.Effects {
			return s.Announce(now, a.key, x.Snapshot, x.Derived)
		})
	}
	a.wake(e.WakeAt)
	if q := e.AskWitnesses; q != nil {
		n.world.checks.asked(a, q)
		n.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.AskWitnesses(now, a.key, *q) })
	}
}

// wake sets the machine's timer.
func (a *actor) wake(at breaker.Instant) {
	a.wakeAt = at
	if at == 0 {
		return
	}
	a.node.at(at, func() {
		if a.wakeAt != at || a.node.actors[a.key] != a {
			return
		}
		a.wakeAt = 0
		if a.busy {
			a.wake(a.node.clock.Now().Add(time.Millisecond))
			return
		}
		a.obey()
		a.carryOut(a.machine.Tick(a.moment()))
	})
}

// step tells an actor what the protocol wants it to hear.
func (n *node) step(s spread.Step) {
	switch do := s.Do.(type) {
	case spread.Count:
		n.tell(s.Key, func(a *actor) { a.count(do) })
	case spread.Cool:
		n.tell(s.Key, func(a *actor) { a.carryOut(a.machine.Cool(a.moment(), do.Cooldown)) })
	case spread.Adopt:
		tell := n.tellIfThere
		if do.Wake {
			tell = n.tell
		}
		tell(s.Key, func(a *actor) { a.carryOut(a.machine.Adopt(a.moment(), do.Snapshot)) })
	case spread.Activate:
		n.tell(s.Key, func(*actor) {})
	case spread.Joined:
		n.tellIfThere(s.Key, func(a *actor) { a.carryOut(a.machine.Joined(a.moment())) })
	case breaker.WitnessAnswer:
		n.tellIfThere(s.Key, func(a *actor) {
			n.world.checks.witnessed(a, do)
			a.carryOut(a.machine.Witness(a.moment(), do))
		})
	case spread.EndRound:
		n.tellIfThere(s.Key, func(a *actor) { a.carryOut(a.machine.EndRound(a.moment(), do.Round)) })
	}
}

// count counts a report. Its outcomes share a moment until one moves the
// breaker.
func (a *actor) count(r spread.Count) {
	if r.Gap {
		a.node.world.sometimes(SawGap)
		a.machine.Gap(r.Node)
	}
	mo := a.moment()
	for _, o := range r.Outcomes {
		before := a.node.world.checks.beforeReport(a, o)
		e := a.machine.Report(mo, o)
		a.node.world.checks.afterReport(a, before, o, e)
		a.carryOut(e)
		if e.Announce != nil {
			mo = a.moment()
		}
	}
}

// ask answers a question for a permit.
func (a *actor) ask(q breaker.Question) breaker.Answer {
	answer, e := a.machine.Ask(a.moment(), q)
	a.carryOut(e)
	a.node.world.checks.answered(a, q, answer)
	return answer
}
