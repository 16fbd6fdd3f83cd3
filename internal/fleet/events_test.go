package fleet_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetfuse/api"
	"fleetfuse/client/admin"
	"fleetfuse/internal/fleet"
)

// TestEventsOfAllMembers: a follower on one node is told, once, what the others
// wrote of every kind.
func TestEventsOfAllMembers(t *testing.T) {
	nodes := startCluster(t, 3, "--breaker-defaults", "reset:1,half_open.jitter:0,witnesses:2")
	a, b, c := nodes[0], nodes[1], nodes[2]
	f := followAt(t, a, "")

	tripped := must(b.OwnHost(t.Context(), "tripped"))(t)
	tripAll(t, tripped, a, c)
	e := awaitEvent(t, f, "a trip", isEvent("transition", tripped))
	if e.From != "closed" || e.To != "open" || e.Reason != "consecutive-failures" || e.Owner != b.Name || e.Evidence == nil ||
		e.Evidence.Status != 503 || e.Evidence.Failures < 5 || len(e.Evidence.Witnesses) != 2 {
		t.Errorf("the trip is told as %+v %+v", e, e.Evidence)
	}
	permit := ""
	until(t, "a permit", c, tripped, func(x api.AllowResponse) bool { permit = x.Permit; return permit != "" })
	report(t, c, api.Outcome{Host: tripped, Status: 200, Permit: permit})
	if e = awaitEvent(t, f, "a probe", isEvent("probe", tripped)); e.To != "success" || e.Node != c.Name || e.Evidence.Status != 200 {
		t.Errorf("the probe is told as %+v", e)
	}
	awaitEvent(t, f, "a recovery", func(e api.Event) bool { return isEvent("transition", tripped)(e) && e.To == "closed" })

	asked := must(b.OwnHost(t.Context(), "asked"))(t)
	report(t, c, retryAfter(asked, "120"))
	e = awaitEvent(t, f, "a Retry-After", isEvent("cooldown", asked))
	if e.To != "open" || e.Node != c.Name || e.LengthMS != 120_000 || e.Evidence == nil || e.Evidence.RetryAfter != "120" {
		t.Errorf("the Retry-After is told as %+v %+v", e, e.Evidence)
	}

	opened := must(c.OwnHost(t.Context(), "opened"))(t)
	open(t, b, opened)
	must(b.Close(t.Context(), opened))(t)
	awaitTold(t, f, "an operator's open and close", func(x fleet.Told) bool { return countEvents(x.Events, "operator", opened) == 2 })

	v := change(t, b, opened, set("fail_max", 2)).Version
	if e = awaitEvent(t, f, "a policy", isEvent("policy", opened)); e.Author != "alice" || e.To != "operator replaced" || e.PolicyVersion != v || !strings.Contains(e.Detail, "fail_max") {
		t.Errorf("the policy is told as %+v", e)
	}

	lonely := must(b.OwnHost(t.Context(), "lonely"))(t)
	fail(t, c, lonely, 5)
	if e = awaitEvent(t, f, "the ring of one node", isEvent("local", lonely)); e.Node != c.Name || e.From != "closed" || e.To != "open" || e.Reason != "consecutive-failures" {
		t.Errorf("the ring is told as %+v", e)
	}

	c.Kill()
	awaitEvent(t, f, "a lost member", func(e api.Event) bool { return e.Kind == "member" && e.Node == c.Name && e.To == "lost" })
	awaitMissing(t, f, c.Name)
	once(t, f.Close())
}

