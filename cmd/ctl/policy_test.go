package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
)

// The overlays of the tests: what alice and others did to arxiv.org.
var (
	lasting = api.PolicyOverlay{
		Register: "operator", Version: "4", Base: "0", Fields: map[string]any{"fail_max": 4, "roles.metadata.trial_calls": 2},
		Author: "bob@ops", SetAt: at(-86_400), State: "replaced",
	}
	briefly = api.PolicyOverlay{
		Register: "operator", Version: "5", Base: "4", Fields: map[string]any{"fail_max": 3, "roles.metadata.trial_calls": 2},
		Temporary: map[string]any{"mode": "shadow", "classify.failure_statuses": []int{500, 502, 503, 504}}, Until: until(1200),
		Author: "alice@box", Reason: "false alarms while they move", SetAt: at(-600), State: "current",
	}
	tuned = api.PolicyOverlay{
		Register: "tuner", Version: "3", Base: "0", Fields: map[string]any{"reset_timeout": "1m30s"}, Author: "tuner",
		Reason: "probes failed for 80 s", SetAt: at(-172_800), State: "current",
	}
	lost = api.PolicyOverlay{
		Register: "operator", Version: "4", Base: "0", Fields: map[string]any{"fail_max": 9}, Author: "eve@far", SetAt: at(-86_401), State: "superseded",
	}
	ended = api.PolicyOverlay{
		Register: "operator", Version: "2", Base: "0", Temporary: map[string]any{"mode": "off"}, Until: until(-90_000), Author: "bob@ops",
		SetAt: at(-93_600), State: "expired",
	}
)

func values() []api.PolicyValue {
	return []api.PolicyValue{
		{Field: "fail_max", Value: 3, Origin: "operator overlay"},
		{Field: "reset_timeout", Value: "1m30s", Origin: "tuner overlay"},
		{Field: "backoff.multiplier", Value: 1, Origin: "default"},
		{Field: "rolling.enabled", Value: true, Origin: "default"},
		{Field: "permit_timeout", Value: "45s", Origin: "breakers.yaml:14:5"},
		{Field: "classify.failure_statuses", Value: []int{500, 502, 503, 504}, Origin: "operator overlay, temporary"},
		{Field: "classify.neutral_statuses", Value: []int{}, Origin: "profile conservative"},
		{Field: "mode", Value: "shadow", Origin: "operator overlay, temporary"},
		{Field: "roles.metadata.trial_calls", Value: 2, Origin: "operator overlay"},
	}
}

const (
	arxivPolicy    = "/v1/breakers/host/arxiv.org/policy"
	crossrefPolicy = "/v1/breakers/resolver/crossref/policy"
)

// replaced is a node that knows arxiv.org at version 5.
func replaced() node {
	shown := func(o api.PolicyOverlay) api.PolicyOverlay { o.State = ""; return o }
	return node{
		"GET " + arxivPolicy: api.PolicyResponse{
			Key: "host:arxiv.org", Version: "5", Values: values(), Overlays: []api.PolicyOverlay{shown(briefly), shown(tuned)}, Owner: "n2", Node: "n1",
		},
		"GET " + arxivPolicy + "/history": api.PolicyHistory{
			Key: "host:arxiv.org", Entries: []api.PolicyOverlay{briefly, lasting, lost, tuned, ended}, Partial: []string{"n4"},
		},
		"GET " + crossrefPolicy: api.PolicyResponse{
			Key: "resolver:crossref", Version: "0", Values: []api.PolicyValue{{Field: "fail_max", Value: 5, Origin: "default"}}, Node: "n1",
			Note: "no owner answered (n4 did not answer in time); this is what node n1 believes",
		},
		"GET " + crossrefPolicy + "/history": api.PolicyHistory{Key: "resolver:crossref", Entries: []api.PolicyOverlay{}},
	}
}

func TestPolicyShow(t *testing.T) {
	n := replaced()
	n["GET /v1/breakers/host/plain.org/policy"] = api.PolicyResponse{
		Key: "host:plain.org", Version: "117659725948518400", Values: []api.PolicyValue{{Field: "fail_max", Value: 5, Origin: "default"}}, Owner: "n1", Node: "n1",
		Overlays: []api.PolicyOverlay{{Register: "operator", Version: "117659725948518400", Base: "117659725948452864", Author: "alice@box", SetAt: at(-5)}},
	}
	term := newTerminal(t, n)
	term.types("policy", "show", "arXiv.org.")
	term.types("policy", "show", "arxiv.org", "--all")
	term.types("policy", "show", "resolver:crossref")
	term.types("policy", "show", "plain.org")
	term.types("policy", "show", "resolver:crossref", "-o", "json")
	term.types("policy", "show", "unknown.org")
	term.golden("policy-show")
}

