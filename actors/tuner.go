package actors

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/cluster/spread"
	"fleetfuse/tuner/planner"
)

// TunerIdentity names the one tuner of a cluster: the member that owns this key
// hosts it.
const TunerIdentity = "tuner:fleet"

// tunerKind names the tuner's actor in the cluster.
const tunerKind = "tuner"

// consultLimit bounds a step of the tuner: it works on what was gathered before.
const consultLimit = 5 * time.Second

// A Tuner is the door to the tuner's actor, if this node hosts it. It is safe for
// concurrent use.
type Tuner struct {
	fresh  func() *planner.Planner
	logger *slog.Logger
	post   post
}

// NewTuner makes the door; fresh makes what a tuner begins with. Kinds goes to
// the cluster, then Use connects the two.
func NewTuner(fresh func() *planner.Planner, logger *slog.Logger) *Tuner {
	return &Tuner{fresh: fresh, logger: logger}
}

// Kinds are the actors that the cluster must be able to activate, behind both doors.
func Kinds(b *Breakers, t *Tuner) map[string]*actor.Props {
	kinds := b.Kinds()
	kinds[tunerKind] = actor.PropsFromProducer(func() actor.Actor { return &tunerActor{door: t} })
	return kinds
}

// Use connects the door to a running cluster. Call it before anything else.
func (t *Tuner) Use(r Router, system *actor.ActorSystem) { t.post = post{r, system} }

// Consult has the tuner's actor take one step: in is called with its planner, one
// step after the other, and what it returns is returned. A step that was not begun when
// its caller gave up is not taken: its orders would be nobody's. The actor is activated
// if needed. It is spread.ErrNoOwner if another node hosts it.
func Consult[T any](ctx context.Context, t *Tuner, in func(*planner.Planner) T) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, consultLimit)
	defer cancel()
	step := &consult{ctx, func(p *planner.Planner) any { return in(p) }}
	return request[T](ctx, t.post, tunerKind, TunerIdentity, step, consultLimit)
}

// consult is a step of the planner, for as long as its caller waits.
type consult struct {
	ctx  context.Context
	step func(*planner.Planner) any
}

// tunerActor is the mailbox around the planner.
type tunerActor struct {
	door    *Tuner
	planner *planner.Planner // nil until it is needed, and after a panic
}

// Receive is called by protoactor, one message at a time.
func (a *tunerActor) Receive(c actor.Context) {
	msg, ok := c.Message().(*consult)
	if !ok {
		return
	}
	if msg.ctx.Err() != nil {
		c.Respond(fmt.Errorf("%w: %s: nobody waits any more", spread.ErrNoOwner, TunerIdentity))
		return
	}
	defer a.contain(c)
	if a.planner == nil {
		a.planner = a.door.fresh()
	}
	c.Respond(msg.step(a.planner))
}

// contain answers a step that panicked. What the planner knew is thrown away: the
// next step starts over from what members remember.
func (a *tunerActor) contain(c actor.Context) {
	r := recover()
	if r == nil {
		return
	}
	a.door.logger.Error("the tuner panicked; it starts over", slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
	a.planner = nil
	c.Respond(fmt.Errorf("%w: %s: %v", ErrPanicked, TunerIdentity, r))
}
