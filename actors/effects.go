package actors

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
)

// commitLimit bounds the write of an operator's word.
const commitLimit = 3 * time.Second

// carryOut does what a step asked for.
func (a *breakerActor) carryOut(c actor.Context, e breaker.Effects) {
	if e.Announce != nil {
		a.door.opt.Announcer.Announce(a.key, *e.Announce)
	}
	if e.Persist != nil {
		a.door.opt.Keeper.Put(a.key, *e.Persist)
	}
	a.wakeAt = e.WakeAt
	a.arm(c)
	if e.AskWitnesses != nil { // cannot happen while there is one member
		a.door.opt.Logger.Error("a witness round in a cluster of one", slog.String("key", string(a.key)))
	}
}

// operate carries out an operator's word: commit, announce, then the answer.
// The mailbox waits for the disk, so that nothing is announced out of order.
func (a *breakerActor) operate(c actor.Context, step func(breaker.Moment) breaker.Effects) OperatorResult {
	mo := a.moment()
	result := OperatorResult{Before: a.status(mo.Now), Copies: 1}
	e := step(mo)
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
	result.After = a.status(a.door.opt.Clock.Now())
	return result
}
