package fleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// TestNothingIsEnforcedInDoubt asks to enforce while a member is lost, and while
// configurations differ: it is refused, and all reasons are said.
func TestNothingIsEnforcedInDoubt(t *testing.T) {
	nodes := startCluster(t, 3)
	report(t, nodes[0], api.Outcome{Host: "calm.example", Status: 200, Count: 10})
	client := must(nodes[0].Admin())(t)
	plan := must(client.Advise(t.Context(), "", time.Minute))(t)
	if len(plan.Blocked) != 0 {
		t.Errorf("a healthy fleet blocks: %q", plan.Blocked)
	}
	host := slices.IndexFunc(nodes, func(n *fleet.Node) bool { return n.Name == plan.Tuner })
	nodes[(host+1)%3].Kill()
	lost := nodes[(host+1)%3].Name
	ask := nodes[(host+2)%3]
	await(t, "a lost member blocks", ask, func() (bool, error) {
		plan, err := must(ask.Admin())(t).Advise(t.Context(), "", time.Minute)
		return slices.ContainsFunc(plan.Blocked, func(why string) bool { return strings.Contains(why, lost) }), err
	})
	plan = must(must(ask.Admin())(t).Advise(t.Context(), "", time.Minute))(t)
	_, err := must(ask.Admin())(t).Enforce(t.Context(), plan.ID, "alice")
	if err == nil || !strings.Contains(fmt.Sprint(err), lost) {
		t.Errorf("enforced with a lost member: %v", err)
	}
}
