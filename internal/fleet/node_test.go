package fleet_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// program is the node built once for all tests here.
var program, ctl string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "fleet")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", dir+"/", "fleetfuse/cmd/node", "fleetfuse/cmd/ctl")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build:", err)
			return 1
		}
		program, ctl = filepath.Join(dir, "node"), filepath.Join(dir, "ctl")
		return m.Run()
	}())
}

// start starts a node that ends with the test.
func start(t *testing.T, dir string, args ...string) *fleet.Node {
	t.Helper()
	n, err := fleet.Program{Binary: program, Dir: dir}.Start(t.Context(), "n1", args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Kill)
	return n
}

func allow(t *testing.T, n *fleet.Node, host string) api.AllowResponse {
	t.Helper()
	var a api.AllowResponse
	if code, err := n.Call(t.Context(), "POST", "/v1/allow", api.AllowRequest{Host: host}, &a); err != nil || code != http.StatusOK {
		t.Fatalf("allow: %d, %v\n%s", code, err, n.Log())
	}
	return a
}

func report(t *testing.T, n *fleet.Node, o api.Outcome) {
	t.Helper()
	var r api.ReportResponse
	code, err := n.Call(t.Context(), "POST", "/v1/report", api.ReportRequest{Outcomes: []api.Outcome{o}}, &r)
	if err != nil || code != http.StatusAccepted || len(r.Rejected) != 0 {
		t.Fatalf("report: %d, %v, %+v", code, err, r)
	}
}

// until asks until the answer is as wanted; the limit only stops hangs.
func until(t *testing.T, what string, n *fleet.Node, host string, ok func(api.AllowResponse) bool) api.AllowResponse {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		a := allow(t, n, host)
		if ok(a) {
			return a
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: still %+v\n%s", what, a, n.Log())
		}
		time.Sleep(time.Duration(min(max(a.RetryAfterMS, 5), 200)) * time.Millisecond) // as told
	}
}

func permitted(a api.AllowResponse) bool { return a.Permit != "" }

const host = "api.example.org"

func trip(t *testing.T, n *fleet.Node) {
	t.Helper()
	for range 5 {
		report(t, n, api.Outcome{Host: host, Status: 503})
	}
	a := until(t, "trip", n, host, func(a api.AllowResponse) bool { return !a.Allowed && a.Reason == "consecutive-failures" })
	if a.RetryAfterMS <= 0 || a.Key != "host:"+host || a.State != "open" {
		t.Fatalf("rejection = %+v; want retry_after_ms, state open and the key", a)
	}
}

func TestTripProbeRecover(t *testing.T) {
	n := start(t, t.TempDir(), "--breaker-defaults", "reset:1,half_open.jitter:0")
	trip(t, n)
	first := until(t, "run out", n, host, permitted)
	var granted sync.Map
	var all sync.WaitGroup
	report(t, n, api.Outcome{Host: host, Status: 404, Permit: first.Permit}) // neutral: gives it back
	for i := range 50 {
		all.Go(func() {
			var a api.AllowResponse
			if _, err := n.Call(t.Context(), "POST", "/v1/allow", api.AllowRequest{Host: host}, &a); err == nil && a.Allowed {
				granted.Store(i, a.Permit)
			}
		})
	}
	all.Wait()
	var permits []string
	granted.Range(func(_, p any) bool { permits = append(permits, p.(string)); return true })
	if len(permits) > 1 {
		t.Fatalf("%d of 50 concurrent callers got a permit; want one", len(permits))
	}
	if len(permits) == 0 { // the 100 ms of the refusal before it had not passed
		until(t, "second permit", n, host, permitted)
	}
	report(t, n, api.Outcome{Host: host, Status: 200}) // names no permit
	until(t, "close", n, host, func(a api.AllowResponse) bool { return a.Allowed && a.State == "closed" })
	for range 5 {
		report(t, n, api.Outcome{Host: host, Error: "timeout", LatencyMS: 30_000}) // began before the trip
	}
	if a := allow(t, n, host); !a.Allowed {
		t.Errorf("old timeouts tripped a recovered host: %+v", a)
	}
}

func TestRetryAfterSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	report(t, n, api.Outcome{Host: host, Status: 429, RetryAfter: "20"})
	if a := allow(t, n, host); a.Allowed || a.Reason != "retry-after" || a.RetryAfterMS < 18_000 || a.RetryAfterMS > 20_000 {
		t.Fatalf("after one 429 with Retry-After: 20: %+v", a)
	}
	report(t, n, api.Outcome{Host: host, Status: 200, LatencyMS: 5000}) // was in flight
	if a := allow(t, n, host); a.Allowed {
		t.Fatal("an in-flight success cleared a Retry-After")
	}
	var b api.Breaker
	for deadline := time.Now().Add(10 * time.Second); !b.Durable; {
		if _, err := n.Call(t.Context(), "GET", "/v1/breakers/host/"+host, nil, &b); err != nil || time.Now().After(deadline) {
			t.Fatalf("the cooldown never became durable: %+v, %v", b, err)
		}
	}
	n.Kill()
	n = start(t, dir)
	if a := allow(t, n, host); a.Allowed || a.Reason != "retry-after" || a.RetryAfterMS > 20_000 {
		t.Errorf("after kill -9 and restart: %+v", a)
	}
}

func TestOperatorOpenAndCloseSurviveKill(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	var r api.OperatorResponse
	code, err := n.Call(t.Context(), "POST", "/v1/breakers/host/"+host+"/open", api.OpenRequest{For: "10m", Reason: "maintenance"}, &r)
	if err != nil || code != http.StatusOK || !r.Durable || r.State != "open" {
		t.Fatalf("open: %d, %v, %+v", code, err, r)
	}
	n.Kill()
	n = start(t, dir)
	if a := allow(t, n, host); a.Allowed || a.Reason != "cli-open" {
		t.Fatalf("an operator's open did not survive: %+v", a)
	}
	if code, err := n.Call(t.Context(), "POST", "/v1/breakers/host/"+host+"/close", api.CloseRequest{}, &r); err != nil || code != http.StatusOK || !r.Durable {
		t.Fatalf("close: %d, %v, %+v", code, err, r)
	}
	n.Kill()
	n = start(t, dir)
	if a := allow(t, n, host); !a.Allowed || a.State != "closed" {
		t.Errorf("an operator's close did not survive: %+v", a)
	}
	if err := n.Stop(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, n.Log())
	}
}

func TestRefusedStarts(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	for _, x := range []struct {
		name, want string
		args       []string
	}{
		{"a second node on one data directory", "another node uses", []string{"--data-dir", n.DataDir}},
		{"a port in use", "address already in use", []string{"--http.listen-address", strings.TrimPrefix(n.HTTP, "http://")}},
		{"an actor port in use", "address already in use", []string{"--actor.listen-address", strings.TrimPrefix(n.HTTP, "http://")}},
		{"a bad policy", "fail_max", []string{"--breaker-defaults", "fail_max:0"}},
	} {
		_, err := fleet.Program{Binary: program, Dir: t.TempDir()}.Start(t.Context(), "n2", x.args...)
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v; want %q", x.name, err, x.want)
		}
	}
}

func TestBadRequests(t *testing.T) {
	n := start(t, t.TempDir())
	for _, x := range []struct {
		what, path, body string
		code             int
	}{
		{"empty host", "/v1/allow", `{"host":""}`, 400},
		{"header injection", "/v1/allow", `{"host":"a\r\nX: y"}`, 400},
		{"unknown field", "/v1/allow", `{"hosst":"a"}`, 400},
		{"two values", "/v1/allow", `{"host":"a"}{}`, 400},
		{"not JSON", "/v1/allow", `host=a`, 400},
		{"too long a body", "/v1/report", `{"worker":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		{"open without a length", "/v1/breakers/host/a/open", `{}`, 400},
		{"open for too long", "/v1/breakers/host/a/open", `{"for":"10000h"}`, 400},
		{"bad scope", "/v1/breakers/planet/a/close", `{}`, 400},
	} {
		resp, err := http.Post(n.HTTP+x.path, "application/json", strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != x.code || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s; want %d with a problem", x.what, resp.StatusCode, resp.Header.Get("Content-Type"), x.code)
		}
	}
	var r api.ReportResponse
	outcomes := []api.Outcome{
		{Host: host}, {Host: host, Status: 99999}, {Host: host, Status: 200, LatencyMS: -1}, {Host: host, Error: "gremlins"},
		{Host: host, Status: 429, RetryAfter: "120, 60"}, {Host: host, Status: 200, Permit: "forged"},
	}
	if _, err := n.Call(t.Context(), "POST", "/v1/report", api.ReportRequest{Outcomes: outcomes}, &r); err != nil || r.Accepted != 2 || len(r.Rejected) != 4 {
		t.Errorf("report of bad outcomes: %v, %+v; want 2 accepted and 4 rejected", err, r)
	}
	if a := allow(t, n, host); !a.Allowed {
		t.Errorf("a malformed Retry-After rejects: %+v", a)
	}
}
