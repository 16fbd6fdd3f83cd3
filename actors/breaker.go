package actors

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
)

// breakerActor is the mailbox around one machine.
type breakerActor struct {
	key     breaker.Key
	door    *Breakers
	machine *breaker.Machine
	timer   *time.Timer
	wakeAt  breaker.Instant
}

// idleAfter is how long an actor that has nothing to do stays.
const idleAfter = time.Minute

// commitLimit bounds the write of an operator's word.
const commitLimit = 3 * time.Second

// Receive is called by protoactor, one message at a time.
func (a *breakerActor) Receive(c actor.Context) {
	defer a.contain(c)
	switch msg := c.Message().(type) {
	case *actor.Started:
		c.SetReceiveTimeout(idleAfter)
		a.activate(c)
	case *actor.Stopping:
		a.stopTimer()
	case *actor.ReceiveTimeout:
		a.passivate(c)
	case *report:
		for _, o := range msg.outcomes {
			a.carryOut(c, a.machine.Report(a.moment(), o))
		}
	case *ask:
		answer, eff := a.machine.Ask(a.moment(), msg.question)
		a.carryOut(c, eff)
		c.Respond(answer)
	case *giveBack:
		a.carryOut(c, a.machine.Return(a.moment(), msg.permit))
	case *cool:
		a.carryOut(c, a.machine.Cool(a.moment(), msg.cooldown))
	case *wake:
		if msg.at == a.wakeAt {
			a.wakeAt = 0
			a.carryOut(c, a.machine.Tick(a.moment()))
		}
	case *inspect:
		c.Respond(a.machine.Inspect(a.moment().Now))
	case *replace:
		a.carryOut(c, a.machine.Replace(a.moment(), msg.policy))
	case *openUntil:
		a.operator(c, a.machine.OpenUntil(a.moment(), a.door.opt.Node, msg.d, msg.author, msg.detail))
	case *closeNow:
		a.operator(c, a.machine.Close(a.moment(), msg.author, msg.detail))
	}
}

// contain answers a message whose step panicked and starts over from what the
// view and the store know.
func (a *breakerActor) contain(c actor.Context) {
	r := recover()
	if r == nil {
		return
	}
	a.door.panics.Add(1)
	a.door.opt.Logger.Error("a breaker panicked; it starts over from its last snapshot",
		slog.String("key", string(a.key)), slog.Any("panic", r), slog.String("message", fmt.Sprintf("%T", c.Message())))
	if c.Sender() != nil {
		c.Respond(fmt.Errorf("%s: panic: %v", a.key, r))
	}
	a.activate(c)
}

// activate starts from what the view and the store know of the key.
func (a *breakerActor) activate(c actor.Context) {
	a.machine = breaker.New(a.door.opt.Policy(a.key))
	if known := a.door.opt.Recall(a.key); !known.Empty() {
		a.carryOut(c, a.machine.Adopt(a.moment(), known))
	}
}

// passivate stops an actor that remembers nothing the view and the store do
// not.
func (a *breakerActor) passivate(c actor.Context) {
	if !a.machine.Idle(a.moment()) {
		return
	}
	a.door.opt.Router.Passivated(kind, string(a.key), c.Self())
	c.Stop(c.Self())
}

func (a *breakerActor) moment() breaker.Moment { return a.door.opt.Clock.Moment(a.door.opt.Members()) }

// carryOut does what a step asked for.
func (a *breakerActor) carryOut(c actor.Context, e breaker.Effects) {
	if e.Announce != nil {
		a.door.opt.Announcer.Announce(a.key, *e.Announce)
	}
	if e.Persist != nil {
		a.door.opt.Keeper.Put(a.key, *e.Persist)
	}
	a.wake(c, e.WakeAt)
	if e.AskWitnesses != nil {
		a.door.opt.Logger.Error("a witness round in a cluster of one", slog.String("key", string(a.key)))
	}
}

// operator carries out an operator's word: written through, then answered.
func (a *breakerActor) operator(c actor.Context, e breaker.Effects) {
	before := breaker.Status{}
	if e.Announce != nil && len(e.Announce.Transitions) > 0 {
		before.State = e.Announce.Transitions[0].From
	}
	result := OperatorResult{Before: before, Copies: 1}
	if e.Persist != nil {
		ctx, cancel := context.WithTimeout(context.Background(), commitLimit)
		result.Err = a.door.opt.Keeper.Commit(ctx, a.key, *e.Persist)
		cancel()
		result.Durable = result.Err == nil && a.door.opt.Keeper.Lasting()
		if result.Err == nil {
			e.Persist = nil
		}
	}
	a.carryOut(c, e)
	now := a.door.opt.Clock.Now()
	snap := a.machine.Snapshot()
	result.After = snap.At(now)
	c.Respond(result)
}

// wake arms the one timer.
func (a *breakerActor) wake(c actor.Context, at breaker.Instant) {
	if at == a.wakeAt {
		return
	}
	a.stopTimer()
	a.wakeAt = at
	if at == 0 {
		return
	}
	self, root := c.Self(), c.ActorSystem().Root
	a.timer = time.AfterFunc(at.Sub(a.door.opt.Clock.Now()), func() { root.Send(self, &wake{at}) })
}

func (a *breakerActor) stopTimer() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