func TestPolicyReplace(t *testing.T) {
	n := replaced()
	changes := []api.PolicyDifferent{{Field: "fail_max", From: 5, To: 3}, {Field: "retry_after_statuses", From: []int{429, 503}, To: []int{429}}}
	n["PATCH "+arxivPolicy] = api.PolicyChanged{Key: "host:arxiv.org", Version: "6", Base: "5", Changes: changes, Durable: true, Copies: 3}
	n["PATCH "+arxivPolicy+"?dry_run=true"] = api.PolicyChanged{Key: "host:arxiv.org", Version: "5", Base: "4", DryRun: true, Changes: changes}
	n["PATCH "+crossrefPolicy] = api.PolicyChanged{Key: "resolver:crossref", Version: "1", Base: "0", Changes: []api.PolicyDifferent{}, Copies: 1, Detail: "disk full"}
	n["PATCH /v1/breakers/host/plain.org/policy"] = api.PolicyChanged{
		Key: "host:plain.org", Version: "117659725948583936", Base: "117659725948518400", Changes: changes[:1], Durable: true, Copies: 3,
	}
	n["PATCH /v1/breakers/host/late.org/policy"] = &api.Problem{
		Status: 412, Detail: "the policy is at version 9, not 5: somebody changed it meanwhile", Version: "9", Try: "GET the policy"}
	n["PATCH /v1/breakers/host/bad.org/policy"] = &api.Problem{
		Status: 400, Detail: "the policy cannot be changed like this: 2 problems", Errors: []string{"fail_max: is 0; at least 1", `unknown policy field "mod"; did you mean mode?`}}
	n["PATCH /v1/breakers/host/worse.org/policy"] = &api.Problem{
		Status: 400, Detail: "the policy cannot be changed like this: fail_max: is 0; at least 1", Errors: []string{"fail_max: is 0; at least 1"}, Try: "fix it"}
	n["PATCH /v1/breakers/host/alone.org/policy"] = &api.Problem{Status: 503, Detail: "no owner answered", Try: "fleetfuse-ctl status"}
	term := newTerminal(t, n)
	term.types("policy", "replace", "arxiv.org", "--set", "fail_max=3", "--set", "retry_after_statuses=429,", "--reason", "it is slow")
	term.types("policy", "replace", "arxiv.org", "--set", "fail_max=3", "--unset", "mode", "--for", "1d12h", "--check-version", "5")
	term.types("policy", "replace", "arxiv.org", "--set", "fail_max=3", "--set", "retry_after_statuses=429,503", "--unset", "mode",
		"--for", "30m", "--reason", "it's slow", "--dry-run")
	term.types("policy", "replace", "arxiv.org", "--set", "fail_max=3", "--dry-run", "-o", "json")
	term.types("policy", "replace", "plain.org", "--set", "fail_max=3", "--check-version", "117659725948518400")
	term.types("policy", "replace", "resolver:crossref", "--set", "mode=shadow")
	term.types("policy", "replace", "resolver:crossref", "--set", "mode=shadow", "-o", "json")
	term.types("policy", "replace", "late.org", "--set", "fail_max=3", "--check-version", "5")
	term.types("policy", "replace", "bad.org", "--set", "fail_max=0", "--set", "mod=off")
	term.types("policy", "replace", "worse.org", "--set", "fail_max=0")
	term.types("policy", "replace", "alone.org", "--set", "fail_max=3")
	term.golden("policy-replace")
}

func TestPolicyReset(t *testing.T) {
	n := replaced()
	changes := []api.PolicyDifferent{{Field: "fail_max", From: 3, To: 5}, {Field: "roles.metadata.trial_calls", From: 2, To: nil}}
	n["DELETE "+arxivPolicy] = api.PolicyChanged{Key: "host:arxiv.org", Version: "6", Base: "5", Changes: changes, Durable: true, Copies: 3, TunerReset: true}
	n["DELETE "+arxivPolicy+"?dry_run=true"] = api.PolicyChanged{Key: "host:arxiv.org", Version: "5", Base: "4", DryRun: true, Changes: changes, TunerReset: true}
	n["DELETE "+crossrefPolicy] = &api.Problem{Status: 412, Detail: "the policy is at version 0, not 5", Version: "0"}
	term := newTerminal(t, n)
	term.types("policy", "reset", "arxiv.org", "--reason", "well again")
	term.types("policy", "reset", "arxiv.org", "--dry-run")
	term.types("policy", "reset", "arxiv.org", "--dry-run", "--addr", "http://"+term.addr)
	term.types("policy", "reset", "resolver:crossref", "--check-version", "5")
	term.golden("policy-reset")
}

func TestPolicyHistory(t *testing.T) {
	term := newTerminal(t, replaced())
	term.types("policy", "history", "arxiv.org")
	term.types("policy", "history", "resolver:crossref")
	term.types("policy", "history", "resolver:crossref", "-o", "json")
	term.golden("policy-history")
}

