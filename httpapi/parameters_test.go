package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"fleetfuse/breaker"
)

// A described call is one that openapi.json has.
type described struct {
	method, path string
	parameters   []string // of the query
}

// calls are those below /v1, with a breaker and a plan in their paths.
func calls(r *rig) (list []described) {
	r.t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	_, text := r.request("GET", "/openapi.json", "", nil, nil)
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		r.t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			var call struct {
				Parameters []struct{ Name, In string } `json:"parameters"`
			}
			if err := json.Unmarshal(raw, &call); err != nil && method != "parameters" {
				r.t.Fatal(path, method, err)
			}
			if method == "parameters" || !strings.HasPrefix(path, "/v1/") {
				continue
			}
			d := described{method: strings.ToUpper(method), path: strings.NewReplacer("{scope}", "host", "{name}", "a.example", "{id}", "p-1").Replace(path)}
			for _, p := range call.Parameters {
				if p.In == "query" {
					d.parameters = append(d.parameters, p.Name)
				}
			}
			list = append(list, d)
		}
	}
	if len(list) < 20 {
		r.t.Fatalf("%d calls are described", len(list))
	}
	return list
}

// lenient are the calls of workers and proxies.
var lenient = []string{"/v1/allow", "/v1/report", "/v1/gate"}

// A misspelt parameter is an error at every other call, also at those without any:
// what it should have said would be left out.
func TestParametersNobodyKnows(t *testing.T) {
	r := newRig(t)
	for _, c := range calls(r) {
		if slices.Contains(lenient, c.path) {
			continue
		}
		status, text := r.request(c.method, c.path+"?windw=24h", "{}", asJSON, nil)
		if status != http.StatusBadRequest || !strings.Contains(text, "windw") || len(c.parameters) > 0 && !strings.Contains(text, c.parameters[0]) {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, text)
		}
	}
	if status, text := r.request("GET", "/v1/gate?host=a.example&windw=24h", "", nil, nil); status != http.StatusNoContent {
		t.Errorf("the gate: %d %s", status, text)
	}
	for _, path := range []string{"/v1/summary?window=1h&window=2h", "/v1/events?limit=1&limit=2", "/v1/events?limit=%zz", "/readyz?verbos"} {
		if status, text := r.request("GET", path, "", nil, nil); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

// No answer repeats more than a line of what a caller sent, wherever he put it.
func TestHugeText(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("é\"", 5_000)
	escaped, plain := url.QueryEscape(long), strings.Repeat("x", 20_000)
	ask := func(method, path string, header http.Header) {
		t.Helper()
		status, text := r.request(method, path, "{}", header, nil)
		if len(text) > 2000 {
			t.Errorf("%.20s %.60s: %d, %d bytes: %.300s", method, path, status, len(text), text)
		}
	}
	for _, c := range calls(r) {
		for _, name := range append(c.parameters, escaped) {
			if name != "follow" { // which says all by being there
				ask(c.method, c.path+"?"+name+"="+escaped, asJSON)
			}
		}
		ask(plain, c.path, asJSON)
		if strings.Contains(c.path, "a.example") {
			ask(c.method, strings.Replace(c.path, "a.example", plain, 1), asJSON)
			ask(c.method, strings.Replace(c.path, "/host/", "/"+plain+"/", 1), asJSON)
		}
	}
	ask("GET", "/v1/events", http.Header{"Last-Event-Id": {plain}})
	ask("GET", "/"+plain, nil)
	ask("GET", "/v1/view", http.Header{"Origin": {plain}})
	ask("PATCH", "/v1/breakers/host/a.example/policy", http.Header{"Content-Type": {plain}})
}

// What operators say is kept as long as its limit, on every way.
func TestOperatorsTextIsCut(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 20_000)
	for _, x := range []struct{ call, body string }{{"open", `"for":"1m",`}, {"close", ""}} {
		r.owners.author, r.owners.detail = "", ""
		r.request("POST", "/v1/breakers/host/a.example/"+x.call, `{`+x.body+`"author":"`+long+`","reason":"`+long+`"}`, asJSON, nil)
		if len(r.owners.author) != breaker.MaxDetailBytes || len(r.owners.detail) != breaker.MaxDetailBytes {
			t.Errorf("%s: %d bytes of author, %d of reason", x.call, len(r.owners.author), len(r.owners.detail))
		}
	}
}
