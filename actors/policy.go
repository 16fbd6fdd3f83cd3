package actors

import (
	"context"
	"slices"

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

// lay changes an overlay: commit on one other member and here, announce, then
// the answer. The mailbox waits meanwhile. The next step obeys it.
func (a *breakerActor) lay(c actor.Context, change spread.Lay) {
	result, err := a.door.lay(context.Background(), a.key, a.machine, change, a.moment, func(e breaker.Effects) { a.carryOut(c, e) })
	if err != nil {
		a.refuse(c, err)
		return
	}
	c.Respond(result)
}

// LayStandIn carries out the change of a policy whose owner does not answer.
// Where that has changed it meanwhile, the later change stays.
func (b *Breakers) LayStandIn(ctx context.Context, key breaker.Key, change spread.Lay) (spread.LayResult, error) {
	moment := func() breaker.Moment { return b.opt.Clock.Moment(b.opt.Members()) }
	return b.lay(ctx, key, b.standIn(key), change, moment, func(e breaker.Effects) {
		if e.Announce != nil {
			b.opt.Announcer.Announce(key, *e.Announce)
		}
	})
}

// maxStale is how often a change is made anew because another owner, who is none
// any more or not yet, made one meanwhile.
const maxStale = 5

// lay makes the change in a machine and has its effects carried out.
func (b *Breakers) lay(
	ctx context.Context, key breaker.Key, m *breaker.Machine, change spread.Lay, moment func() breaker.Moment, carryOut func(breaker.Effects),
) (result spread.LayResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	done, err := b.opt.Keeper.Decide(ctx, key)
	if err != nil {
		return result, err
	}
	defer done()
	if change.Again {
		if made, ok := b.opt.Keeper.Made(ctx, key, change.ID); ok {
			return b.madeBefore(ctx, key, m, made), nil
		}
	}
	for range maxStale {
		b.catchUp(key, m, moment(), carryOut)
		s := m.Snapshot()
		next, settled := b.next(key, s, change, moment(), &result)
		if settled {
			return result, nil
		}
		s.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{next}})
		done, later, err := b.opt.Keeper.CommitOverlay(ctx, key, s)
		if err != nil {
			return result, err
		}
		if later.Stamp == 0 {
			result.Overlay, result.Durable, result.Copies, result.Err = next, done.Durable, done.Copies, done.Err
			carryOut(m.Lay(moment(), next))
			return result, nil
		}
		carryOut(m.Adopt(moment(), breaker.Snapshot{Overlays: []breaker.Overlay{later}}))
	}
	result.Refused = []string{"other nodes change it all the time, while its owner changes; try again in a second"}
	return result, nil
}

// catchUp takes over the overlays that the view knows of and the machine does not:
// what this node holds for another one may still be in the mailbox.
func (b *Breakers) catchUp(key breaker.Key, m *breaker.Machine, mo breaker.Moment, carryOut func(breaker.Effects)) {
	known, own := b.opt.Recall(key), m.Snapshot()
	if slices.ContainsFunc(known.Overlays, func(o breaker.Overlay) bool { return o.Stamp > own.Overlay(o.Register).Stamp }) {
		carryOut(m.Adopt(mo, breaker.Snapshot{Overlays: known.Overlays}))
	}
}

// madeBefore answers a change that was made by an owner who was gone before it
// said so. What is in force may be later by now.
func (b *Breakers) madeBefore(ctx context.Context, key breaker.Key, m *breaker.Machine, made breaker.Overlay) spread.LayResult {
	s := m.Snapshot()
	done := b.opt.Keeper.Commit(ctx, key, s)
	return spread.LayResult{
		Was: breaker.Overlay{Register: made.Register, Stamp: made.Base}, Overlay: made, Durable: done.Durable, Copies: done.Copies, Err: done.Err,
	}
}

// next is the overlay that a change makes; settled if there is none to commit,
// and the result says why.
func (b *Breakers) next(key breaker.Key, s breaker.Snapshot, change spread.Lay, mo breaker.Moment, result *spread.LayResult) (next breaker.Overlay, settled bool) {
	*result = change.Unmade(s)
	was := result.Was
	if result.Conflict {
		return was, true
	}
	next, result.Refused = b.opt.Amend(key, s, change, mo)
	switch {
	case len(result.Refused) > 0:
		return was, true
	case next.Stamp == was.Stamp: // there is nothing to reset
		result.Durable, result.Copies = true, 1
		return was, true
	}
	next.Change = change.ID
	next.Author, next.Reason = breaker.Cut(next.Author), breaker.Cut(next.Reason)
	return next, false
}
