package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
)

// inForce are the policy of every breaker of the tests.
var inForce = []api.PolicyValue{
	{Field: "fail_max", Value: 5, Origin: "default"}, {Field: "reset_timeout", Value: "1m0s", Origin: "default"},
	{Field: "backoff.multiplier", Value: 1, Origin: "default"}, {Field: "backoff.max", Value: "10m0s", Origin: "default"},
	{Field: "success_threshold", Value: 1, Origin: "default"}, {Field: "trial_calls", Value: 1, Origin: "profile balanced"},
	{Field: "permit_timeout", Value: "30s", Origin: "default"}, {Field: "retry_after_cap", Value: "15m0s", Origin: "FLEETFUSE_BREAKER_DEFAULTS"},
	{Field: "retry_after_scope", Value: "cluster", Origin: "default"}, {Field: "retry_after_statuses", Value: []int{429, 503}, Origin: "default"},
	{Field: "rolling.window", Value: "30s", Origin: "default"}, {Field: "rolling.threshold_failures", Value: 6, Origin: "default"},
	{Field: "rolling.cooldown", Value: "1m0s", Origin: "default"}, {Field: "failure_rate.ratio", Value: 0.5, Origin: "default"},
	{Field: "failure_rate.window", Value: "1m0s", Origin: "default"}, {Field: "failure_rate.min_calls", Value: 20, Origin: "operator overlay 7, alice@box"},
	{Field: "witnesses", Value: 2, Origin: "default"}, {Field: "mode", Value: "shadow", Origin: "operator overlay 7, alice@box"},
	{Field: "roles.artifact.fail_max", Value: 3, Origin: "/etc/fleetfuse/breakers/of-the-artifact-crawlers.yaml:12, hosts.www.example.org.roles.artifact"},
}

// believed is what four nodes say about a breaker: n1 and n2 know all, n3 has not
// heard of it or, where it is closed, has a ring of its own, n4 is silent.
func believed(b api.Breaker) api.BeliefsResponse {
	knows := api.Belief{
		Node: "n1", ID: "id1", State: b.State, Reason: b.Reason, RemainingMS: b.RemainingMS, Stamp: "117", Mode: b.Mode, PolicyVersion: "0",
		ConfigHash: "c", Owner: "n1", OwnerID: "id1",
	}
	if b.Local {
		knows.State, knows.Reason, knows.RemainingMS, knows.Stamp = "closed", "", 0, "0"
	}
	second, third := knows, knows
	second.Node, second.ID, second.Disk = "n2", "id2", knows.State != "closed"
	third.Node, third.ID = "n3", "id3"
	if knows.State == "closed" {
		third.Ring, third.Differs = &api.Ring{State: "open", Reason: "consecutive-failures", RemainingMS: 9000}, []string{api.DiffersRing}
	} else {
		third.State, third.Reason, third.RemainingMS, third.Stamp = "closed", "", 0, "0"
		third.Differs = []string{api.DiffersState}
	}
	return api.BeliefsResponse{Key: b.Key, Node: "n1", Reference: "n1", Beliefs: []api.Belief{knows, second, third}, Missing: []string{"n4"}}
}

// happenedTo are the last events of a breaker.
func happenedTo(b api.Breaker) []api.Event {
	if b.Last == nil {
		return nil
	}
	return []api.Event{{
		ID: "e1", Seq: 1, Time: b.Last.At, Kind: "transition", Key: b.Key, Node: "n1", From: b.Last.From, To: b.Last.To, Reason: b.Last.Reason,
		Role: b.Last.Role, Evidence: &api.EventEvidence{Failures: b.Last.Failures, Status: b.Last.Status, Error: b.Last.Error, Witnesses: b.Last.Nodes},
	}}
}

