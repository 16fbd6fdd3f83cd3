package node

import (
	"context"
	"slices"
	"sync"

	"fleetfuse/actors"
	"fleetfuse/telemetry/follow"
	"fleetfuse/tuner/planner"
)

// unheard are members that did not answer when the tuner came here: what only they
// remember of what was done is not known yet.
type unheard struct {
	mu      sync.Mutex
	members []follow.Member
}

func (u *unheard) set(list []follow.Member) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.members = list
}

func (u *unheard) list() []follow.Member {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.members)
}

func (u *unheard) names() (names []string) {
	for _, m := range u.list() {
		names = append(names, m.Name)
	}
	return names
}

// begin tells a tuner that has just come here what was done before; what members that
// did not answer remember, it tells as soon as they do.
func (t *tuning) begin(ctx context.Context) error {
	knows, err := actors.Consult(ctx, t.actor, (*planner.Planner).Knows)
	if err != nil {
		return err
	}
	members := everyone{t.node}.Members()
	if knows {
		members = slices.DeleteFunc(members, func(m follow.Member) bool {
			return !slices.ContainsFunc(t.unheard.list(), func(x follow.Member) bool { return x.ID == m.ID })
		})
		if len(members) == 0 {
			t.unheard.set(nil) // who is not known any more is waited for no longer
			return nil
		}
	}
	records, silent := t.listOf(ctx, members, "")
	t.unheard.set(slices.DeleteFunc(members, func(m follow.Member) bool { return !slices.Contains(silent, m.Name) })) // before anything can be enforced
	_, wall := t.node.clock.Both()
	_, err = actors.Consult(ctx, t.actor, func(p *planner.Planner) struct{} {
		p.Recall(wall, records)
		p.Recalled()
		return struct{}{}
	})
	return err
}