func TestPolicyRollback(t *testing.T) {
	n := replaced()
	back := []api.PolicyDifferent{{Field: "fail_max", From: 3, To: 4}, {Field: "mode", From: "shadow", To: "enforce"}}
	n["PUT "+arxivPolicy] = api.PolicyChanged{Key: "host:arxiv.org", Version: "6", Base: "5", Changes: back, Durable: true, Copies: 3}
	n["PUT "+arxivPolicy+"?dry_run=true"] = api.PolicyChanged{Key: "host:arxiv.org", Version: "5", Base: "4", DryRun: true, Changes: back}
	policy := func(host, version string, h ...api.PolicyOverlay) {
		path := "/v1/breakers/host/" + host + "/policy"
		n["GET "+path] = api.PolicyResponse{Key: "host:" + host, Version: version, Node: "n1"}
		n["GET "+path+"/history"] = api.PolicyHistory{Key: "host:" + host, Entries: h}
		n["PUT "+path] = &api.Problem{Status: 412, Detail: "the policy is at version 9, not 5", Version: "9"}
	}
	policy("first.org", "4", lasting)
	n["PUT /v1/breakers/host/first.org/policy"] = api.PolicyChanged{Key: "host:first.org", Version: "5", Base: "4", Durable: true, Copies: 1}
	policy("forgotten.org", "5", lasting)
	policy("moved.org", "5", briefly, lasting)
	term := newTerminal(t, n)
	term.types("policy", "rollback", "arxiv.org")
	term.types("policy", "rollback", "arxiv.org", "--dry-run")
	term.types("policy", "rollback", "arxiv.org", "--to", "5", "--reason", "end the shadow")
	term.types("policy", "rollback", "arxiv.org", "--to", "2")
	term.types("policy", "rollback", "arxiv.org", "--to", "0", "-o", "json")
	term.types("policy", "rollback", "arxiv.org", "--to", "3")
	term.types("policy", "rollback", "first.org")
	term.types("policy", "rollback", "forgotten.org")
	term.types("policy", "rollback", "moved.org")
	term.types("policy", "rollback", "resolver:crossref")
	term.types("policy", "rollback", "unknown.org")
	term.golden("policy-rollback")
}

func TestPolicyUsage(t *testing.T) {
	term := newTerminal(t, replaced())
	for _, args := range [][]string{
		{"policy"},
		{"policy", "shw", "a.org"},
		{"policy", "set", "a.org"},
		{"policy", "get", "a.org"},
		{"policy", "show"},
		{"policy", "show", "a.org", "b.org"},
		{"policy", "show", "https://a.org/x"},
		{"policy", "replace", "a.org"},
		{"policy", "replace", "a.org", "fail_max=3"},
		{"policy", "replace", "a.org", "--set", "fail_max"},
		{"policy", "replace", "a.org", "--set", "=3"},
		{"policy", "replace", "a.org", "--set", "fail_max="},
		{"policy", "replace", "a.org", "--set", "fail_max=3", "--set", "fail_max=4"},
		{"policy", "replace", "a.org", "--set", "fail_max=3", "--unset", "fail_max"},
		{"policy", "replace", "a.org", "--unset", "fail_max=3"},
		{"policy", "replace", "a.org", "--unset", "mode", "--unset", "mode"},
		{"policy", "replace", "a.org", "--unset", "mode", "--for", "30m"},
		{"policy", "replace", "a.org", "--set", "fail_max=3", "--for", "30"},
		{"policy", "replace", "a.org", "--set", "fail_max=3", "--for", "0.5s"},
		{"policy", "replace", "a.org", "--set", "fail_max=3", "--for", "31d"},
		{"policy", "replace", "a.org", "--set", "fail_max=3", "--check-version", `"5"`},
		{"policy", "replace", "a.org", "--set", "fail_max=3", "--reason", strings.Repeat("x", 129)},
		{"policy", "rollback", "a.org", "--to", "yesterday"},
		{"config", "show", "a.org"},
		{"config", "show", "--host", ""},
		{"config", "show", "--host", "https://a.org/x"},
		{"config", "reload", "fleetfuse.yaml"},
	} {
		term.types(args...)
	}
	term.golden("policy-usage")
}

