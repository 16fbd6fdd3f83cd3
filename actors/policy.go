package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

// obey takes over the policy in force, where it is not the machine's any more.
// Every step begins with it, so none is decided by a policy that was replaced.
func (a *breakerActor) obey(c actor.Context) {
	if p := a.door.opt.Policy(a.key); p != a.machine.Policy() {
		a.carryOut(c, a.machine.Replace(a.moment(), p))
	}
}

// lay changes an overlay: commit on one other member and here, announce, then
// the answer. The mailbox waits meanwhile. The next step obeys it.
func (a *breakerActor) lay(c actor.Context, change spread.Lay) {
	result, err := a.door.lay(context.Background(), a.key, a.machine, change, func(e breaker.Effects) { a.carryOut(c, e) })
	if err != nil {
		a.refuse(c, err)
		return
	}
	c.Respond(result)
}

// LayStandIn carries out the change of a policy whose owner does not answer.
// Where that has changed it meanwhile, the later change stays.
func (b *Breakers) LayStandIn(ctx context.Context, key breaker.Key, change spread.Lay) (spread.LayResult, error) {
	return b.lay(ctx, key, b.standIn(key), change, func(e breaker.Effects) {
		if e.Announce != nil {
			b.opt.Announcer.Announce(key, *e.Announce)
		}
	})
}

// lay makes the change in a machine and has its effects carried out.
func (b *Breakers) lay(
	ctx context.Context, key breaker.Key, m *breaker.Machine, change spread.Lay, carryOut func(breaker.Effects),
) (result spread.LayResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, words.CommitLimit)
	defer cancel()
	done, err := b.opt.Keeper.Decide(ctx, key)
	if err != nil {
		return result, err
	}
	defer done()
	l := words.Lay(change, words.Site{
		Key: key, Machine: m, Recall: b.opt.Recall, Amend: b.opt.Amend, CarryOut: carryOut,
		Moment: func() breaker.Moment { return b.opt.Clock.Moment(b.opt.Members()) },
	})
	l.Made(func() []breaker.Overlay { return b.opt.Keeper.Past(ctx, key) })
	for s, more := l.Next(); more; s, more = l.Next() {
		done, later, err := b.opt.Keeper.CommitOverlay(ctx, key, s)
		if err != nil {
			return l.Result, err
		}
		l.Heard(done, later)
	}
	return l.Result, nil
}
