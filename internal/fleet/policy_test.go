package fleet_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetfuse/api"
	"fleetfuse/client"
	"fleetfuse/internal/fleet"
)

// change replaces fields of a host's policy; it must be durable and held twice.
func change(t *testing.T, n *fleet.Node, host string, c api.PolicyChange) api.PolicyChanged {
	t.Helper()
	a := must(n.ChangePolicy(t.Context(), host, c, ""))(t)
	if !a.Durable || a.Copies < 2 {
		t.Fatalf("the change of %s at %s: %+v; want it durable on two nodes", host, n.Name, a)
	}
	return a
}

func set(field string, value any) api.PolicyChange {
	return api.PolicyChange{Set: map[string]any{field: value}, Author: "alice", Reason: "a test"}
}

// obeyed fails the test unless a node has a value in force from an operator.
func obeyed(t *testing.T, what string, n *fleet.Node, host string, version string, failMax float64) {
	t.Helper()
	p := must(n.Policy(t.Context(), host))(t)
	if p.Version != version || valueOf(p, "fail_max") != failMax || p.Note != "" {
		t.Errorf("%s: %s shows version %s with fail_max %v (%s), want %s with %v", what, n.Name, p.Version, valueOf(p, "fail_max"), p.Note, version, failMax)
	}
}

// TestPolicyOutlivesItsOwner replaces a policy and kills its owner, then all
// nodes: every answer afterwards obeys it, and its history names who did it.
func TestPolicyOutlivesItsOwner(t *testing.T) {
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3, "--breaker-defaults", "witnesses:1")
	host := must(nodes[2].OwnHost(t.Context(), "policy"))(t)
	first := change(t, nodes[0], host, set("fail_max", 2))
	second := change(t, nodes[1], host, set("fail_max", 1))
	if second.Base != first.Version {
		t.Errorf("the second is made from %s, want %s", second.Base, first.Version)
	}
	nodes[2].Kill()
	for _, n := range nodes[:2] {
		await(t, "the next owner", n, func() (bool, error) {
			p, err := n.Policy(t.Context(), host)
			return p.Note == "", err
		})
		obeyed(t, "the owner is dead", n, host, second.Version, 1)
	}
	fail(t, nodes[0], host, 1)
	awaitAll(t, "a trip by one failure", host, rejectedFor("consecutive-failures"), nodes[:2]...)

	fleet.KillAll(nodes)
	for i, old := range nodes {
		args := []string{"--breaker-defaults", "witnesses:1"}
		if i > 0 {
			args = append(args, "--cluster.peer", nodes[0].Gossip)
		}
		nodes[i] = startNode(t, dir, old.Name, args...)
	}
	awaitMembers(t, nodes)
	for _, n := range nodes {
		obeyed(t, "all were killed", n, host, second.Version, 1)
		h := must(n.PolicyHistory(t.Context(), host))(t)
		if len(h.Entries) != 2 || h.Entries[0].State != "current" || h.Entries[1].State != "replaced" || h.Entries[1].Author != "alice" || len(h.Partial) > 0 {
			t.Errorf("%s remembers %+v, want both versions", n.Name, h)
		}
	}
}

// TestPolicyInASplit replaces one policy on both sides of a split: each side
// obeys its own, healed all obey the later one, and the other is superseded.
func TestPolicyInASplit(t *testing.T) {
	t.Parallel()
	w, nodes := startNetwork(t, 4)
	many, few := nodes[:2], nodes[2:]
	const host = "split.example.org"
	base := change(t, nodes[0], host, set("fail_max", 7))
	succeed(t, w.Split(2, 3))
	awaitLost(t, many, few)
	awaitLost(t, few, many)
	lost := change(t, many[0], host, set("fail_max", 8))
	kept := change(t, few[0], host, set("fail_max", 9))
	for _, side := range [][]*fleet.Node{many, few} {
		for _, n := range side {
			version, want := lost.Version, 8.0
			if n == few[0] || n == few[1] {
				version, want = kept.Version, 9
			}
			obeyed(t, "apart", n, host, version, want)
		}
	}
	succeed(t, w.Heal(2, 3))
	for _, n := range nodes {
		await(t, "the later policy at "+n.Name, n, func() (bool, error) {
			p, err := n.Policy(t.Context(), host)
			return p.Version == kept.Version && valueOf(p, "fail_max") == 9, err
		})
	}
	awaitMembers(t, nodes)
	var got []string
	for _, e := range must(nodes[0].PolicyHistory(t.Context(), host))(t).Entries {
		got = append(got, e.Version+" "+e.State)
	}
	want := []string{kept.Version + " current", lost.Version + " superseded", base.Version + " replaced"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the history is %v, want %v", got, want)
	}
}

