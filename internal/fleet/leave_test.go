package fleet_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// awaitExit waits for the end of a process, which must be an orderly one.
func awaitExit(t *testing.T, n *fleet.Node) {
	t.Helper()
	select {
	case <-n.Exited():
	case <-time.After(hang):
		t.Fatalf("node %s does not end\n%s", n.Name, n.Log())
	}
	if err := n.Err(); err != nil {
		t.Errorf("node %s ended with %v\n%s", n.Name, err, n.Log())
	}
}

// TestLeaveHandsOver makes n3 leave by the API and then n2 by SIGTERM. Each
// ends in order, the others show that it left, and what it owned stays open
// without a gap, with a new owner.
func TestLeaveHandsOver(t *testing.T) {
	nodes := startCluster(t, 3)
	for _, x := range []struct {
		how     string
		leaving *fleet.Node
		stay    []*fleet.Node
		leave   func(n *fleet.Node) error
	}{
		{"POST /v1/cluster/leave", nodes[2], nodes[:2], func(n *fleet.Node) error { _, err := n.Leave(t.Context()); return err }},
		{"SIGTERM", nodes[1], nodes[:1], (*fleet.Node).Stop},
	} {
		opened := must(x.leaving.OwnHost(t.Context(), "left-opened"))(t)
		tripped := must(x.leaving.OwnHost(t.Context(), "left-tripped"))(t)
		open(t, x.stay[0], opened)
		tripAll(t, tripped, append(slices.Clone(x.stay), x.leaving)...)
		awaitAll(t, "the open", opened, rejected, x.stay...)
		all := append(slices.Clone(x.stay), x.leaving) // also what it says while it drains
		stops := []func(){
			watch(t, x.how+": a call was allowed", opened, allowed, all...),
			watch(t, x.how+": a call was allowed", tripped, allowed, all...),
		}
		began := time.Now()
		if err := x.leave(x.leaving); err != nil {
			t.Fatal(err)
		}
		awaitExit(t, x.leaving)
		t.Logf("%s: the process ended after %v", x.how, time.Since(began))
		for _, n := range x.stay {
			awaitMember(t, n, x.leaving.Name, api.MemberLeft)
			for _, host := range []string{opened, tripped} {
				awaitListed(t, "a new owner", n, host, func(b api.Breaker) bool {
					return b.State == "open" && b.Owner != x.leaving.Name && b.Owner != "" && b.Note == ""
				})
			}
		}
		for _, stop := range stops {
			stop()
		}
	}
}

// TestCtlOnACluster runs ctl against each node: every one speaks for the whole
// cluster, and leave ends the node that was asked.
func TestCtlOnACluster(t *testing.T) {
	nodes := startCluster(t, 3)
	shared := must(nodes[1].OwnHost(t.Context(), "ctl"))(t)
	const lone = "lone.example.org"
	open(t, nodes[0], shared)
	awaitAll(t, "the open", shared, rejected, nodes...)
	fail(t, nodes[2], lone, 6)
	says := func(n *fleet.Node, args string, code int, want ...string) {
		t.Helper()
		got, out := runCtl(t, n.HTTP, strings.Fields(args)...)
		for _, text := range want {
			if got != code || !strings.Contains(out, text) {
				t.Errorf("%s: ctl %s: exit %d, want %d and %q\n%s", n.Name, args, got, code, text, out)
			}
		}
	}
	for _, n := range nodes {
		says(n, "status", 0, "n1", "n2", "n3")
		says(n, "cluster members", 0, "n1", "n2", "n3", n.Name+" (asked)", "alive", nodes[0].Actor, nodes[2].Actor)
		says(n, "cluster members -o json", 0, `"state": "alive"`, `"name": "n3"`)
		says(n, "cluster owner "+shared, 0, "n2", nodes[1].Actor)
		says(n, "breaker show", 0, shared, "cli-open", lone, "local", "n3")
		says(n, "breaker show "+shared, 0, "open", "n2")
		says(n, "breaker check "+shared, 1, "open")
	}
	says(nodes[2], "cluster leave", 0, "n3 is leaving")
	awaitExit(t, nodes[2])
	for _, n := range nodes[:2] {
		awaitMember(t, n, "n3", api.MemberLeft)
		says(n, "cluster members", 0, "left")
		says(n, "status", 0, "ready")
	}
	nodes[1].Kill()
	awaitMember(t, nodes[0], "n2", api.MemberLost)
	says(nodes[0], "status", 1, "member n2 was lost")
}
