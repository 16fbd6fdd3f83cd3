package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/httpapi"
)

// words implements httpapi.Policies: a policy at version 7, and what it was
// told.
type words struct {
	err      error
	key      breaker.Key
	changes  []httpapi.PolicyRequest
	reloads  int
	deadline bool // the question had one
}

func (p *words) Policy(ctx context.Context, k breaker.Key) (api.PolicyResponse, error) {
	p.key = k
	_, p.deadline = ctx.Deadline()
	return api.PolicyResponse{Key: string(k), Version: "7", Node: "n1"}, p.err
}

func (p *words) Change(_ context.Context, k breaker.Key, r httpapi.PolicyRequest) (api.PolicyChanged, error) {
	p.key = k
	p.changes = append(p.changes, r)
	return api.PolicyChanged{Key: string(k), Version: "8", Base: "7", DryRun: r.DryRun, Durable: true, Copies: 2}, p.err
}

func (p *words) History(ctx context.Context, k breaker.Key) (api.PolicyHistory, error) {
	p.key = k
	_, p.deadline = ctx.Deadline()
	return api.PolicyHistory{Key: string(k), Partial: []string{"n3", "n2"}}, p.err
}

func (p *words) Config(k breaker.Key) api.ConfigResponse {
	p.key = k
	return api.ConfigResponse{Node: "n1", Key: string(k)}
}

func (p *words) Reload(context.Context) (api.ReloadResponse, error) {
	p.reloads++
	return api.ReloadResponse{Node: "n1", Hash: "b", Before: "a"}, p.err
}

const policyPath = "/v1/breakers/host/a.example/policy"

// problemIn reads the problem that an answer has to be.
func problemIn(t *testing.T, text string) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return p
}

func withMatch(tags ...string) http.Header {
	return http.Header{"Content-Type": asJSON["Content-Type"], "If-Match": tags}
}

func TestPolicy(t *testing.T) {
	r := newRig(t)
	resp, text := r.exchange("GET", "/v1/breakers/host/A.Example./policy", "", nil, nil)
	if resp.StatusCode != 200 || resp.Header.Get("ETag") != `"7"` || r.words.key != "host:a.example" || !r.words.deadline {
		t.Errorf("got %d, ETag %s, key %s, deadline %v", resp.StatusCode, resp.Header.Get("ETag"), r.words.key, r.words.deadline)
	}
	if !strings.Contains(text, `"values":[]`) {
		t.Errorf("no values are not []: %s", text)
	}
	if status, text := r.request("GET", "/v1/breakers/resolver/Crossref/policy", "", nil, nil); status != 200 || r.words.key != "resolver:Crossref" {
		t.Errorf("a resolver: %d %s, key %q", status, text, r.words.key)
	}
	for _, path := range []string{"/v1/breakers/zone/a/policy", "/v1/breakers/host/a..b/policy/history", "/v1/breakers/host/%20/policy"} {
		if status, text := r.request("GET", path, "", nil, nil); status != 400 || !strings.Contains(text, `"try":`) {
			t.Errorf("%s: %d %s, want a problem", path, status, text)
		}
	}
}

func TestPolicyHistory(t *testing.T) {
	r := newRig(t)
	_, text := r.request("GET", policyPath+"/history", "", nil, nil)
	if want := `{"key":"host:a.example","entries":[],"partial":["n2","n3"]}`; strings.TrimSpace(text) != want || !r.words.deadline {
		t.Errorf("got %s, deadline %v; want %s", text, r.words.deadline, want)
	}
}