// TestPolicyForAWhile turns a breaker off for two seconds: it lets calls through
// although it is open, then rejects as before; what was set for good stays.
func TestPolicyForAWhile(t *testing.T) {
	nodes := startCluster(t, 2)
	const host = "while.example.org"
	open(t, nodes[0], host)
	change(t, nodes[0], host, set("fail_max", 3))
	off := set("mode", "off")
	off.For = "2s"
	change(t, nodes[1], host, off)
	awaitAll(t, "off", host, allowed, nodes...)
	if _, err := nodes[0].ChangePolicy(t.Context(), host, api.PolicyChange{Set: map[string]any{"trial_calls": 2}, For: "1h"}, ""); !refusedFor(err, http.StatusBadRequest, "mode") {
		t.Errorf("another end beside it: %v, want a refusal that names mode", err)
	}
	awaitAll(t, "its end", host, rejectedFor("cli-open"), nodes...)
	for _, n := range nodes {
		p := must(n.Policy(t.Context(), host))(t)
		if len(p.Overlays) != 1 || p.Overlays[0].Temporary != nil || valueOf(p, "fail_max") != 3 {
			t.Errorf("afterwards %s shows %+v", n.Name, p.Overlays)
		}
	}
}

func refusedFor(err error, status int, text string) bool {
	var p *api.Problem
	return errors.As(err, &p) && p.Status == status && strings.Contains(p.Detail+strings.Join(p.Errors, " "), text)
}

// TestReload changes the file of two nodes under a half-open breaker with its
// probe out: the new policy is in force, the breaker forgot nothing, and the
// nodes say that they differ until both have read it. A bad file changes
// nothing.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "breakers.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("defaults: {fail_max: 4, reset: 1, witnesses: 1, half_open: {jitter: 0}}\n")
	nodes := startCluster(t, 2, "--config", file)
	host := must(nodes[0].OwnHost(t.Context(), "reload"))(t)
	fail(t, nodes[0], host, 4)
	var permit string
	until(t, "a permit", nodes[0], host, func(a api.AllowResponse) bool { permit = a.Permit; return permit != "" })

	write("defaults: {fail_max: 2, reset: 1, witnesses: 1, half_open: {jitter: 0}}\nlog: {level: debug}\n")
	r := must(nodes[0].Reload(t.Context()))(t)
	if len(r.Changes) != 1 || r.Changes[0].Field != "fail_max" || r.Changes[0].From != "4" || r.Changes[0].To != "2" || r.Hash == r.Before || !slices.Equal(r.NeedsRestart, []string{"log.level"}) {
		t.Errorf("the reload says %+v", r)
	}
	must(nodes[0].Reload(t.Context()))(t) // it goes on being said
	if st := must(nodes[0].Status(t.Context()))(t); !slices.Equal(st.NeedsRestart, r.NeedsRestart) {
		t.Errorf("the status says that %v need a restart, want %v", st.NeedsRestart, r.NeedsRestart)
	}
	var shown api.ConfigResponse
	if _, err := nodes[0].Call(t.Context(), "GET", "/v1/config", nil, &shown); err != nil || !slices.Equal(shown.NeedsRestart, r.NeedsRestart) {
		t.Errorf("%v; the configuration says that %v need a restart, want %v", err, shown.NeedsRestart, r.NeedsRestart)
	}
	awaitProblem(t, nodes[0], "config mismatch: n2")
	awaitProblem(t, nodes[1], "config mismatch: n1")
	succeed(t, nodes[1].Hangup())
	for _, n := range nodes {
		await(t, "no problem at "+n.Name, n, func() (bool, error) {
			st, err := n.Status(t.Context())
			return len(st.Problems) == 0, err
		})
	}
	if b := must(nodes[1].Breaker(t.Context(), host))(t); b.State != "half_open" || len(b.Permits) != 1 || b.Policy.FailMax != 2 {
		t.Errorf("after the reload it is %+v, want half-open with its permit", b)
	}
	report(t, nodes[0], api.Outcome{Host: host, Status: 200, Permit: permit})
	awaitAll(t, "the close by the probe", host, closed, nodes...)
	fail(t, nodes[0], host, 2)
	awaitAll(t, "a trip by two failures", host, rejectedFor("consecutive-failures"), nodes...)

	write("defaults: {fail_max: 0, resett: 3}\n")
	if _, err := nodes[0].Reload(t.Context()); !refusedFor(err, http.StatusUnprocessableEntity, "breakers.yaml:1:22") || !refusedFor(err, 422, "breakers.yaml:1:25") {
		t.Errorf("a bad file: %v, want every problem with its place", err)
	}
	awaitProblem(t, nodes[0], "not reloaded")
	if m := must(nodes[0].Metric(t.Context(), "fleetfuse_config_last_reload_successful"))(t); m != 0 {
		t.Errorf("config_last_reload_successful is %v, want 0", m)
	}
	if b := must(nodes[0].Breaker(t.Context(), host))(t); b.Policy.FailMax != 2 {
		t.Errorf("a bad file changed fail_max to %d", b.Policy.FailMax)
	}
}

