package fleet_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// whyAnswer is what a test reads of "breaker why -o json".
type whyAnswer struct {
	Breaker      api.Breaker         `json:"breaker"`
	Beliefs      api.BeliefsResponse `json:"beliefs"`
	PolicyValues []api.PolicyValue   `json:"policy_values"`
	Events       []api.Event         `json:"events"`
}

// why asks a node about a host with ctl, in words and as JSON.
func why(t *testing.T, n *fleet.Node, host string) (words string, a whyAnswer) {
	t.Helper()
	code, words := runCtl(t, n.HTTP, "breaker", "why", host)
	if code != 0 {
		t.Fatalf("ctl exits %d\n%s", code, words)
	}
	out, err := exec.CommandContext(t.Context(), ctl, "--addr", n.HTTP, "breaker", "why", host, "-o", "json").Output()
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.Join(strings.Fields(words), " "), a // as if no line ended
}

// says fails the test unless all texts are there.
func says(t *testing.T, words string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(words, text) {
			t.Errorf("it does not say %q:\n%s", text, words)
		}
	}
}

// TestWhyTellsWhoBelievesOtherwise has one node reject by its own ring, one run
// another configuration and one that does not answer: why tells each, and who
// reported the failures that opened the breaker in the end.
func TestWhyTellsWhoBelievesOtherwise(t *testing.T) {
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 2)
	nodes = append(nodes, startNode(t, dir, "n3", "--cluster.peer", nodes[0].Gossip, "--breaker-defaults", "trial_calls:7"))
	awaitMembers(t, nodes)
	host := must(nodes[0].OwnHost(t.Context(), "why"))(t)

	fail(t, nodes[1], host, 5)
	awaitListed(t, "the ring of n2", nodes[0], host, func(b api.Breaker) bool { return slices.Equal(b.LocalNodes, []string{"n2"}) })
	for _, n := range nodes {
		words, a := why(t, n, host)
		says(t, words, "n1 (its owner) says: closed; policy as configured.",
			"n2 DIFFERS: its own ring is open for another", "(consecutive-failures): calls failed there",
			"n3 DIFFERS: Its configuration is another one")
		if a.Beliefs.Reference != "n1" || len(a.Beliefs.Beliefs) != 3 || !slices.Equal(a.Beliefs.Beliefs[1].Differs, []string{api.DiffersRing}) {
			t.Errorf("%s: got %+v", n.Name, a.Beliefs)
		}
	}

	fail(t, nodes[2], host, 5)
	awaitAll(t, "the trip", host, rejectedFor("consecutive-failures"), nodes...)
	words, a := why(t, nodes[1], host)
	says(t, words, "n1 (its owner) and n2 agree: open for another", "from node n2", "from node n3", "fail_max = 5", "closed > open: consecutive-failures")
	reporters := map[string]int{}
	for _, c := range a.Breaker.LastOpen.Counted {
		reporters[c.Node] += c.Count
	}
	if reporters["n2"] == 0 || reporters["n3"] == 0 || reporters["n2"]+reporters["n3"] < 5 || len(reporters) != 2 {
		t.Errorf("the failures are of %v; want five of n2 and n3", reporters)
	}
	if len(a.PolicyValues) == 0 || a.PolicyValues[0].Field != "fail_max" || a.PolicyValues[0].Origin == "" || len(a.Events) == 0 {
		t.Errorf("got the values %+v and the events %+v", a.PolicyValues, a.Events)
	}
	if code, out := runCtl(t, nodes[1].HTTP, "top", "--once"); code != 0 || !strings.Contains(out, host) || !strings.Contains(out, "members: 3 alive") {
		t.Errorf("top exits %d\n%s", code, out)
	}

	if err := nodes[2].Pause(); err != nil {
		t.Fatal(err)
	}
	defer nodes[2].Resume()
	words, a = why(t, nodes[0], host)
	says(t, words, "n3 did not answer: what it believes is not known.")
	if !slices.Contains(a.Beliefs.Missing, "n3") {
		t.Errorf("missing are %q", a.Beliefs.Missing)
	}
}

// TestWhySaysWhatIsFromDisk has a node that was killed believe its disk.
func TestWhySaysWhatIsFromDisk(t *testing.T) {
	dir := t.TempDir()
	n := startNode(t, dir, "n1")
	report(t, n, retryAfter(host, "600"))
	awaitListed(t, "it on disk", n, host, func(b api.Breaker) bool { return b.State == "open" && b.Durable })
	words, a := why(t, n, host)
	says(t, words, "HTTP status 429", `Retry-After "600"`, "node n1", "n1 (its owner) says: open for another", "retry_after_cap = 15m0s")
	if a.Beliefs.Beliefs[0].Disk {
		t.Errorf("it was seen, not read: %+v", a.Beliefs)
	}
	n.Kill()
	n = startNode(t, dir, "n1")
	words, a = why(t, n, host)
	says(t, words, "n1 (its owner, from its disk) says: open for another")
	if !a.Beliefs.Beliefs[0].Disk || a.Breaker.Since == nil {
		t.Errorf("got %+v of %+v", a.Beliefs, a.Breaker)
	}
}
