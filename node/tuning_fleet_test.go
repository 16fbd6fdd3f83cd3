//go:build !race

// Several nodes in one process: see clocks_test.go.

package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/config"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/httpapi"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner/planner"
)

// pair starts two members; change may alter the options of each.
func pair(t *testing.T, change func(i int, o *Options)) [2]*Node {
	t.Helper()
	var nodes [2]*Node
	for i := range nodes {
		o := Options{
			Name: fmt.Sprint("n", i), Memory: true, HTTPListen: "127.0.0.1:0", Gossip: cluster.Gossip{Listen: "127.0.0.1:0", Label: "tuning"},
			Actor: cluster.Actor{Listen: "127.0.0.1:0"}, Version: "test", Logger: slog.New(slog.DiscardHandler),
		}
		if i > 0 {
			o.Gossip.Peers = []string{nodes[0].Addresses().Gossip}
		}
		if change != nil {
			change(i, &o)
		}
		n, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Stop)
		nodes[i] = n
	}
	soon(t, "both are members", func() bool {
		return len(nodes[0].Status().Members) == 2 && len(nodes[1].Status().Members) == 2 && nodes[0].tuning.hosts() != nodes[1].tuning.hosts()
	})
	return nodes
}

// soon waits until something holds; the limit only stops hangs.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain: ", what)
		}
	}
}

// hostFirst are the members, that with the tuner first.
func hostFirst(nodes [2]*Node) (host, other *Node) {
	if nodes[0].tuning.hosts() {
		return nodes[0], nodes[1]
	}
	return nodes[1], nodes[0]
}

// used has a node's callers make calls.
func used(n *Node, key breaker.Key, calls uint64) {
	n.Used(rollup.Series{Key: key}, &rollup.Counts{Successes: calls})
}