// TestReloadKeepsOverlays: what an operator replaced outlives a reload, and a
// file that an overlay does not fit into is refused.
func TestReloadKeepsOverlays(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "breakers.yaml")
	succeed(t, os.WriteFile(file, []byte("defaults: {fail_max: 4}\n"), 0o600))
	nodes := startCluster(t, 2, "--config", file)
	const host = "overlaid.example.org"
	c := change(t, nodes[0], host, set("classify.failure_statuses", []int{418, 500}))
	succeed(t, os.WriteFile(file, []byte("defaults: {fail_max: 6, classify: {neutral: [418]}}\n"), 0o600))
	if _, err := nodes[0].Reload(t.Context()); !refusedFor(err, 422, host) {
		t.Errorf("a file that an overlay does not fit: %v, want a refusal that names %s", err, host)
	}
	succeed(t, os.WriteFile(file, []byte("defaults: {fail_max: 6}\n"), 0o600))
	must(nodes[0].Reload(t.Context()))(t)
	obeyed(t, "after the reload", nodes[0], host, c.Version, 6)
	if o := must(nodes[0].Policy(t.Context(), host))(t).Overlays; len(o) != 1 || o[0].Fields["classify.failure_statuses"] == nil {
		t.Errorf("after the reload the overlays are %+v", o)
	}
}

// TestPolicyReachesWorkers: a worker with the SDK obeys a policy that is replaced
// or reloaded while it is connected, also that of a wildcard.
func TestPolicyReachesWorkers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "breakers.yaml")
	succeed(t, os.WriteFile(file, []byte("defaults: {fail_max: 4}\n"), 0o600))
	nodes := startCluster(t, 2, "--config", file)
	c := must(client.New(client.Options{Addr: nodes[1].HTTP}))(t)
	t.Cleanup(func() { c.Close() })
	const host = "worker.example.org"
	open(t, nodes[0], host)
	allowedNow := func() (bool, error) {
		d, err := c.Allow(t.Context(), client.Call{Host: host})
		if err == nil {
			d.Cancel()
		}
		return err == nil, nil
	}
	rejectedNow := func() (bool, error) { ok, err := allowedNow(); return !ok, err }
	await(t, "the open at the worker", nodes[1], rejectedNow)
	change(t, nodes[0], host, set("mode", "off"))
	await(t, "mode off at the worker", nodes[1], allowedNow)
	change(t, nodes[0], host, set("mode", "enforce"))
	await(t, "enforce at the worker", nodes[1], rejectedNow)
	c2 := api.PolicyChange{Unset: []string{"mode"}}
	change(t, nodes[0], host, c2)
	succeed(t, os.WriteFile(file, []byte("hosts: {'*.example.org': {mode: off}}\n"), 0o600))
	must(nodes[1].Reload(t.Context()))(t)
	await(t, "the wildcard at the worker", nodes[1], allowedNow)
}