func TestDifferenceWords(t *testing.T) {
	owner := api.Belief{Node: "n1", State: "open", RemainingMS: 30_000, Stamp: "7", PolicyVersion: "0"}
	for _, x := range []struct {
		belief api.Belief
		want   string
	}{
		{api.Belief{State: "closed", Mode: "enforce", Differs: []string{api.DiffersState}}, "it believes closed, not open: calls there are allowed."},
		{api.Belief{State: "closed", Ring: &api.Ring{State: "half_open"}, Differs: []string{api.DiffersState}},
			"it believes closed, not open: calls there meet its own ring. Beside that, its own ring is half_open."},
		{api.Belief{State: "half_open", Reason: "store", Differs: []string{api.DiffersState}}, "it believes half_open, store, not open: calls there wait for permits."},
		{api.Belief{State: "open", RemainingMS: 9000, Mode: "off", Differs: []string{api.DiffersState}},
			"it believes open for another 9s, not open: calls there are allowed, its mode is off."},
		{api.Belief{State: "open", RemainingMS: 600_000, Stamp: "9", Differs: []string{api.DiffersDeadline, api.DiffersStamp}},
			"it is open there for another 10m, not 30s. It goes by another word: stamp 9, not 7."},
		{api.Belief{State: "open", PolicyVersion: "12", Differs: []string{api.DiffersPolicy, api.DiffersConfig, api.DiffersOwner}},
			"It has policy version 12, not 0. Its configuration is another one: compare fleetfuse-ctl config show. It takes nobody for the owner."},
		{api.Belief{State: "open", RemainingMS: 1000, PolicyVersion: "0", Differs: []string{"colour"}}, "colour; open for another 1s; policy as configured."},
	} {
		if got := differenceWords(x.belief, &owner); got != x.want {
			t.Errorf("got  %s\nwant %s", got, x.want)
		}
	}
}

