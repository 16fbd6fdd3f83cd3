package httpapi_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// Callers that only know a status must not take a slip in a role for a broken
// node: 400 is for a call that names nobody.
func TestOnlyACallThatNamesNobodyIsRefused(t *testing.T) {
	r := newRig(t)
	for _, x := range []struct {
		host, resolver, role, deny string
		want                       int // of the gate; of allow a 200 where it is no 400
	}{
		{host: "a.example", want: 204},
		{host: "a.example", role: "meta data", want: 204},
		{host: "a.example", role: strings.Repeat("r", 65), want: 204},
		{host: "a.example", deny: "none", want: 204},
		{host: "a b..c", resolver: "crossref", want: 204},
		{host: "a.example", resolver: "a b", want: 204},
		{want: 400},
		{host: "a b..c", want: 400},
		{resolver: "a b", want: 400},
		{host: "a b..c", resolver: "a b", want: 400},
		{role: "metadata", want: 400},
	} {
		query := url.Values{"host": {x.host}, "resolver": {x.resolver}, "role": {x.role}, "deny": {x.deny}}.Encode()
		if status, text := r.request("GET", "/v1/gate?"+query, "", nil, nil); status != x.want {
			t.Errorf("gate %+v: %d %s", x, status, text)
		}
		want := x.want
		if want == 204 {
			want = 200
		}
		body := `{"host":"` + x.host + `","resolver":"` + x.resolver + `","role":"` + x.role + `"}`
		if status, text := r.request("POST", "/v1/allow", body, asJSON, nil); status != want {
			t.Errorf("allow %s: %d %s", body, status, text)
		}
	}
}

// What the tuner advises a worker's limiter is told with the decision.
func TestAllowTellsTheRateMultiplier(t *testing.T) {
	r := newRig(t)
	r.policy.RateMultiplier = 0.8
	r.policy.Roles = map[string]breaker.RolePolicy{"artifact": {RateMultiplier: 0.4}, "metadata": {RateMultiplier: 1}}
	for role, want := range map[string]float64{"": 0.8, "artifact": 0.4, "landing": 0.8, "metadata": 0} { // absent is 1
		var a api.AllowResponse
		if status, text := r.request("POST", "/v1/allow", `{"host":"a.example","resolver":"cr","role":"`+role+`"}`, asJSON, &a); status != 200 || a.RateMultiplier != want {
			t.Errorf("role %q: want %v; %d %s", role, want, status, text)
		}
	}
}

// A role's part of a policy reaches the workers whole.
func TestViewHasTheRolesOfAPolicy(t *testing.T) {
	r := newRig(t)
	r.policy.TrialCalls, r.policy.FailMax = 10, 7
	r.policy.Roles = map[string]breaker.RolePolicy{"artifact": {
		ResetTimeout: time.Minute, SuccessThreshold: 2, TrialCalls: 1, RateMultiplier: 0.5,
	}}
	var e api.ViewEvent
	if status, text := r.request("GET", "/v1/view", "", nil, &e); status != 200 {
		t.Fatal(status, text)
	}
	want := api.RolePolicy{FailMax: 7, ResetTimeoutMS: 60_000, SuccessThreshold: 2, TrialCalls: 1, RateMultiplier: 0.5}
	if got := e.Policies[""].Roles["artifact"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestGateDeniesWithAStatusAProxyUnderstands(t *testing.T) {
	r := newRig(t)
	r.gate.Apply("host:a.example", breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: "id1", Stamp: r.clock.Stamp(), Until: r.in(time.Minute), Length: time.Minute, Reason: breaker.ReasonCLIOpen,
	}}})
	for deny, want := range map[string]int{"": 403, "503": 503, "429": 429, "200": 403, "600": 403, "x": 403, "403.5": 403} {
		resp, text := r.exchange("GET", "/v1/gate?host=a.example&role=a%20b&deny="+deny, "", nil, nil)
		if resp.StatusCode != want || resp.Header.Get("Retry-After") != "60" {
			t.Errorf("deny=%s: %d, Retry-After %q; want %d: %s", deny, resp.StatusCode, resp.Header.Get("Retry-After"), want, text)
		}
	}
}

func TestReportsWithARoleThatCannotBeSpelledCount(t *testing.T) {
	r := newRig(t)
	var got api.ReportResponse
	body := `{"outcomes":[{"host":"a.example","role":"a b","status":200},{"host":"a..b","status":200},{"host":"a.example","error":"` + strings.Repeat("x", 5000) + `"}]}`
	status, text := r.request("POST", "/v1/report", body, asJSON, &got)
	if status != 202 || got.Accepted != 1 || len(got.Rejected) != 2 || len(text) > 1000 {
		t.Errorf("%d, %d bytes: %.1000s", status, len(text), text)
	}
}

// A problem says what was wrong and does not carry all of it back.
func TestProblemsAreShort(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, x := range []struct {
		method, path, body string
		header             http.Header
	}{
		{"GET", "/" + long, "", nil},
		{"GET", "/healthz", "", http.Header{"Host": {long}}},
		{"GET", "/healthz", "", http.Header{"Origin": {"http://" + long}}},
		{"POST", "/v1/allow", `{"` + long + `":1}`, asJSON},
		{"GET", "/v1/breakers/" + long + "/a", "", nil},
		{"GET", "/v1/summary?window=" + long, "", nil},
		{"POST", "/v1/breakers/host/a.example/open", `{"for":"` + long + `"}`, asJSON},
	} {
		r := newRig(t)
		status, text := r.request(x.method, x.path, x.body, x.header, nil)
		if status < 400 || len(text) > 1000 || !strings.Contains(text, `"try":`) {
			t.Errorf("%s %.60s: %d, %d bytes: %.300s", x.method, x.path, status, len(text), text)
		}
	}
}

func TestStreamsOfTheViewAreLimited(t *testing.T) {
	r := newRig(t) // two at most
	stream := func() (*http.Response, context.CancelFunc) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/v1/view", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/event-stream")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp, func() { cancel(); _ = resp.Body.Close() }
	}
	first, end := stream()
	second, endSecond := stream()
	defer endSecond()
	third, endThird := stream()
	endThird()
	if first.StatusCode != 200 || second.StatusCode != 200 || third.StatusCode != 503 || third.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s, %s, %s", first.Status, second.Status, third.Status)
	}
	if got := get[api.ViewEvent](r, "/v1/view"); !got.Full {
		t.Error("the view without a stream is not told")
	}
	end()
	for again := (*http.Response)(nil); again == nil || again.StatusCode != 200; {
		resp, done := stream() // the server hears of the end after its reader
		again = resp
		done()
	}
}
