package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"

	"fleetfuse/breaker"
)

// breakerActor is the mailbox around one machine.
type breakerActor struct {
	door    *Breakers
	key     breaker.Key
	machine *breaker.Machine // nil until recalled, and after a panic

	timer   *time.Timer
	ringsAt breaker.Instant // when the timer goes off; zero: it is not set
	wakeAt  breaker.Instant // when the machine wants its Tick; zero: never
	restAt  breaker.Instant // when to see whether it may be passivated
	round   breaker.Stamp   // the witness round about a trip that is under way, for metrics; zero: none
	leaving bool            // it gave up its name and passes messages on
}

// Receive is called by protoactor, one message at a time.
func (a *breakerActor) Receive(c actor.Context) {
	defer a.contain(c)
	switch msg := c.Message().(type) {
	case *actor.Started:
		a.key = breaker.Key(proto.GetClusterIdentity(c).Identity)
		a.enter()
		a.restLater(a.door.opt.Clock.Now())
		a.arm(c)
	case *proto.ClusterInit: // says again who it is
	case *actor.Stopping:
		a.stopTimer()
	case *actor.Restarting: // contain panicked; nothing should
		a.stopTimer()
		a.exit()
	case *actor.Stopped:
		a.exit()
	case *rang:
		a.rang(c)
	case *leave:
		c.Stop(c.Self())
	case *drop:
		if !a.leaving {
			a.passivate(c)
		}
	default:
		if a.leaving {
			a.passOn(c)
			return
		}
		a.step(c, msg)
	}
}

// step turns a message into a step of the machine.
func (a *breakerActor) step(c actor.Context, msg any) {
	if r, ok := msg.(*report); ok { // out of the mailbox, whatever comes of it
		a.door.counts.waiting.Add(-int64(len(r.outcomes)))
	}
	now := a.door.opt.Clock.Now()
	a.restLater(now)
	a.recall(c, msg)
	a.obey(c)
	if w, ok := msg.(interface{ lapsed(breaker.Instant) bool }); ok && w.lapsed(now) {
		return // a permit would be lost, and a word come after what it was to end
	}
	switch msg := msg.(type) {
	case *report:
		a.report(c, msg)
	case *ask:
		answer, e := a.machine.Ask(a.moment(), msg.question)
		a.answered(answer)
		a.carryOut(c, e)
		c.Respond(answer)
	case *inspect:
		c.Respond(a.machine.Inspect(now))
	case *openUntil:
		c.Respond(a.operate(c, func(mo breaker.Moment) breaker.Effects {
			return a.machine.OpenUntil(mo, a.door.opt.Node, msg.d, msg.author, msg.detail)
		}))
	case *closeNow:
		c.Respond(a.operate(c, func(mo breaker.Moment) breaker.Effects {
			return a.machine.Close(mo, msg.author, msg.detail)
		}))
	case *lay:
		a.lay(c, msg.change)
	default:
		a.hear(c, msg)
	}
}

// hear takes the messages that want no answer.
func (a *breakerActor) hear(c actor.Context, msg any) {
	mo := a.moment()
	switch msg := msg.(type) {
	case *cool:
		a.carryOut(c, a.machine.Cool(mo, msg.cooldown))
	case *adopt:
		a.carryOut(c, a.machine.Adopt(mo, msg.snapshot))
	case *joined:
		a.carryOut(c, a.machine.Joined(mo))
	case *witness:
		a.carryOut(c, a.machine.Witness(mo, msg.answer))
	case *endRound:
		e := a.machine.EndRound(mo, msg.round)
		a.roundOver(msg.round, e)
		a.carryOut(c, e)
	}
}

// refuse answers a message that wants one with an error.
func (a *breakerActor) refuse(c actor.Context, err error) {
	if c.Sender() != nil {
		c.Respond(err)
	}
}

// report counts a batch. Its outcomes arrived together, so they share a moment
// until one of them moves the breaker: no two transitions have one stamp.
func (a *breakerActor) report(c actor.Context, r *report) {
	if r.gap {
		a.machine.Gap(r.node)
	}
	mo := a.moment()
	for _, o := range r.outcomes {
		out := a.out(o, mo.Now)
		e := a.machine.Report(mo, o)
		a.probed(o, out, mo.Now)
		a.carryOut(c, e)
		if e.Announce != nil {
			mo = a.moment()
		}
	}
}

// contain answers a message whose step panicked. The machine is thrown away;
// the next message starts over from what the view and the store know.
func (a *breakerActor) contain(c actor.Context) {
	r := recover()
	if r == nil {
		return
	}
	a.door.counts.panics.Add(1)
	a.voidRound()
	a.door.opt.Logger.Error("a breaker panicked; it starts over from its last snapshot",
		slog.String("key", string(a.key)), slog.Any("panic", r),
		slog.String("message", fmt.Sprintf("%T", c.Message())), slog.String("stack", string(debug.Stack())))
	a.machine, a.wakeAt = nil, 0
	a.restLater(a.door.opt.Clock.Now())
	a.arm(c)
	a.refuse(c, fmt.Errorf("%w: %s: %v", ErrPanicked, a.key, r))
}

// recall starts the machine from what the view and the store know of the key.
// first is the message it is started for.
func (a *breakerActor) recall(c actor.Context, first any) {
	if a.machine != nil {
		return
	}
	machine := breaker.New(a.door.opt.Policy(a.key))
	known := a.door.opt.Recall(a.key)
	if m, ok := first.(*cool); ok { // its node has put it into the view; here it is news
		known.Cooldowns = slices.DeleteFunc(slices.Clone(known.Cooldowns), func(k breaker.Cooldown) bool {
			return k.Setter == m.cooldown.Setter && k.Stamp == m.cooldown.Stamp
		})
	}
	var e breaker.Effects
	if !known.Empty() {
		e = machine.Adopt(a.moment(), known)
	}
	a.machine = machine
	if a.status(a.door.opt.Clock.Now()).State == breaker.Closed { // nothing the view and the store do not know
		e.Announce, e.Persist = nil, nil
	}
	a.carryOut(c, e)
}

func (a *breakerActor) moment() breaker.Moment { return a.door.opt.Clock.Moment(a.door.opt.Members()) }

// status reads the machine's state.
func (a *breakerActor) status(now breaker.Instant) breaker.Status {
	s := a.machine.Snapshot()
	return s.At(now)
}