// TestPermitsOfRoles: what one role has out says nothing about another's permits.
func TestPermitsOfRoles(t *testing.T) {
	b := probed
	b.Permits = []api.Permit{
		{Node: "n1", ExpiresInMS: 9000}, {Role: "metadata", Node: "n2", ExpiresInMS: 21_000}, {Role: "artifact", Node: "n3", ExpiresInMS: 30_000},
		{Role: "metadata", Node: "n3", ExpiresInMS: 12_000},
	}
	values := []api.PolicyValue{{Field: "roles.artifact.trial_calls", Value: 3.0}, {Field: "roles.metadata.trial_calls", Value: 2.0}}
	a := account{findings{Breaker: b, values: values}, now}
	const want = "Next: node n1 holds a permit that expires in 9s. node n2 holds a permit for role metadata that expires in 21s. " +
		"node n3 holds a permit for role artifact that expires in 30s. node n3 holds a permit for role metadata that expires in 12s. " +
		"If a report brings none back before, the next probe without a role is due at 2026-11-24 01:03:49 UTC. " +
		"If a report brings none back before, the next probe of role metadata is due at 2026-11-24 01:03:52 UTC. " +
		"The next caller of role artifact gets one too. 1 permit of each role may be out at once (trial_calls; of role artifact 3; of role metadata 2)."
	if got := a.outlook(); !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestWordsOfAState: an owner that counted nothing answers with one row for all roles.
func TestWordsOfAState(t *testing.T) {
	unused := []api.Role{{FailMax: 5, SuccessThreshold: 2}}
	for _, x := range []struct {
		breaker api.Breaker
		want    string
	}{
		{api.Breaker{State: "closed", Roles: unused, Policy: defaults}, "No failure is counted against it: 0 of 5 failures in a row."},
		{api.Breaker{State: "half_open", Roles: unused}, "No probe has succeeded yet; it takes 2 successful probes."},
		{api.Breaker{State: "open", Local: true, Roles: []api.Role{{Failures: 9, FailMax: 5}}}, "Calls without a role: 9 failures in a row; fail_max is 5."},
		{api.Breaker{State: "open", Reason: "store", Cooldowns: []api.Cooldown{{Reason: "store", SetBy: "store", Detail: "mine", LengthMS: 60_000, RemainingMS: 5000, SetAt: at(-55)}}},
			`Rule: store. A row in the shared cooldown store, written by another program, asks to leave it alone. Another program asked for 1m at 2026-11-24 01:02:45 UTC: "mine".`},
		{api.Breaker{State: "closed", Mode: "off"}, "Calls to it are allowed, and would be in any state: its policy has the mode off, which never rejects."},
		{api.Breaker{State: "open", Mode: "off", RemainingMS: 5000, Policy: defaults}, "Next: in the mode off no outcome is counted, so no probe will close it."},
		{api.Breaker{State: "half_open", Mode: "shadow"}, "Next: in the mode shadow every call is a probe, without a permit."},
		{api.Breaker{State: "half_open", Since: until(-90), Last: &api.Transition{At: at(-9), From: "closed", To: "half_open", Detail: "adopted"}},
			"It has not been closed since 2026-11-24 01:02:10 UTC (1m30s ago). Its owner took it over at 2026-11-24 01:03:31 UTC (9s ago)."},
		{api.Breaker{State: "closed", Last: &api.Transition{At: at(-9), From: "closed", To: "closed", Detail: "adopted"}},
			"Its owner heard at 2026-11-24 01:03:31 UTC (9s ago) that it is closed."},
	} {
		if got := explain(findings{Breaker: x.breaker}, now).Paragraphs; !slices.Contains(got, x.want) {
			t.Errorf("got  %q\nwant %s", got, x.want)
		}
	}
}

// TestAdoptedIsNoEvidence: what an owner took over says nothing by that.
func TestAdoptedIsNoEvidence(t *testing.T) {
	l := &api.Transition{At: at(-9), From: "closed", To: "open", Detail: "adopted"}
	a := account{findings{Breaker: api.Breaker{State: "open", Last: l, LastOpen: l}}, now}
	if got := a.evidence(); got != "" {
		t.Errorf("got %q", got)
	}
	if got := happened(api.Event{Kind: "transition", From: "closed", To: "half_open", Detail: "adopted"}); got != "taken over: half_open" {
		t.Errorf("got %q", got)
	}
}

// TestWhyWithoutTheRest has a node that tells of the breaker and nothing else.
func TestWhyWithoutTheRest(t *testing.T) {
	path, b := one(asked)
	term := newTerminal(t, node{path: b})
	term.types("breaker", "why", b.Key)
	term.types("breaker", "why", b.Key, "-o", "json")
	term.golden("why-alone")
}

func TestWhyStaysWithinTheTerminal(t *testing.T) {
	wide := tripped
	wide.Key, wide.Name = "host:"+strings.Repeat("very-long-label.", 12)+"example.org", strings.Repeat("very-long-label.", 12)+"example.org"
	n := fleet()
	path, b := one(wide)
	n[path], n[path+"/policy"] = b, api.PolicyResponse{Key: b.Key, Version: "0", Values: inForce, Node: "n1"}
	n[path+"/beliefs"] = believed(b)
	term := newTerminal(t, n)
	for _, key := range []string{tripped.Key, probed.Key, wide.Key} {
		stdout, _, _ := term.run(t.Context(), "breaker", "why", key)
		for l := range strings.Lines(stdout) {
			long := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")) > textWidth
			if long && strings.Contains(strings.TrimSpace(l), " ") && !strings.Contains(l, "fleetfuse-ctl") && !strings.HasPrefix(l, "host:") {
				t.Errorf("%s: too long: %s", key, l)
			}
		}
	}
}

func TestEntries(t *testing.T) {
	got := entries("Title:", []string{"a = 1  " + strings.Repeat("word ", 20), "evil\x1b[2J", ""})
	want := "\nTitle:\n  a = 1  " + strings.TrimSpace(strings.Repeat("word ", 14)) + "\n         " + strings.TrimSpace(strings.Repeat("word ", 6)) + "\n  evil\\x1b[2J\n  \n"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A cooldown that is over holds nothing open.
func TestCooldownsThatAreOverAreNotTold(t *testing.T) {
	a := account{findings{Breaker: api.Breaker{State: "half_open", Reason: "consecutive-failures", Cooldowns: []api.Cooldown{
		{Reason: "retry-after", SetBy: "n1", LengthMS: 60_000, SetAt: at(-600)}, {Reason: "cli-open", Author: "bob", LengthMS: 60_000, RemainingMS: 5000, SetAt: at(-55)},
	}}}, now}
	if got := a.others(); strings.Contains(got, "retry-after") || !strings.Contains(got, "cli-open") {
		t.Error(got)
	}
}

// A member that is away makes the story incomplete, not unknown.
func TestWhyWithAMemberAway(t *testing.T) {
	path, b := one(asked)
	term := newTerminal(t, node{path: b, "GET /v1/events?key=host%3A" + b.Name + "&limit=5": api.EventsResponse{Events: happenings().Events[:1], Missing: []string{"n2"}}})
	stdout, stderr, _ := term.run(t.Context(), "breaker", "why", b.Key)
	if !strings.Contains(stdout, "What happened to it last") || !strings.Contains(stderr, "what happened to it last may be incomplete: n2 did not answer") {
		t.Errorf("%s\n%s", stdout, stderr)
	}
}
