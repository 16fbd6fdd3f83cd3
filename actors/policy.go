package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// obey takes over the policy in force, where it is not the machine's any more.
// Every step begins with it, so none is decided by a policy that was replaced.
func (a *breakerActor) obey(c actor.Context) {
	if p := a.door.opt.Policy(a.key); p != a.machine.Policy() {
		a.carryOut(c, a.machine.Replace(a.moment(), p))
	}
}

// lay changes an overlay: commit here and on one other member, announce, then
// the answer. The next step obeys it.
func (a *breakerActor) lay(c actor.Context, change spread.Lay) spread.LayResult {
	return a.door.lay(a.key, a.machine, change, a.moment(), func(e breaker.Effects) spread.OperatorResult {
		return a.operated(c, e)
	})
}

// LayStandIn carries out the change of a policy whose owner does not answer.
// Where that has changed it meanwhile, the later change stays.
func (b *Breakers) LayStandIn(ctx context.Context, key breaker.Key, change spread.Lay) spread.LayResult {
	m := b.standIn(key)
	return b.lay(key, m, change, b.opt.Clock.Moment(b.opt.Members()), func(e breaker.Effects) spread.OperatorResult {
		return b.carryOut(ctx, key, e)
	})
}

// lay makes the change in a machine and has its effects carried out.
func (b *Breakers) lay(
	key breaker.Key, m *breaker.Machine, change spread.Lay, mo breaker.Moment, carryOut func(breaker.Effects) spread.OperatorResult,
) spread.LayResult {
	s := m.Snapshot()
	was := s.Overlay(change.Register)
	result := spread.LayResult{Was: was, Overlay: was}
	if change.Match != nil && *change.Match != was.Stamp {
		result.Conflict = true
		return result
	}
	next, refused := b.opt.Amend(key, s, change, mo)
	if len(refused) > 0 {
		result.Refused = refused
		return result
	}
	done := carryOut(m.Lay(mo, next))
	s = m.Snapshot()
	result.Overlay = s.Overlay(change.Register)
	result.Durable, result.Copies, result.Err = done.Durable, done.Copies, done.Err
	return result
}
