package fleet_test

import (
	"testing"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// awaitDurable waits until every node has a host's breaker on its disk.
func awaitDurable(t *testing.T, host string, nodes []*fleet.Node) {
	t.Helper()
	for _, n := range nodes {
		awaitListed(t, "a durable copy at "+n.Name, n, host, func(b api.Breaker) bool { return b.State != "closed" && b.Durable })
	}
}

// expect fails the test unless the node's answer now is as wanted.
func expect(t *testing.T, what string, n *fleet.Node, host string, want func(api.AllowResponse) bool) {
	t.Helper()
	if a := allow(t, n, host); !want(a) {
		t.Errorf("%s: %s answers %+v for %s", what, n.Name, a, host)
	}
}

// TestRestartOfAllKeepsWhatWasSaid kills all nodes and starts them again, first
// on new ports with one peer, then on their last ports with none: a
// Retry-After and an operator's open hold from each node's first answer on.
func TestRestartOfAllKeepsWhatWasSaid(t *testing.T) {
	const asked, opened = "asked.example.org", "opened.example.org"
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3)
	report(t, nodes[0], retryAfter(asked, "120"))
	open(t, nodes[1], opened)
	awaitDurable(t, asked, nodes)
	awaitDurable(t, opened, nodes)
	check := func(what string, n *fleet.Node) {
		t.Helper()
		expect(t, what, n, asked, rejectedFor("retry-after"))
		expect(t, what, n, opened, rejectedFor("cli-open"))
	}

	fleet.KillAll(nodes)
	for i, old := range nodes {
		var peer []string
		if i > 0 {
			peer = []string{"--cluster.peer", nodes[0].Gossip}
		}
		nodes[i] = startNode(t, dir, old.Name, peer...)
		check("the first answer after a restart on new ports", nodes[i])
	}
	awaitMembers(t, nodes)
	for _, n := range nodes {
		check("together again", n)
	}

	fleet.KillAll(nodes)
	for i, old := range nodes {
		nodes[i] = startNode(t, dir, old.Name, "--cluster.listen-address", old.Gossip, "--actor.listen-address", old.Actor)
		check("the first answer after a restart with remembered seeds", nodes[i])
	}
	awaitMembers(t, nodes)
	for _, n := range nodes {
		check("together again by remembered seeds", n)
	}
	for _, n := range nodes {
		if a := allow(t, n, asked); a.RetryAfterMS <= 60_000 || a.RetryAfterMS > 120_000 {
			t.Errorf("%s: of 120 s %d ms remain after two restarts", n.Name, a.RetryAfterMS)
		}
	}
}

// TestCloseIsNotUndone closes breakers while a node is off that has their open
// on its disk and that owns one of them. The close holds when that node comes
// back, and also when it comes back first and the others join it.
func TestCloseIsNotUndone(t *testing.T) {
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3)
	others, away := nodes[:2], nodes[2]
	hosts := []string{must(others[0].OwnHost(t.Context(), "undone"))(t), must(away.OwnHost(t.Context(), "undone"))(t)}
	for _, host := range hosts {
		open(t, others[0], host)
		awaitDurable(t, host, nodes)
	}
	away.Kill()
	for _, host := range hosts {
		if r := must(others[0].Close(t.Context(), host))(t); !r.Durable || r.State != "closed" {
			t.Fatalf("close: %+v", r)
		}
		awaitAll(t, "the close", host, closed, others...)
	}

	var stops []func()
	for _, host := range hosts {
		stops = append(stops, watch(t, "an old open came back", host, rejected, others...))
	}
	nodes[2] = startNode(t, dir, away.Name, "--cluster.peer", others[0].Gossip)
	for _, host := range hosts {
		expect(t, "the first answer of the node that missed the close", nodes[2], host, closed)
	}
	awaitMembers(t, nodes)
	for i, host := range hosts {
		awaitAll(t, "the close", host, closed, nodes...)
		stops[i]()
	}
}

// TestCloseIsNotUndoneByTheFirstBack is TestCloseIsNotUndone where all nodes
// were off, and the one that missed the close is the first to come back.
func TestCloseIsNotUndoneByTheFirstBack(t *testing.T) {
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3)
	hosts := []string{must(nodes[0].OwnHost(t.Context(), "first"))(t), must(nodes[2].OwnHost(t.Context(), "first"))(t)}
	for _, host := range hosts {
		open(t, nodes[0], host)
		awaitDurable(t, host, nodes)
	}
	nodes[2].Kill()
	for _, host := range hosts {
		must(nodes[0].Close(t.Context(), host))(t)
		awaitAll(t, "the close", host, closed, nodes[:2]...)
	}
	fleet.KillAll(nodes)

	nodes[2] = startNode(t, dir, "n3")
	for _, host := range hosts {
		expect(t, "alone it believes its disk", nodes[2], host, rejectedFor("cli-open"))
	}
	for i, old := range nodes[:2] {
		nodes[i] = startNode(t, dir, old.Name, "--cluster.peer", nodes[2].Gossip)
		for _, host := range hosts {
			expect(t, "the first answer of a node that knows the close", nodes[i], host, closed)
		}
	}
	awaitMembers(t, nodes)
	for _, host := range hosts {
		awaitAll(t, "the close", host, closed, nodes...)
	}
}
