package tuning_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/internal/fleet"
)

// program is the node, built once for all tests here.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "tuning")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "node")
		build := exec.Command("go", "build", "-o", program, "fleetfuse/cmd/node")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build:", err)
			return 1
		}
		return m.Run()
	}())
}

// startCluster starts three nodes that judge by the shortest spans.
func startCluster(t *testing.T) []*fleet.Node {
	t.Helper()
	nodes, err := fleet.Program{Binary: program, Dir: t.TempDir()}.StartCluster(t.Context(), 3,
		"--tuner.interval", "10s", "--tuner.window", "5m", "--breaker-defaults", "fail_max:1000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fleet.KillAll(nodes) })
	return nodes
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

// valueOf is a number of a policy.
func valueOf(p api.PolicyResponse, field string) float64 {
	for _, v := range p.Values {
		if x, ok := v.Value.(float64); ok && v.Field == field {
			return x
		}
	}
	return 0
}

// limiter is a host that answers a share of the calls of all nodes with 429, or,
// when it is worse, fails most of them.
type limiter struct {
	host  string
	worse atomic.Bool
}

// work has every node call the host until the test ends.
func (l *limiter) work(t *testing.T, nodes []*fleet.Node) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() {
		stop()
		<-done
	})
	go func() {
		defer close(done)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			outcomes := []api.Outcome{{Host: l.host, Status: 429, Count: 2}, {Host: l.host, Status: 200, Count: 8}}
			if l.worse.Load() {
				outcomes = []api.Outcome{{Host: l.host, Status: 500, Count: 7}, {Host: l.host, Status: 200, Count: 3}}
			}
			for _, n := range nodes {
				n.Report(ctx, outcomes...) // one that was killed answers nothing
			}
		}
	}()
}

// await polls until something holds.
func await(t *testing.T, limit time.Duration, what string, n *fleet.Node, holds func() (bool, error)) {
	t.Helper()
	if err := n.AwaitFor(t.Context(), limit, what, holds); err != nil {
		t.Fatal(err)
	}
}

// TestTunerChangesAndTakesBack is the whole way of a change with real processes: a
// host that answers many calls with 429 gets advice with evidence; enforced, it
// replaces the policy of the live breaker, whose state is kept; it is recorded with
// all members; the tuner's node is killed; and when calls go worse the change is
// taken back by the tuner's next node.
func TestTunerChangesAndTakesBack(t *testing.T) {
	nodes := startCluster(t)
	l := limiter{host: "limits.example"}
	l.work(t, nodes)
	operators := api.PolicyChange{Set: map[string]any{"trial_calls": 3}, Author: "alice"}
	must(nodes[0].ChangePolicy(t.Context(), l.host, operators, ""))(t) // a word that stays

	ask := time.NewTicker(2 * time.Second) // a plan is much work
	defer ask.Stop()
	var plan api.AdviceResponse
	await(t, 8*time.Minute, "advice that can be enforced", nodes[0], func() (bool, error) {
		<-ask.C
		var err error
		plan, err = must(nodes[0].Admin())(t).Advise(t.Context(), breaker.HostKey(l.host), 0)
		return err == nil && len(plan.Breakers) == 1 && slices.ContainsFunc(plan.Breakers[0].Changes, func(c api.SuggestedChange) bool {
			return c.Verdict == api.VerdictNow
		}), err
	})
	c := plan.Breakers[0].Changes[0]
	if c.Field != "rate_multiplier" || c.From != 1.0 || c.To != 0.8 || c.Rule != "too-many-429" || c.Confidence < 0.95 || len(c.Evidence) == 0 ||
		!strings.Contains(c.Why, "429") || plan.Breakers[0].Seen.Limited == 0 || len(plan.Nodes) != 3 {
		t.Errorf("the advice: %+v", plan)
	}
	open := must(nodes[1].Open(t.Context(), l.host, time.Hour))(t)
	if !open.Durable {
		t.Errorf("the open is not durable: %+v", open)
	}
	done := must(must(nodes[1].Admin())(t).Enforce(t.Context(), plan.ID, "alice"))(t)
	if len(done.Applied) != 1 || len(done.Failed) != 0 || !done.Applied[0].Durable || done.Applied[0].Copies < 2 {
		t.Fatalf("enforced: %+v", done)
	}
	for _, n := range nodes {
		await(t, time.Minute, "the change at "+n.Name, n, func() (bool, error) {
			p, err := n.Policy(t.Context(), l.host)
			return valueOf(p, "rate_multiplier") == 0.8 && valueOf(p, "trial_calls") == 3, err
		})
		if b := must(n.Breaker(t.Context(), l.host))(t); b.State != "open" || b.Reason != "cli-open" {
			t.Errorf("the state at %s after the change: %s (%s), want it open as before", n.Name, b.State, b.Reason)
		}
	}
	must(nodes[1].Close(t.Context(), l.host))(t)

	host := slices.IndexFunc(nodes, func(n *fleet.Node) bool { return n.Name == plan.Tuner })
	nodes[host].Kill()
	left := slices.Delete(slices.Clone(nodes), host, host+1)
	explained := must(must(left[0].Admin())(t).Explain(t.Context(), breaker.HostKey(l.host)))(t)
	if len(explained.Records) != 1 || explained.Records[0].Kind != "enforced" || explained.Records[0].Plan != plan.ID || explained.Records[0].Author != "alice" {
		t.Errorf("the records: %+v", explained.Records)
	}
	l.worse.Store(true)
	await(t, 5*time.Minute, "the change taken back", left[0], func() (bool, error) {
		p, err := left[0].Policy(t.Context(), l.host)
		return valueOf(p, "rate_multiplier") == 1.0 && valueOf(p, "trial_calls") == 3, err
	})
	await(t, time.Minute, "a record of that", left[1], func() (bool, error) {
		e, err := must(left[1].Admin())(t).Explain(t.Context(), breaker.HostKey(l.host))
		return len(e.Records) == 2 && e.Records[0].Kind == "rolled-back" && e.Records[0].Why != "", err
	})
}