func TestChangePolicy(t *testing.T) {
	seven := "7"
	set := map[string]any{"fail_max": 3.0}
	for _, x := range []struct {
		what, method, query, body string
		header                    http.Header
		want                      httpapi.PolicyRequest
	}{
		{"a merge", "PATCH", "", `{"set":{"fail_max":3},"unset":["mode"],"for":"30m","author":"me","reason":"r"}`, asJSON,
			httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Set: set, Unset: []string{"mode"}, For: "30m", Author: "me", Reason: "r"}}},
		{"an unset", "PATCH", "?dry_run=false", `{"unset":["fail_max"]}`, asJSON,
			httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Unset: []string{"fail_max"}}}},
		{"a whole overlay", "PUT", "?dry_run=true", `{"set":{"fail_max":3}}`, withMatch(`"7"`),
			httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Set: set}, Whole: true, Match: &seven, DryRun: true}},
		{"an empty overlay", "PUT", "", `{"set":{}}`, asJSON,
			httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Set: map[string]any{}}, Whole: true}},
		{"a reset", "DELETE", "", "", nil, httpapi.PolicyRequest{Whole: true, Reset: true}},
		{"a reset of a version", "DELETE", "", "", http.Header{"If-Match": {`"7"`}}, httpapi.PolicyRequest{Whole: true, Reset: true, Match: &seven}},
		{"a reset with a reason", "DELETE", "", `{"reason":"r"}`, asJSON,
			httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Reason: "r"}, Whole: true, Reset: true}},
		{"a long reason", "PATCH", "", `{"unset":["mode"],"author":"` + strings.Repeat("x", 200) + `","reason":"` + strings.Repeat("é", 100) + `"}`, asJSON,
			httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Unset: []string{"mode"}, Author: strings.Repeat("x", 128), Reason: strings.Repeat("é", 64)}}},
		{"fields in fields", "PATCH", "", `{"set":{"roles":{"metadata":{"fail_max":2}},"x":[1,[2]],"":"\u0000\u202e"}}`, asJSON,
			httpapi.PolicyRequest{PolicyChange: api.PolicyChange{Set: map[string]any{
				"roles": map[string]any{"metadata": map[string]any{"fail_max": 2.0}}, "x": []any{1.0, []any{2.0}}, "": "\x00\u202e"}}}},
	} {
		r := newRig(t)
		var got api.PolicyChanged
		resp, text := r.exchange(x.method, policyPath+x.query, x.body, x.header, &got)
		if resp.StatusCode != 200 || resp.Header.Get("ETag") != `"8"` || got.Copies != 2 || !strings.Contains(text, `"changes":[]`) {
			t.Errorf("%s: %d, ETag %s, %s", x.what, resp.StatusCode, resp.Header.Get("ETag"), text)
		}
		if d := cmp.Diff([]httpapi.PolicyRequest{x.want}, r.words.changes); d != "" || r.words.key != "host:a.example" {
			t.Errorf("%s: key %s, %s", x.what, r.words.key, d)
		}
	}
}

