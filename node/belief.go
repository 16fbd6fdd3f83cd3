package node

import (
	"context"
	"errors"
	"fmt"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry/follow"
)

// observeBelief is the name by which members ask what this node believes of a
// breaker.
const observeBelief = "belief"

// belief is what this node believes of a breaker, and so decides by.
func (b *board) belief(key breaker.Key) api.Belief {
	f := fleet{board: b}
	now := b.clock.Now()
	snap := b.Of(key)
	st := snap.At(now)
	a := api.Belief{
		Node: f.Name(b.id), ID: b.id, State: st.State.String(), Reason: string(st.Reason), Detail: st.Detail,
		Mode: string(b.policies.of(key).Mode), PolicyVersion: versionOf(snap.Overlay(breaker.RegisterOperator).Stamp),
		ConfigHash: fmt.Sprintf("%016x", b.policies.hash()),
	}
	if st.State == breaker.Open {
		a.RemainingMS = millisLeft(st.Until, now)
	}
	a.Disk = snap.Circuit.State != breaker.Closed && snap.Circuit.Disk && snap.Circuit.Until == st.Until
	for _, c := range snap.Cooldowns {
		a.Disk = a.Disk || c.Disk && c.Until == st.Until
	}
	if owner, ok := f.Owner(key); ok {
		a.Owner, a.OwnerID = owner.Name, owner.ID
	}
	snap.Overlays = nil // the stamp orders words about the state
	a.Stamp = versionOf(snap.MaxStamp())
	for _, r := range b.rings(key) {
		a.Ring = &api.Ring{State: r.Status.State.String(), Reason: string(r.Status.Reason)}
		if r.Status.State == breaker.Open {
			a.Ring.RemainingMS = millisLeft(r.Status.Until, now)
		}
	}
	return a
}

// millisLeft rounds up: what has not run out is never shown as 0.
func millisLeft(until, now breaker.Instant) int64 {
	const millisecond = 1_000_000
	return max(int64(until.Sub(now)+millisecond-1)/millisecond, 0)
}

// beliefs asks all members at once (httpapi.Beliefs).
func (n *Node) beliefs(ctx context.Context, key breaker.Key) (beliefs []api.Belief, missing []string) {
	answers, missing := askAll(everyone{n}.Members(), func(m follow.Member) (api.Belief, error) {
		b, err := ofMember(ctx, n, m.ID, observeBelief, api.BeliefQuery{Key: string(key)}, 0, func() (api.Belief, error) { return n.board.belief(key), nil })
		if err == nil && b.State == "" {
			err = errNoBelief
		}
		b.Node, b.ID = m.Name, m.ID // as this node calls it
		return b, err
	})
	for _, a := range answers {
		beliefs = append(beliefs, a.answer)
	}
	return beliefs, missing
}

// errNoBelief says that a member answered with none.
var errNoBelief = errors.New("an answer without a state")