// Every member answers for the one that hosts the tuner, and says the same of what it
// does not know.
func TestWhoeverIsAsked(t *testing.T) {
	host, other := hostFirst(pair(t, nil))
	const key = breaker.Key("host:calm.example")
	used(other, key, 50)
	for _, n := range []*Node{host, other} {
		a, err := n.Advise(t.Context(), key, 10*time.Minute)
		if err != nil || a.Tuner != host.opt.Name || len(a.Nodes) != 2 || len(a.Breakers) != 1 || a.Breakers[0].Seen.Calls != 50 {
			t.Errorf("%s: %+v, %v; want the advice of %s, from what both saw", n.opt.Name, a, err, host.opt.Name)
		}
		var uncalled *httpapi.UncalledError
		if _, err := n.Advise(t.Context(), "host:never.example", 10*time.Minute); !errors.As(err, &uncalled) || uncalled.Window != 10*time.Minute || uncalled.Key != "host:never.example" {
			t.Errorf("%s of a host that nobody called: %v", n.opt.Name, err)
		}
		if _, err := n.Explain(t.Context(), "host:never.example"); !errors.As(err, &uncalled) {
			t.Errorf("%s explains a host that nobody called: %v", n.opt.Name, err)
		}
		// Until it has heard what was done nothing is enforced; then the plan is looked for.
		soon(t, "the tuner has begun", func() bool { return host.tuning.begin(t.Context()) == nil })
		if _, err := n.Enforce(t.Context(), "p-0", "ann"); !errors.Is(err, httpapi.ErrUnknownPlan) {
			t.Errorf("%s enforces a plan that never was: %v", n.opt.Name, err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := n.Advise(gone, key, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("%s when who asked has gone: %v", n.opt.Name, err)
		}
	}
	if _, err := observed[tunerAnswer](t.Context(), other, host.id, observeTuner, tunerQuery{What: "later"}, time.Second); err == nil {
		t.Error("a question of a later version is answered")
	}
	// It moves: the plan is not known any more, new advice is given.
	a, err := other.Advise(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	host.Stop()
	soon(t, "the tuner moved", func() bool {
		b, err := other.Advise(t.Context(), key, 0)
		return err == nil && b.Tuner == other.opt.Name
	})
	if err := other.tuning.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Enforce(t.Context(), a.ID, "ann"); !errors.Is(err, httpapi.ErrUnknownPlan) {
		t.Errorf("the plan of the tuner before: %v", err)
	}
}

// broken is a place where nothing can be shared.
type broken struct{ cooldownstore.Shared }

func (broken) Check(context.Context) ([]string, error) { return nil, errors.New("the place is away") }

// Why nothing is enforced is said in full, whoever is asked.
func TestEveryReasonIsSaid(t *testing.T) {
	nodes := pair(t, func(i int, o *Options) {
		c := config.Default()
		c.Tuner.Mode = config.TunerObserve
		if i == 1 {
			c.Tuner.MaxChanges = 5
		}
		o.Config = &c
		o.Shared = broken{memory.NewPlace().Open()}
	})
	for _, n := range nodes {
		soon(t, "sharing fails", func() bool { return len(n.unsound()) > 0 })
	}
	host, other := hostFirst(nodes)
	want := []string{
		"member " + other.opt.Name + " has another configuration than " + host.opt.Name,
		host.opt.Name + ": the shared store fails: the place is away", other.opt.Name + ": the shared store fails: the place is away",
		"the tuner only observes: set --tuner.mode to suggest, or to enforce",
	}
	for _, n := range nodes {
		var blocked *httpapi.BlockedError
		if _, err := n.Enforce(t.Context(), "p-0", "ann"); !errors.As(err, &blocked) {
			t.Fatalf("%s enforces: %v", n.opt.Name, err)
		}
		for _, reason := range want {
			if !slices.ContainsFunc(blocked.Reasons, func(s string) bool { return strings.HasPrefix(s, reason) }) {
				t.Errorf("%s says %q, not %q", n.opt.Name, blocked.Reasons, reason)
			}
		}
		if len(blocked.Reasons) != len(want) {
			t.Errorf("%s says %q", n.opt.Name, blocked.Reasons)
		}
	}
}

// An owner refuses what another member's tuner may not say.
func TestOwnerHoldsTheTunerToItsBoundsFromAfar(t *testing.T) {
	nodes := pair(t, nil)
	for i := range 100 {
		if key := breaker.HostKey(fmt.Sprintf("h%d.example", i)); nodes[0].board.owns(key) {
			sayTunersWords(t, nodes[1], key)
			return
		}
	}
	t.Fatal("a member owns nothing")
}

// A reset is recorded by all members, wherever it is made, and ends a trial wherever
// that is watched.
func TestAllMembersHearOfAReset(t *testing.T) {
	host, other := hostFirst(pair(t, nil))
	const key = breaker.Key("host:a.example")
	failing(t, host, key)
	if err := host.tuning.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := enforced(t, host, key, time.Now())
	host.tuning.keep(t.Context(), []planner.Record{r})
	host.tuning.recall(t.Context(), []planner.Record{r})
	if list := trials(t, host); len(list) != 1 {
		t.Fatalf("trials %+v", list)
	}
	if _, err := other.Change(t.Context(), key, httpapi.PolicyRequest{Whole: true, Reset: true}); err != nil {
		t.Fatal(err)
	}
	if list := trials(t, host); len(list) != 0 {
		t.Errorf("still on trial: %+v", list)
	}
	for _, n := range []*Node{host, other} {
		soon(t, n.opt.Name+" remembers both", func() bool {
			list, err := n.tuning.list(t.Context(), key)
			return err == nil && len(list) == 2 && list[0].Kind == "reset" && list[1].ID == r.ID
		})
	}
}

// What one member told and cannot have counted is not counted, and nothing is proposed
// out of bounds because of it.
func TestOneMemberTellsAbsurdCounts(t *testing.T) {
	host, other := hostFirst(pair(t, nil))
	const key = breaker.Key("host:a.example")
	other.Used(rollup.Series{Key: key}, absurd())
	host.Used(rollup.Series{Key: key}, &rollup.Counts{Successes: 100})
	a, err := host.Advise(t.Context(), key, time.Minute)
	if err != nil || len(a.Breakers) != 1 || a.Breakers[0].Seen.Calls != 100 || !slices.Equal(a.Missing, []string{other.opt.Name}) {
		t.Fatalf("%+v, %v; want 100 calls, and that %s is missing", a, err, other.opt.Name)
	}
	soundAdvice(t, &a)
	if err := host.tuning.observe(t.Context()); err != nil {
		t.Error(err)
	}
}