func TestBadChanges(t *testing.T) {
	many := make(map[string]any, 1001)
	for i := range 1001 {
		many[fmt.Sprint("f", i)] = i
	}
	tooMany, _ := json.Marshal(api.PolicyChange{Set: many})
	for _, x := range []struct {
		what, method, query, body string
		status                    int
		want                      string // in the detail
	}{
		{"nothing", "PATCH", "", `{}`, 400, "nothing is to be changed"},
		{"nothing, in words", "PATCH", "", `{"set":{},"unset":[]}`, 400, "nothing is to be changed"},
		{"a time for nothing", "PATCH", "", `{"unset":["mode"],"for":"5m"}`, 400, "no field in set"},
		{"null", "PATCH", "", `{"set":{"fail_max":null}}`, 400, `"fail_max": null is no value`},
		{"both", "PATCH", "", `{"set":{"fail_max":3},"unset":["fail_max"]}`, 400, "in set and in unset"},
		{"unset in a PUT", "PUT", "", `{"set":{"fail_max":3},"unset":["mode"]}`, 400, "no unset"},
		{"an empty unset in a PUT", "PUT", "", `{"set":{"fail_max":3},"unset":[]}`, 400, "no unset"},
		{"a PUT of nothing", "PUT", "", `{}`, 400, "a PUT needs set"},
		{"a PUT of null", "PUT", "", `{"set":null}`, 400, "a PUT needs set"},
		{"a DELETE with set", "DELETE", "", `{"set":{}}`, 400, "resets the whole overlay"},
		{"a DELETE with unset", "DELETE", "", `{"unset":["mode"]}`, 400, "resets the whole overlay"},
		{"a DELETE with for", "DELETE", "", `{"for":"5m"}`, 400, "resets the whole overlay"},
		{"for in words", "PATCH", "", `{"set":{"fail_max":3},"for":"a while"}`, 400, "no length of time"},
		{"for without a unit", "PATCH", "", `{"set":{"fail_max":3},"for":"30"}`, 400, "no length of time"},
		{"for nothing", "PATCH", "", `{"set":{"fail_max":3},"for":"999ms"}`, 400, "from a second to 30 days"},
		{"for the past", "PATCH", "", `{"set":{"fail_max":3},"for":"-5m"}`, 400, "from a second to 30 days"},
		{"for ever", "PUT", "", `{"set":{"fail_max":3},"for":"720h0m1s"}`, 400, "from a second to 30 days"},
		{"for longer than there is", "PUT", "", `{"set":{"fail_max":3},"for":"99999999999h"}`, 400, "no length of time"},
		{"too many fields", "PATCH", "", string(tooMany), 400, "1001 fields are set and 0 unset; at most 64"},
		{"no body", "PATCH", "", "", 400, "it is empty"},
		{"no JSON", "PATCH", "", "fail_max=3", 400, "the body is not"},
		{"an array", "PATCH", "", `[{"set":{}}]`, 400, "the body is not"},
		{"null alone", "PATCH", "", `null`, 400, "nothing is to be changed"},
		{"an unknown field", "PATCH", "", `{"sets":{"fail_max":3}}`, 400, `unknown field \"sets\"`},
		{"text behind it", "PATCH", "", `{"unset":["mode"]} x`, 400, "text after"},
		{"set is a list", "PATCH", "", `{"set":["fail_max"]}`, 400, "the body is not"},
		{"a number no float holds", "PATCH", "", `{"set":{"fail_max":1e999}}`, 400, "the body is not"},
		{"a deep hole", "PATCH", "", `{"set":{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`, 400, "the body is not"},
		{"a huge body", "PATCH", "", `{"reason":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "longer than"},
		{"dry_run=1", "PATCH", "?dry_run=1", `{"unset":["mode"]}`, 400, "neither true nor false"},
		{"dry_run=", "PATCH", "?dry_run", `{"unset":["mode"]}`, 400, "neither true nor false"},
		{"dry_run twice", "PATCH", "?dry_run=true&dry_run=false", `{"unset":["mode"]}`, 400, "given twice"},
		{"dry-run", "DELETE", "?dry-run=true", "", 400, "no parameter of this call"},
		{"a broken query", "DELETE", "?dry_run=%zz", "", 400, "cannot be read"},
	} {
		r := newRig(t)
		status, text := r.request(x.method, policyPath+x.query, x.body, asJSON, nil)
		if status != x.status || !strings.Contains(text, x.want) && !strings.Contains(problemIn(t, text).Detail, x.want) || !strings.Contains(text, `"try":`) {
			t.Errorf("%s: %d %s, want %d and %q", x.what, status, text, x.status, x.want)
		}
		if len(r.words.changes) > 0 {
			t.Errorf("%s: changed something: %+v", x.what, r.words.changes)
		}
	}
}

func TestChangeRefused(t *testing.T) {
	bad := func(text string) error { return fmt.Errorf("%w: %s", httpapi.ErrBadPolicy, text) }
	two := errors.Join(errors.New("fail_max: is 0; at least 1"), errors.New("mode: is maybe"))
	listed := []string{"fail_max: is 0; at least 1", "mode: is maybe"}
	many := make([]error, 250)
	for i := range many {
		many[i] = fmt.Errorf("field %d", i)
	}
	for _, x := range []struct {
		what   string
		err    error
		status int
		detail string
		errors []string
	}{
		{"one", bad("fail_max is 0"), 400, "the policy cannot be changed like this: fail_max is 0", []string{"fail_max is 0"}},
		{"no words", httpapi.ErrBadPolicy, 400, "the policy cannot be changed like this", []string{"the policy cannot be changed like this"}},
		{"a join inside", fmt.Errorf("%w: %w", httpapi.ErrBadPolicy, two), 400, "the policy cannot be changed like this: 2 problems", listed},
		{"joined to it", errors.Join(httpapi.ErrBadPolicy, two), 400, "the policy cannot be changed like this: 2 problems", listed},
		{"each one bad", errors.Join(bad("a"), bad("b")), 400, "the policy cannot be changed like this: 2 problems", []string{"a", "b"}},
		{"with a word before", fmt.Errorf("%w: host:a: %w", httpapi.ErrBadPolicy, two), 400, "the policy cannot be changed like this: 2 problems",
			[]string{"host:a: " + listed[0], "host:a: " + listed[1]}},
		{"a conflict", fmt.Errorf("change: %w", &httpapi.ConflictError{Want: "5", Have: "9"}), 412, "the policy is at version 9, not 5: somebody changed it meanwhile", nil},
		{"too late", context.DeadlineExceeded, 503, "context deadline exceeded", nil},
		{"no owner", errSilent, 503, "n2 did not answer in time", nil},
	} {
		r := newRig(t)
		r.words.err = x.err
		resp, text := r.exchange("PATCH", policyPath, `{"unset":["mode"]}`, asJSON, nil)
		p := problemIn(t, text)
		if resp.StatusCode != x.status || p.Detail != x.detail || p.Try == "" {
			t.Errorf("%s: %d %s, want %d %q", x.what, resp.StatusCode, text, x.status, x.detail)
		}
		if d := cmp.Diff(x.errors, p.Errors); d != "" {
			t.Errorf("%s: %s", x.what, d)
		}
		if conflict := x.status == 412; conflict != (p.Version == "9") || conflict != (resp.Header.Get("ETag") == `"9"`) {
			t.Errorf("%s: version %q, ETag %s", x.what, p.Version, resp.Header.Get("ETag"))
		}
	}
	r := newRig(t)
	r.words.err = fmt.Errorf("%w: %w", httpapi.ErrBadPolicy, errors.Join(many...))
	_, text := r.request("PATCH", policyPath, `{"unset":["mode"]}`, asJSON, nil)
	if p := problemIn(t, text); len(p.Errors) != 100 || p.Errors[99] != "and 151 more" {
		t.Errorf("many: %d errors, the last %q", len(p.Errors), p.Errors[len(p.Errors)-1])
	}
	r.words.err = errSilent
	for _, path := range []string{policyPath, policyPath + "/history"} {
		if status, text := r.request("GET", path, "", nil, nil); status != 503 {
			t.Errorf("%s: %d %s, want 503", path, status, text)
		}
	}
	if status, text := r.request("DELETE", policyPath, "", http.Header{"If-Match": {`W/"7"`}}, nil); status != 503 {
		t.Errorf("a weak tag without an owner: %d %s, want 503", status, text)
	}
}
