package node

import (
	"context"
	"slices"
	"sync"

	"fleetfuse/actors"
	"fleetfuse/telemetry/follow"
	"fleetfuse/tuner/planner"
)

// heard are the members that told the tuner here what was done before, and were not
// away since: who was may have had a tuner of its own, in a split.
type heard struct {
	mu  sync.Mutex
	ids map[string]bool // whether it told all
}

// missing lists those of some members that are still to be asked, and forgets who is
// not live; with anew all are.
func (h *heard) missing(members []follow.Member, anew bool) (list []follow.Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	still := map[string]bool{}
	for _, m := range members {
		if whole, told := h.ids[m.ID]; !anew && m.Live && told {
			still[m.ID] = whole
			continue
		}
		list = append(list, m)
	}
	h.ids = still
	return list
}

// add takes note of members that told, or told not all.
func (h *heard) add(members []follow.Member, cut []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range members {
		h.ids[m.ID] = !slices.Contains(cut, m.Name)
	}
}

// partly names those of some members that told not all.
func (h *heard) partly(members []follow.Member) (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range members {
		if whole, told := h.ids[m.ID]; told && !whole {
			names = append(names, m.Name)
		}
	}
	return names
}

// begin tells a tuner that has just come here what was done before. What members
// remember that did not answer, or come back, it tells as soon as they do.
func (t *tuning) begin(ctx context.Context) error {
	knows, err := actors.Consult(ctx, t.actor, (*planner.Planner).Knows)
	if err != nil {
		return err
	}
	members := t.heard.missing(everyone{t.node}.Members(), !knows)
	if knows && !slices.ContainsFunc(members, func(m follow.Member) bool { return m.Live }) {
		return nil
	}
	records, silent, cut := t.listOf(ctx, members, "")
	_, wall := t.node.clock.Both()
	_, err = actors.Consult(ctx, t.actor, func(p *planner.Planner) struct{} {
		p.Recall(wall, records)
		p.Recalled()
		return struct{}{}
	})
	if err == nil {
		t.heard.add(slices.DeleteFunc(members, func(m follow.Member) bool { return slices.Contains(silent, m.Name) }), cut)
	}
	return err
}
