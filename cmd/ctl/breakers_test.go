package main

import (
	"net/url"

	"fleetfuse/api"
)

// The breakers of the tests: one for every rule, and healthy ones.

var defaults = &api.Policy{
	Mode: "enforce", FailMax: 5, ResetTimeoutMS: 60_000, RetryAfterCapMS: 900_000,
	SuccessThreshold: 1, TrialCalls: 1, PermitTimeoutMS: 30_000, Witnesses: 2, RateMultiplier: 1,
}

// asked was told to wait by the host itself.
var asked = api.Breaker{
	Key: "host:api.crossref.org", Scope: "host", Name: "api.crossref.org",
	State: "open", Reason: "retry-after", RemainingMS: 79_400, Until: until(80), Owner: "n1", Mode: "enforce", Durable: true,
	Cooldowns:   []api.Cooldown{{Reason: "retry-after", RemainingMS: 79_400, LengthMS: 120_000, SetBy: "n2", SetAt: at(-40)}},
	Opens:       1,
	Last:        &api.Transition{At: at(-40), From: "closed", To: "open", Reason: "retry-after", Nodes: []string{"n2"}, Status: 429, RetryAfter: "120"},
	LastFailure: &api.Failure{At: at(-40), Node: "n2", Role: "metadata", Status: 429, RetryAfter: "120"},
	Policy:      defaults,
}

// tripped failed too often in one role.
var tripped = api.Breaker{
	Key: "host:www.example.org", Scope: "host", Name: "www.example.org",
	State: "open", Reason: "consecutive-failures", RemainingMS: 45_000, Until: until(45), Owner: "n3", Mode: "enforce", Durable: true,
	Roles: []api.Role{{Role: "artifact", Failures: 3, FailMax: 3, SuccessThreshold: 2}, {Role: "", FailMax: 5, SuccessThreshold: 1}},
	Opens: 3,
	Last: &api.Transition{At: at(-15), From: "half_open", To: "open", Reason: "consecutive-failures", Role: "artifact",
		Failures: 3, Nodes: []string{"n1", "n2", "n3"}, Error: "timeout"},
	LastOpen: &api.Transition{At: at(-15), From: "half_open", To: "open", Reason: "consecutive-failures", Role: "artifact",
		Failures: 3, Nodes: []string{"n1", "n2", "n3"}, Error: "timeout", Counted: []api.Counted{
			{At: at(-18), Node: "n1", Count: 1}, {At: at(-16), Node: "n2", Count: 1}, {At: at(-15), Node: "n3", Count: 1}}},
	LastFailure: &api.Failure{At: at(-2), Node: "n2", Role: "artifact", Error: "timeout"}, LocalNodes: []string{"n1", "n3"},
	Policy: &api.Policy{Mode: "enforce", FailMax: 5, ResetTimeoutMS: 60_000, SuccessThreshold: 1, TrialCalls: 1, Witnesses: 2,
		Roles: map[string]api.RolePolicy{"artifact": {FailMax: 3}}},
}

// probed is half-open with a probe out.
var probed = api.Breaker{
	Key: "resolver:unpaywall", Scope: "resolver", Name: "unpaywall",
	State: "half_open", Reason: "failure-rate", Owner: "n1", Mode: "enforce", Durable: true,
	Roles:   []api.Role{{Role: "metadata", FailMax: 5, ProbeSuccesses: 1, SuccessThreshold: 3}},
	Rate:    &api.Window{WindowMS: 60_000, Calls: 20, Failures: 14, Threshold: 0.5},
	Permits: []api.Permit{{Role: "metadata", Node: "n2", ExpiresInMS: 21_300}},
	Last:    &api.Transition{At: at(-5), From: "open", To: "half_open", Reason: "failure-rate"},
	LastOpen: &api.Transition{At: at(-65), From: "closed", To: "open", Reason: "failure-rate", Role: "metadata",
		Failures: 14, Nodes: []string{"n1", "n2"}, Status: 503, Counted: []api.Counted{{At: at(-70), Node: "n1", Count: 1}, {At: at(-65), Node: "n2", Count: 1}}},
	Policy: defaults,
}

// stopped was opened by an operator, and a Retry-After lies below that.
var stopped = api.Breaker{
	Key: "host:dspace.example.edu", Scope: "host", Name: "dspace.example.edu",
	State: "open", Reason: "cli-open", Author: "bob@ops", Detail: "move to the new data centre", RemainingMS: 93_600_000, Until: until(93_600),
	Owner: "n2", Mode: "enforce",
	Cooldowns: []api.Cooldown{
		{Reason: "cli-open", Author: "bob@ops", Detail: "move to the new data centre", RemainingMS: 93_600_000, LengthMS: 172_800_000, SetBy: "n2", SetAt: at(-79_200)},
		{Reason: "retry-after", RemainingMS: 30_000, LengthMS: 60_000, SetBy: "n3", SetAt: at(-30)},
	},
	Last: &api.Transition{At: at(-79_200), From: "closed", To: "open", Reason: "cli-open", Author: "bob@ops", Detail: "move to the new data centre"},
}