// TestEventsOfParts: what ctl status calls a problem is an event when it begins and
// when it ends.
func TestEventsOfParts(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "breakers.yaml")
	write := func(text string) {
		t.Helper()
		succeed(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write("defaults: {fail_max: 4}\n")
	nodes := startClusterIn(t, dir, 2, "--config", file)
	f := followAt(t, nodes[1], "")
	part := func(kind, part string) func(api.Event) bool {
		return func(e api.Event) bool { return e.Kind == kind && e.To == part && e.Node == nodes[0].Name }
	}
	write("defaults: {fail_max: 0}\n")
	if _, err := nodes[0].Reload(t.Context()); err == nil {
		t.Fatal("a bad file was taken")
	}
	if e := awaitEvent(t, f, "a refused reload", part("degraded", "reload of the configuration")); !strings.Contains(e.Detail, "fail_max") {
		t.Errorf("told as %+v", e)
	}
	write("defaults: {fail_max: 3}\n")
	must(nodes[0].Reload(t.Context()))(t)
	awaitEvent(t, f, "a reload", part("recovered", "reload of the configuration"))
	if e := awaitEvent(t, f, "a mismatch", part("degraded", "agreement on the configuration")); !strings.Contains(e.Detail, nodes[1].Name) {
		t.Errorf("told as %+v", e)
	}
	must(nodes[1].Reload(t.Context()))(t)
	awaitEvent(t, f, "an agreement", part("recovered", "agreement on the configuration"))
	once(t, f.Close())
}

// said has two nodes write a word each about hosts they own, and returns the hosts.
func said(t *testing.T, word string, nodes ...*fleet.Node) (hosts []string) {
	t.Helper()
	for _, n := range nodes {
		host := must(n.OwnHost(t.Context(), word))(t)
		report(t, n, retryAfter(host, "600"))
		hosts = append(hosts, host)
	}
	return hosts
}

// toldAll reports whether the cooldowns of hosts were told, once each.
func toldAll(hosts []string) func(fleet.Told) bool {
	return func(x fleet.Told) bool {
		return !slices.ContainsFunc(hosts, func(host string) bool { return countEvents(x.Events, "cooldown", host) != 1 })
	}
}

// TestAFollowerThatReconnects: its connection is cut, then the node it asked is
// killed and it asks another one with the id it has. It misses nothing, sees
// nothing twice, and is told who does not answer and what a crash may have cost.
func TestAFollowerThatReconnects(t *testing.T) {
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3)
	p := must(fleet.StartProxy(strings.TrimPrefix(nodes[0].HTTP, "http://")))(t)
	t.Cleanup(p.Close)
	first := followBy(t, "http://"+p.Address, "")
	hosts := said(t, "first", nodes...)
	awaitTold(t, first, "what was said at first", toldAll(hosts))
	p.Cut()
	awaitTold(t, first, "the end", func(x fleet.Told) bool { return x.Err != nil })

	missed := said(t, "missed", nodes...)
	second := followBy(t, "http://"+p.Address, first.Told().Position)
	awaitTold(t, second, "what was said meanwhile", toldAll(missed))
	nodes[0].Kill()
	awaitTold(t, second, "the end", func(x fleet.Told) bool { return x.Err != nil })

	late := said(t, "late", nodes[1:]...)
	third := followAt(t, nodes[1], second.Told().Position)
	awaitTold(t, third, "what was said after the kill", toldAll(late))
	awaitMissing(t, third, nodes[0].Name)
	nodes[0] = startNode(t, dir, nodes[0].Name, "--cluster.peer", nodes[1].Gossip)
	awaitMissing(t, third)
	awaitTold(t, third, "the gap of a crash", func(x fleet.Told) bool {
		return slices.ContainsFunc(x.Gaps, func(g api.MemberGap) bool { return g.Node == nodes[0].Name && g.Reason == "crash" })
	})
	again := said(t, "again", nodes...)
	awaitTold(t, third, "what all said then", toldAll(again))
	once(t, first.Close(), second.Close(), third.Close())
}

