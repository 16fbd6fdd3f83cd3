package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// commitLimit bounds the write of an operator's word.
const commitLimit = 3 * time.Second

// carryOut does what a step asked for. What is announced goes into the node's
// view, and from there to the store: Effects.Persist needs no hand of its own.
func (a *breakerActor) carryOut(c actor.Context, e breaker.Effects) {
	if e.Announce != nil {
		a.door.opt.Announcer.Announce(a.key, *e.Announce)
	}
	a.wakeAt = e.WakeAt
	a.arm(c)
	if e.AskWitnesses != nil {
		a.door.opt.Announcer.AskWitnesses(a.key, *e.AskWitnesses)
	}
}

// operate carries out an operator's word: commit here and on one other member,
// announce, then the answer. The mailbox waits for the disk, so that nothing is
// announced out of order.
func (a *breakerActor) operate(c actor.Context, step func(breaker.Moment) breaker.Effects) spread.OperatorResult {
	mo := a.moment()
	before := a.status(mo.Now)
	e := step(mo)
	var result spread.OperatorResult
	if e.Persist != nil {
		ctx, cancel := context.WithTimeout(context.Background(), commitLimit)
		result = a.door.opt.Keeper.Commit(ctx, a.key, *e.Persist)
		cancel()
	}
	result.Before = before
	a.carryOut(c, e)
	result.After = a.status(a.door.opt.Clock.Now())
	return result
}

// StandIn carries out an operator's word on a key whose owner does not answer,
// an open or with a length of zero a close: it goes out with a fresh stamp, so
// the owner adopts it when it is back.
func (b *Breakers) StandIn(ctx context.Context, key breaker.Key, d time.Duration, author, detail string) spread.OperatorResult {
	m := breaker.New(b.opt.Policy(key))
	mo := b.opt.Clock.Moment(b.opt.Members())
	m.Adopt(mo, b.opt.Recall(key))
	known := m.Snapshot()
	before := known.At(mo.Now)
	mo = b.opt.Clock.Moment(b.opt.Members())
	var e breaker.Effects
	if d == 0 {
		e = m.Close(mo, author, detail)
	} else {
		e = m.OpenUntil(mo, b.opt.Node, d, author, detail)
	}
	var result spread.OperatorResult
	if e.Persist != nil {
		ctx, cancel := context.WithTimeout(ctx, commitLimit)
		result = b.opt.Keeper.Commit(ctx, key, *e.Persist)
		cancel()
	}
	if e.Announce != nil {
		b.opt.Announcer.Announce(key, *e.Announce)
	}
	now := m.Snapshot()
	result.Before, result.After = before, now.At(b.opt.Clock.Now())
	return result
}
