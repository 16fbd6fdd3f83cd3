package fleet_test

import (
	"testing"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// TestEventsInASplit: while a member is cut off a follower is told that it is
// missing; healed, what happened there. What both sides wrote down is told once.
func TestEventsInASplit(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 3)
	many, few := nodes[:2], nodes[2:]
	f := followAt(t, nodes[0], "")
	before := must(few[0].OwnHost(t.Context(), "before"))(t)
	open(t, nodes[0], before)
	awaitEvent(t, f, "an open", isEvent("operator", before))

	succeed(t, w.Cut(2))
	awaitLost(t, many, few)
	awaitLost(t, few, many)
	awaitMissing(t, f, few[0].Name)
	apart := must(few[0].Close(t.Context(), before))(t)
	if apart.State != "closed" {
		t.Fatalf("close on the side of few: %+v", apart)
	}
	hosts := said(t, "apart", many[0], few[0])
	both := must(many[0].OwnHost(t.Context(), "both"))(t)
	open(t, many[0], both)
	must(few[0].Open(t.Context(), both, hang*20))(t)
	awaitEvent(t, f, "what this side was told", isEvent("cooldown", hosts[0]))
	position := f.Told().Position

	succeed(t, w.Heal(2))
	awaitAgreement(t, nodes, nil)
	for _, x := range []*fleet.Follower{f, followAt(t, nodes[1], position)} {
		awaitMissing(t, x)
		awaitEvent(t, x, "what the other side was told", isEvent("cooldown", hosts[1]))
		awaitEvent(t, x, "the close of the other side", func(e api.Event) bool { return isEvent("operator", before)(e) && e.To == "closed" })
	}
	r := eventsAt(t, nodes[1])
	told := f.Close()
	once(t, told)
	for what, events := range map[string][]api.Event{"the stream": told.Events, "the list": r.Events} {
		if n := countEvents(events, "operator", before); n != 2 {
			t.Errorf("%s has %d operator's words about %s, want its open and its close\n%s", what, n, before, lines(events))
		}
		if n := countEvents(events, "operator", both); n != 2 {
			t.Errorf("%s has %d operator's words about %s, want one of each side\n%s", what, n, both, lines(events))
		}
	}
	if len(r.Missing) > 0 {
		t.Errorf("missing are %v after healing", r.Missing)
	}
}