// TestCtlGoesOn: an operator who follows while the node goes away is asked for
// nothing, and is told everything once, by whoever takes its place.
func TestCtlGoesOn(t *testing.T) {
	nodes := startCluster(t, 3)
	p := must(fleet.StartProxy(strings.TrimPrefix(nodes[0].HTTP, "http://")))(t)
	t.Cleanup(p.Close)
	c := must(admin.New("http://" + p.Address))(t)
	told := make(chan api.EventsResponse)
	lost := make(chan error, 100)
	ctx, cancel := context.WithTimeout(t.Context(), 2*hang)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- c.FollowEvents(ctx, admin.EventsQuery{Since: "1h"}, func(r api.EventsResponse) error {
			select {
			case told <- r:
			case <-ctx.Done():
			}
			return nil
		}, func(err error) { lost <- err })
	}()
	times := map[string]int{}
	awaitCooldowns := func(hosts []string) {
		t.Helper()
		for left := len(hosts); left > 0; {
			select {
			case r := <-told:
				for _, e := range r.Events {
					if times[e.ID]++; times[e.ID] > 1 {
						t.Errorf("told twice: %s", lines([]api.Event{e}))
					}
					if e.Kind == "cooldown" && slices.Contains(hosts, strings.TrimPrefix(e.Key, "host:")) {
						left--
					}
				}
			case <-ctx.Done():
				t.Fatalf("%d of %v were not told", left, hosts)
			}
		}
	}
	awaitCooldowns(said(t, "before", nodes...))
	p.Turn(strings.TrimPrefix(nodes[1].HTTP, "http://"))
	nodes[0].Kill()
	awaitCooldowns(said(t, "after", nodes[1:]...))
	if len(lost) == 0 {
		t.Error("nobody was told that the node went away")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestARestartTellsNothingTwice: nodes that read their disks after a kill do not
// write down again what was known.
func TestARestartTellsNothingTwice(t *testing.T) {
	const opened, changed = "opened.example.org", "changed.example.org"
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3)
	open(t, nodes[0], opened)
	change(t, nodes[1], changed, set("fail_max", 2))
	hosts := append(said(t, "asked", nodes...), opened)
	for _, host := range hosts {
		awaitDurable(t, host, nodes)
	}
	f := followAt(t, nodes[0], "@:1")
	awaitTold(t, f, "all of it", func(x fleet.Told) bool {
		return toldAll(hosts[:3])(x) && countEvents(x.Events, "operator", opened) == 1 && countEvents(x.Events, "policy", changed) == 1
	})
	f.Close()
	for _, n := range nodes {
		awaitMetric(t, n, "fleetfuse_events_pending", 0)
	}
	fleet.KillAll(nodes)
	for i, old := range nodes {
		var peer []string
		if i > 0 {
			peer = []string{"--cluster.peer", nodes[0].Gossip}
		}
		nodes[i] = startNode(t, dir, old.Name, peer...)
	}
	awaitMembers(t, nodes)
	for _, host := range hosts {
		awaitAll(t, "what was said before", host, rejected, nodes...)
	}
	last := said(t, "last", nodes...) // what the restart wrote is before it
	f = followAt(t, nodes[2], "@:1")
	awaitTold(t, f, "what was said last", toldAll(last))
	x := f.Close()
	once(t, x)
	for _, host := range hosts[:3] {
		if n := countEvents(x.Events, "cooldown", host); n != 1 {
			t.Errorf("the cooldown of %s was told %d times after the restart\n%s", host, n, lines(x.Events))
		}
	}
	if n, m := countEvents(x.Events, "operator", opened), countEvents(x.Events, "policy", changed); n != 1 || m != 1 {
		t.Errorf("the open was told %d times, the policy %d times\n%s", n, m, lines(x.Events))
	}
	if r := eventsAt(t, nodes[1]); len(r.Missing) > 0 || len(r.Events) != len(x.Events) {
		t.Errorf("a list has %d events, missing %v; the stream told %d", len(r.Events), r.Missing, len(x.Events))
	}
	if len(x.Gaps) < len(nodes) {
		t.Errorf("gaps are %+v, want one of a crash for each node", x.Gaps)
	}
}

// TestHostileTextInEvents: what an attacker can get into an event reaches no
// terminal and no page as it is.
func TestHostileTextInEvents(t *testing.T) {
	n := start(t, t.TempDir())
	const hostile = "<script>alert(1)</script>\x1b[2J\u202e\u009b31m"
	code, err := n.Call(t.Context(), "POST", "/v1/breakers/host/h.example.org/open", api.OpenRequest{For: "10m", Reason: hostile, Author: hostile}, nil)
	if err != nil || code != 200 {
		t.Fatal(code, err)
	}
	report(t, n, api.Outcome{Host: "r.example.org", Status: 429, RetryAfter: "120 " + hostile})
	for _, args := range [][]string{{"events"}, {"events", "-o", "json"}, {"events", "h.example.org", "--kind", "operator"}} {
		code, out := runCtl(t, n.HTTP, args...)
		if code != 0 || !strings.Contains(out, "h.example.org") || strings.ContainsAny(out, "\x1b\u202e\u009b") {
			t.Errorf("ctl %v: exit %d, %q", args, code, out)
		}
		if args[len(args)-1] == "json" && strings.Contains(out, "<script>") {
			t.Errorf("ctl %v: HTML as it is: %s", args, out)
		}
	}
	for _, host := range []string{"<b>.example.org", "a\x1b[2J.example.org"} {
		if code, out := runCtl(t, n.HTTP, "events", host); code != 2 || strings.ContainsRune(out, '\x1b') {
			t.Errorf("ctl events %q: exit %d, %q; want 2", host, code, out)
		}
	}
	if code, out := runCtl(t, n.HTTP, "events", "--since", "yesterday", "--kind", "bogus", "--limit", "20000"); code == 0 ||
		!strings.Contains(out, "yesterday") || !strings.Contains(out, "bogus") || !strings.Contains(out, "20000") {
		t.Errorf("bad parameters: exit %d, %s; want all three named", code, fmt.Sprint(out))
	}
}