// lonely is open on the node asked only, far on two others only.
var lonely = api.Breaker{
	Key: "host:mirror.example.net", Scope: "host", Name: "mirror.example.net",
	State: "open", Reason: "local-evidence", RemainingMS: 9_000, Until: until(9), Owner: "n3", Mode: "enforce", Local: true,
	LocalNodes: []string{"n1"}, Node: "n1", LastFailure: &api.Failure{At: at(-51), Node: "n1", Error: "connect"},
}

var far = api.Breaker{
	Key: "host:files.example.net", Scope: "host", Name: "files.example.net",
	State: "open", Reason: "local-evidence", Detail: "consecutive-failures", RemainingMS: 40_000, Until: until(40), Owner: "n1", Mode: "enforce", Local: true,
	LocalNodes: []string{"n2", "n3"}, Node: "n1", Roles: []api.Role{{FailMax: 5, SuccessThreshold: 1}}, Policy: defaults,
}

// orphaned has no owner that answers, and n4 is silent.
var orphaned = api.Breaker{
	Key: "host:orphan.example.org", Scope: "host", Name: "orphan.example.org",
	State: "open", Reason: "rolling-window", RemainingMS: 20_000, Until: until(20), Mode: "enforce", Durable: true, Policy: defaults, Node: "n1",
	Note: "no owner answered (n4 did not answer in time); this is what node n1 believes", Partial: []string{"n4"},
}

// shadowed would reject if its policy let it.
var shadowed = api.Breaker{
	Key: "host:shadow.example.org", Scope: "host", Name: "shadow.example.org",
	State: "open", Reason: "rolling-window", RemainingMS: 1, Until: until(0), Owner: "n1", Mode: "shadow", Durable: true,
	Rolling: &api.Window{WindowMS: 30_000, Failures: 6, Threshold: 6},
}

// healthy was called and failed twice.
var healthy = api.Breaker{
	Key: "host:arxiv.org", Scope: "host", Name: "arxiv.org", State: "closed", Owner: "n2", Mode: "enforce", Durable: true,
	Roles:       []api.Role{{Role: "metadata", Failures: 2, FailMax: 5, SuccessThreshold: 1}, {Role: "", FailMax: 5, SuccessThreshold: 1}},
	Rolling:     &api.Window{WindowMS: 30_000, Failures: 2, Threshold: 6},
	Rate:        &api.Window{WindowMS: 60_000, Calls: 31, Failures: 2, Threshold: 0.5, MinCalls: 20},
	Last:        &api.Transition{At: at(-7200), From: "half_open", To: "closed"},
	LastFailure: &api.Failure{At: at(-3), Node: "n1", Role: "metadata", Status: 503},
	Policy:      defaults,
}

// unheard was never called.
var unheard = api.Breaker{
	Key: "host:new.example.org", Scope: "host", Name: "new.example.org", State: "closed", Owner: "n1", Mode: "enforce", Policy: defaults,
}

// hostile carries what a sick host or a playful operator may send.
var hostile = api.Breaker{
	Key: "host:evil.example.org", Scope: "host", Name: "evil.example.org",
	State: "open", Reason: "cli-open", Author: "eve\x1b[2J@\u202ebox", Detail: "\x1b]0;pwned\x07fine\nhost:arxiv.org  open\u009b31m", RemainingMS: 5000, Until: until(5),
	Owner: "n1\r", Mode: "enforce",
	Cooldowns: []api.Cooldown{{Reason: "cli-open", Author: "eve\x1b[2J", Detail: "a\x1b[2Jb", RemainingMS: 5000, LengthMS: 9000, SetBy: "n1", SetAt: at(-4)}},
	Last:      &api.Transition{At: at(-4), From: "closed", To: "open", RetryAfter: "12\x1b[31m0", Status: 429, Nodes: []string{"n\x07"}},
}

func one(b api.Breaker) (string, api.Breaker) { return "GET /v1/breakers/" + b.Scope + "/" + b.Name, b }

// fleet is a node that knows them all.
func fleet() node {
	n := node{}
	all := []api.Breaker{healthy, asked, unheard, probed, tripped, stopped, lonely, far, orphaned, shadowed}
	for _, b := range append(all, hostile) {
		path, b := one(b)
		n[path] = b
		n[path+"/policy"] = api.PolicyResponse{Key: b.Key, Version: "0", Values: inForce, Node: "n1"}
		n[path+"/beliefs"] = believed(b)
		n["GET /v1/events?key="+url.QueryEscape(b.Key)+"&limit=5"] = api.EventsResponse{Events: happenedTo(b), Position: "p"}
	}
	var exceptions, open []api.Breaker
	for _, b := range all {
		if b.State != "closed" {
			exceptions = append(exceptions, b)
		}
		if b.State == "open" {
			open = append(open, b)
		}
	}
	n["GET /v1/breakers"] = api.BreakersResponse{Node: "n1", Breakers: exceptions, Closed: 2}
	n["GET /v1/breakers?state=open"] = api.BreakersResponse{Node: "n1", Breakers: open, Closed: 2}
	n["GET /v1/breakers?state=all"] = api.BreakersResponse{Node: "n1", Breakers: all, Closed: 2, Partial: []string{"n4"}}
	return n
}
