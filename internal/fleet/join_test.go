package fleet_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// TestTwoNodesOfOneName gives two nodes one display name: both are members, and
// every status says so.
func TestTwoNodesOfOneName(t *testing.T) {
	dir := t.TempDir()
	a := startNode(t, dir, "a", "--node.name", "twin")
	b := startNode(t, dir, "b", "--node.name", "twin", "--cluster.peer", a.Gossip)
	awaitMembers(t, []*fleet.Node{a, b})
	for _, n := range []*fleet.Node{a, b} {
		awaitProblem(t, n, "2 members are called twin")
	}
	host := must(a.OwnHost(t.Context(), "twin"))(t)
	tripAll(t, host, b, a) // they are two witnesses
}

// TestSeedsThatNeverAnswer starts a node with a peer that takes connections and
// says nothing, one that refuses them, and a name that does not exist: it is
// ready soon, and a member that it can reach is joined all the same.
func TestSeedsThatNeverAnswer(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts; the kernel does
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing.Close()
	dead := []string{
		"--cluster.peer", mute.Addr().String(), "--cluster.peer", refusing.Addr().String(), "--cluster.peer", "no-such-host.invalid:7141",
	}
	dir := t.TempDir()
	began := time.Now()
	a := startNode(t, dir, "a", dead...)
	alone := time.Since(began)
	if got := allow(t, a, host); !got.Allowed {
		t.Errorf("a node that reaches no seed answers %+v", got)
	}
	began = time.Now()
	b := startNode(t, dir, "b", append(dead, "--cluster.peer", a.Gossip)...)
	beside := time.Since(began)
	t.Logf("ready after %v with dead seeds alone, after %v with a living one beside them", alone, beside)
	if limit := 5 * time.Second; alone > limit || beside > limit {
		t.Errorf("it took more than %v", limit)
	}
	awaitMembers(t, []*fleet.Node{a, b})
}

// TestOtherLabelDoesNotJoin gives a node another label than its peer: neither
// becomes a member of the other's cluster, and both work.
func TestOtherLabelDoesNotJoin(t *testing.T) {
	dir := t.TempDir()
	a := startNode(t, dir, "a", "--cluster.label", "east")
	b := startNode(t, dir, "b", "--cluster.label", "west", "--cluster.peer", a.Gossip)
	c := startNode(t, dir, "c", "--cluster.label", "east", "--cluster.peer", a.Gossip, "--cluster.peer", b.Gossip)
	for _, n := range []*fleet.Node{a, c} {
		if err := n.AwaitMembers(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
	}
	report(t, a, retryAfter(host, "60"))
	awaitAll(t, "the Retry-After in its own cluster", host, rejected, c)
	began := time.Now()
	await(t, "some rounds of gossip", b, func() (bool, error) { return time.Since(began) > 2*time.Second, nil })
	expect(t, "what another cluster knows", b, host, closed)
	for n, want := range map[*fleet.Node]int{a: 2, b: 1, c: 2} {
		if members := must(n.Members(t.Context()))(t); len(members) != want {
			t.Errorf("%s has the members %+v; want %d", n.Name, members, want)
		}
	}
}

// TestConfigMismatchIsAProblem gives two members different policies: they form
// a cluster, and every status and ctl say that they differ.
func TestConfigMismatchIsAProblem(t *testing.T) {
	dir := t.TempDir()
	a := startNode(t, dir, "a", "--breaker-defaults", "fail_max:5")
	b := startNode(t, dir, "b", "--breaker-defaults", "fail_max:7", "--cluster.peer", a.Gossip)
	awaitMembers(t, []*fleet.Node{a, b})
	for n, other := range map[*fleet.Node]string{a: "b", b: "a"} {
		awaitProblem(t, n, "config mismatch: "+other)
		if code, out := runCtl(t, n.HTTP, "status"); code != 1 || !strings.Contains(out, "config mismatch") {
			t.Errorf("ctl status at %s: exit %d, want 1 and the mismatch\n%s", n.Name, code, out)
		}
	}
	for _, m := range must(a.Members(t.Context()))(t) {
		if m.State != api.MemberAlive || m.ConfigHash == "" {
			t.Errorf("member %+v; want it alive, with a hash", m)
		}
	}
}

// TestReachBeyondLoopbackIsRefused listens beyond loopback without keys: the
// refusal names the flag, what guards it, and the way to accept the risk.
func TestReachBeyondLoopbackIsRefused(t *testing.T) {
	for _, x := range []struct{ flag, guard string }{
		{"--cluster.listen-address", "--cluster.keyring-file"},
		{"--actor.listen-address", "--tls.cert-file"},
		{"--http.listen-address", "--tls.ca-file"},
	} {
		n, err := fleet.Program{Binary: program, Dir: t.TempDir()}.Start(t.Context(), "n1", x.flag, "0.0.0.0:0")
		if err == nil {
			n.Kill()
			t.Errorf("%s 0.0.0.0:0 without keys: the node started", x.flag)
			continue
		}
		for _, want := range []string{x.flag, x.guard, "--insecure"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s beyond loopback: %v; want %s named", x.flag, err, want)
			}
		}
	}
}
