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

// hang is how long anything may take before a test gives it up.
const hang = 30 * time.Second

// startCluster starts nodes n1, n2, ... that end with the test.
func startCluster(t *testing.T, size int, args ...string) []*fleet.Node {
	t.Helper()
	return startClusterIn(t, t.TempDir(), size, args...)
}

func startClusterIn(t *testing.T, dir string, size int, args ...string) []*fleet.Node {
	t.Helper()
	nodes, err := fleet.Program{Binary: program, Dir: dir}.StartCluster(t.Context(), size, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fleet.KillAll(nodes) })
	return nodes
}

// startNode starts one more node, or one again.
func startNode(t *testing.T, dir, name string, args ...string) *fleet.Node {
	t.Helper()
	n, err := fleet.Program{Binary: program, Dir: dir}.Start(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Kill)
	return n
}

// must returns what a call returned, and fails the test if that was an error.
func must[T any](got T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
}

// await polls until something holds and returns how long that took.
func await(t *testing.T, what string, n *fleet.Node, holds func() (bool, error)) time.Duration {
	t.Helper()
	began := time.Now()
	if err := n.AwaitFor(t.Context(), hang, what, holds); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

// awaitAll waits until every node decides about a host as wanted. Its questions
// take permits while a breaker is half-open: awaitListed does not.
func awaitAll(t *testing.T, what, host string, want func(api.AllowResponse) bool, nodes ...*fleet.Node) time.Duration {
	t.Helper()
	began := time.Now()
	for _, n := range nodes {
		await(t, what+" at "+n.Name, n, func() (bool, error) {
			a, err := n.Allow(t.Context(), host)
			return err == nil && want(a), err
		})
	}
	return time.Since(began)
}

// awaitListed waits until a node shows a host's breaker as wanted.
func awaitListed(t *testing.T, what string, n *fleet.Node, host string, want func(api.Breaker) bool) {
	t.Helper()
	await(t, what, n, func() (bool, error) {
		b, err := n.Breaker(t.Context(), host)
		if err == nil && !want(b) {
			err = fmt.Errorf("%s is %s (%s) and owned by %q; %s", host, b.State, b.Reason, b.Owner, b.Note)
		}
		return err == nil, err
	})
}

// awaitMember waits until a node sees a member in a state.
func awaitMember(t *testing.T, n *fleet.Node, name, state string) time.Duration {
	t.Helper()
	return await(t, name+" "+state, n, func() (bool, error) {
		members, err := n.Members(t.Context())
		return slices.ContainsFunc(members, func(m api.Member) bool { return m.Name == name && m.State == state }), err
	})
}

// awaitMembers waits until every node sees all of them alive.
func awaitMembers(t *testing.T, nodes []*fleet.Node) {
	t.Helper()
	for _, n := range nodes {
		if err := n.AwaitMembers(t.Context(), len(nodes)); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitProblem waits until a node's status names a problem.
func awaitProblem(t *testing.T, n *fleet.Node, text string) {
	t.Helper()
	await(t, "the problem "+text, n, func() (bool, error) {
		st, err := n.Status(t.Context())
		return slices.ContainsFunc(st.Problems, func(p string) bool { return strings.Contains(p, text) }), err
	})
}

// watch watches a host until the test ends or the watch is stopped. Then no
// node must have given a wrong answer, and each must have answered.
func watch(t *testing.T, what, host string, wrong func(api.AllowResponse) bool, nodes ...*fleet.Node) (stop func()) {
	t.Helper()
	w := fleet.StartWatch(t.Context(), host, wrong, nodes...)
	for _, n := range nodes {
		await(t, "an answer of "+n.Name, n, func() (bool, error) { return w.Answers(n) > 0, nil })
	}
	t.Cleanup(w.Stop)
	return func() {
		t.Helper()
		w.Stop()
		for _, wrong := range w.Wrong() {
			t.Errorf("%s: %s", what, wrong)
		}
	}
}

func allowed(a api.AllowResponse) bool  { return a.Allowed }
func rejected(a api.AllowResponse) bool { return !a.Allowed }
func closed(a api.AllowResponse) bool   { return a.Allowed && a.State == "closed" }

func rejectedFor(reason string) func(api.AllowResponse) bool {
	return func(a api.AllowResponse) bool { return !a.Allowed && a.Reason == reason }
}

// fail reports failures of a host at a node, one after the other.
func fail(t *testing.T, n *fleet.Node, host string, times int) {
	t.Helper()
	for range times {
		report(t, n, api.Outcome{Host: host, Status: 503})
	}
}

// tripAll opens a host's breaker by failures on two nodes.
func tripAll(t *testing.T, host string, nodes ...*fleet.Node) {
	t.Helper()
	fail(t, nodes[0], host, 3)
	fail(t, nodes[1], host, 3)
	awaitAll(t, "a trip", host, rejectedFor("consecutive-failures"), nodes...)
}

// retryAfter is the outcome of a call that was told to come again later.
func retryAfter(host, seconds string) api.Outcome {
	return api.Outcome{Host: host, Status: 429, RetryAfter: seconds}
}

// open is an operator's open, which must be durable and held twice.
func open(t *testing.T, n *fleet.Node, host string) {
	t.Helper()
	if r := must(n.Open(t.Context(), host, 10*time.Minute))(t); !r.Durable || r.Copies < 2 || r.State != "open" {
		t.Fatalf("open of %s at %s: %+v; want it durable on two nodes", host, n.Name, r)
	}
}
