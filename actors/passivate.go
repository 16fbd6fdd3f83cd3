package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// An actor has one timer, for the machine's Tick and for its own rest.
// protoactor's ReceiveTimeout is not used: it costs a second timer that every
// message resets, is off for good once it fired, and changes the context from
// the timer's goroutine without a lock.

// arm sets the timer to what is due next. One that goes off earlier stays: it
// finds nothing due and arms anew, so that a message costs no timer.
func (a *breakerActor) arm(c actor.Context) {
	at := a.restAt
	if a.wakeAt != 0 {
		at = min(at, a.wakeAt)
	}
	if a.leaving || a.ringsAt != 0 && a.ringsAt <= at {
		return
	}
	a.ringsAt = at
	d := max(at.Sub(a.door.opt.Clock.Now()), 0)
	if a.timer != nil {
		a.timer.Reset(d)
		return
	}
	self, root := c.Self(), c.ActorSystem().Root
	a.timer = time.AfterFunc(d, func() { root.Send(self, &rang{}) })
}

func (a *breakerActor) stopTimer() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// rang does what is due.
func (a *breakerActor) rang(c actor.Context) {
	if a.leaving {
		return
	}
	a.ringsAt = 0
	a.recall(c, nil)
	a.obey(c)
	mo := a.moment()
	if a.wakeAt != 0 && mo.Now >= a.wakeAt {
		a.carryOut(c, a.machine.Tick(mo))
	}
	if mo.Now >= a.restAt {
		if a.machine.Idle(mo) {
			a.passivate(c)
			return
		}
		a.restLater(mo.Now)
	}
	a.arm(c)
}

// restLater puts the rest off: there was a message, or there is something to
// remember.
func (a *breakerActor) restLater(now breaker.Instant) { a.restAt = now.Add(a.door.opt.IdleAfter) }

// passivate gives up the key. Messages that were sent before it did are still
// in the mailbox; they are passed on, the last one is its own.
func (a *breakerActor) passivate(c actor.Context) {
	a.leaving = true
	a.stopTimer()
	a.door.opt.Router.Passivated(kind, string(a.key), c.Self())
	c.Send(c.Self(), &leave{})
}

// passOn sends a message that came too late to the key's next actor. A witness
// round ends with the actor that asked.
func (a *breakerActor) passOn(c actor.Context) {
	switch c.Message().(type) {
	case *witness, *endRound:
		return
	}
	if a.door.opt.Router.Deliver(kind, string(a.key), c.Message(), c.Sender()) {
		return
	}
	if r, ok := c.Message().(*report); ok {
		a.door.lose(source{a.key, r.node}, int64(len(r.outcomes)))
	}
	a.refuse(c, fmt.Errorf("%w: %s", spread.ErrNoOwner, a.key))
}
