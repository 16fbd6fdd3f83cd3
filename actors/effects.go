package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

// carryOut does what a step asked for. What is announced goes into the node's
// view, and from there to the store: Effects.Persist needs no hand of its own.
func (a *breakerActor) carryOut(c actor.Context, e breaker.Effects) {
	a.observe(e)
	if e.Announce != nil {
		a.door.opt.Announcer.Announce(a.key, *e.Announce)
	}
	a.wakeAt = e.WakeAt
	a.arm(c)
	if e.AskWitnesses != nil {
		a.door.opt.Announcer.AskWitnesses(a.key, *e.AskWitnesses)
	}
}

// operate carries out an operator's word, then answers.
func (a *breakerActor) operate(c actor.Context, step func(breaker.Moment) breaker.Effects) spread.OperatorResult {
	mo := a.moment()
	before := a.status(mo.Now)
	result := a.operated(c, step(mo))
	result.Before, result.After = before, a.status(a.door.opt.Clock.Now())
	return result
}

// operated commits what an operator's word did here and on one other member,
// then announces it. The mailbox waits for the disk, so that nothing is
// announced out of order.
func (a *breakerActor) operated(c actor.Context, e breaker.Effects) (result spread.OperatorResult) {
	if e.Persist != nil {
		ctx, cancel := context.WithTimeout(context.Background(), words.CommitLimit)
		result = a.door.opt.Keeper.Commit(ctx, a.key, *e.Persist)
		result.Entry = *e.Persist
		cancel()
	}
	a.carryOut(c, e)
	return result
}

// StandIn carries out an operator's word on a key whose owner does not answer,
// an open or with a length of zero a close: it goes out with a fresh stamp, so
// the owner adopts it when it is back.
func (b *Breakers) StandIn(ctx context.Context, key breaker.Key, d time.Duration, author, detail string) spread.OperatorResult {
	m := b.standIn(key)
	before := m.Inspect(b.opt.Clock.Now()).Status
	mo := b.opt.Clock.Moment(b.opt.Members())
	var e breaker.Effects
	if d == 0 {
		e = m.Close(mo, author, detail)
	} else {
		e = m.OpenUntil(mo, b.opt.Node, d, author, detail)
	}
	result := b.carryOut(ctx, key, e)
	now := m.Snapshot()
	result.Before, result.After = before, now.At(b.opt.Clock.Now())
	return result
}

// standIn is a machine that knows what this node does of a key.
func (b *Breakers) standIn(key breaker.Key) *breaker.Machine {
	m := breaker.New(b.opt.Policy(key))
	m.Adopt(b.opt.Clock.Moment(b.opt.Members()), b.opt.Recall(key))
	return m
}

// carryOut commits and announces what a machine that stands in says.
func (b *Breakers) carryOut(ctx context.Context, key breaker.Key, e breaker.Effects) (result spread.OperatorResult) {
	if e.Persist != nil {
		ctx, cancel := context.WithTimeout(ctx, words.CommitLimit)
		result = b.opt.Keeper.Commit(ctx, key, *e.Persist)
		cancel()
	}
	if e.Announce != nil {
		b.opt.Announcer.Announce(key, *e.Announce)
	}
	return result
}