func TestPolicyHostile(t *testing.T) {
	evil := "x\x1b[2J\u202e\ny"
	o := api.PolicyOverlay{
		Register: evil, Version: evil, Base: evil, State: evil, Author: evil, Reason: evil, SetAt: at(86_400),
		Fields: map[string]any{evil: evil, "deep": map[string]any{"a": []any{nil, evil}}}, Temporary: map[string]any{evil: 1e300},
	}
	n := node{
		"GET " + arxivPolicy: api.PolicyResponse{
			Key: evil, Version: evil, Owner: evil, Node: evil, Note: evil,
			Values: []api.PolicyValue{{Field: evil, Value: []any{evil, map[string]any{evil: evil}}, Origin: evil}}, Overlays: []api.PolicyOverlay{o},
		},
		"GET " + arxivPolicy + "/history": api.PolicyHistory{Key: evil, Entries: []api.PolicyOverlay{o}, Partial: []string{evil}},
		"PATCH " + arxivPolicy:            api.PolicyChanged{Key: evil, Version: evil, Base: evil, Changes: []api.PolicyDifferent{{Field: evil, From: evil}}, Detail: evil},
		"PATCH " + arxivPolicy + "?dry_run=true": api.PolicyChanged{
			Key: evil, Version: "1; rm -r ~ #", DryRun: true},
		"DELETE " + arxivPolicy: &api.Problem{Status: 412, Detail: evil, Version: "$(reboot)", Errors: []string{evil}},
		"GET /v1/config": api.ConfigResponse{
			Node: evil, Hash: evil, Files: []string{evil}, Options: []api.ConfigValue{{Name: evil, Value: evil, Origin: evil}}, Key: evil,
			Values: []api.PolicyValue{{Field: evil, Value: evil, Origin: evil}}, Failed: &api.FailedReload{Errors: []string{evil}},
		},
		"POST /v1/config/reload": api.ReloadResponse{Node: evil, Hash: evil, Changes: []api.ConfigChange{{Scope: evil, Field: evil}}, NeedsRestart: []string{evil}},
	}
	term := newTerminal(t, n)
	term.types("policy", "show", "arxiv.org")
	term.types("policy", "history", "arxiv.org")
	term.types("policy", "replace", "arxiv.org", "--set", "a\x1b[2J=b")
	term.types("policy", "replace", "arxiv.org", "--set", "a=$(reboot)", "--set", "b;c=d'e", "--dry-run")
	term.types("policy", "reset", "arxiv.org", "--check-version", "5")
	term.types("config", "show")
	term.types("config", "reload")
	term.golden("policy-hostile")
}

func TestParseValue(t *testing.T) {
	for _, x := range []struct{ text, want string }{ // want is JSON
		{"3", `3`}, {"-1.50", `-1.50`}, {"1e3", `1e3`}, {"0.5", `0.5`},
		{"true", `true`}, {"false", `false`}, {"True", `"True"`}, {"on", `"on"`},
		{"429,503", `[429,503]`}, {"429, 503", `[429,503]`}, {"429,", `[429]`}, {",", `","`}, {",429", `",429"`}, {"429,,503", `"429,,503"`}, {"429,x", `"429,x"`},
		{"90s", `"90s"`}, {"1_000", `"1_000"`}, {"05", `"05"`}, {"+5", `"+5"`}, {".5", `".5"`}, {"5.", `"5."`}, {"0x10", `"0x10"`},
		{"NaN", `"NaN"`}, {"Inf", `"Inf"`}, {"-Inf", `"-Inf"`}, {"1e999", `"1e999"`}, {"null", `"null"`}, {"none", `"none"`}, {"[1]", `"[1]"`}, {`{"a":1}`, `"{\"a\":1}"`},
		{"a=b", `"a=b"`}, {"-", `"-"`},
	} {
		got, err := json.Marshal(parseValue(x.text))
		if err != nil {
			t.Errorf("%q: %v", x.text, err)
		}
		if d := cmp.Diff(x.want, string(got)); d != "" {
			t.Errorf("%q: %s", x.text, d)
		}
	}
}

func TestCompleteFields(t *testing.T) {
	n := replaced()
	n["GET /v1/breakers?state=all"] = api.BreakersResponse{Node: "n1", Breakers: []api.Breaker{healthy}}
	term := newTerminal(t, n)
	for _, x := range []struct {
		args []string
		want string
	}{
		{[]string{"policy", "replace", "arxiv.org", "--set", "r"}, "reset_timeout= rolling.enabled= roles.metadata.trial_calls="},
		{[]string{"policy", "replace", "arxiv.org", "--unset", "mod"}, "mode"},
		{[]string{"policy", "replace", "--set", "mod"}, ""},
		{[]string{"policy", "replace", "unknown.org", "--set", "mod"}, ""},
		{[]string{"policy", "rollback", "arx"}, "arxiv.org"},
		{[]string{"config", "show", "--host", "arx"}, "arxiv.org"},
	} {
		stdout, _, _ := term.run(t.Context(), append([]string{"__complete"}, x.args...)...)
		offered, _, _ := strings.Cut(stdout, ":")
		if got := strings.Join(strings.Fields(offered), " "); got != x.want {
			t.Errorf("%v: got %q, want %q", x.args, got, x.want)
		}
	}
}
