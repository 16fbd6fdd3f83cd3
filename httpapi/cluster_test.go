package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
)

func TestClusterListsMembersByName(t *testing.T) {
	r := newRig(t)
	got := get[api.ClusterResponse](r, "/v1/cluster")
	want := api.ClusterResponse{Node: "n1", Members: []api.Member{r.fleet.members[2], r.fleet.members[1], r.fleet.members[0]}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	r.fleet.members = nil
	if _, text := r.request("GET", "/v1/cluster", "", nil, nil); !strings.Contains(text, `"members":[]`) {
		t.Errorf("without members: %s", text)
	}
}

func TestOwner(t *testing.T) {
	owned := api.OwnerResponse{Owner: "n2", OwnerID: "id2", Address: "10.0.0.2:7142", APIAddress: "10.0.0.2:7140"}
	for _, x := range []struct{ what, query, key string }{ // key "" is a 400
		{"a host", "API.Example.org.", "host:api.example.org"},
		{"a host in full", "host:a.example", "host:a.example"},
		{"a host on a port", "a.example:8443", "host:a.example:8443"},
		{"a host called host, on a port", "host:host:8080", "host:host:8080"},
		{"an address", "2001:db8::1", "host:2001:db8::1"},
		{"an address in full", "host:2001:db8::1", "host:2001:db8::1"},
		{"a resolver", "resolver:Crossref", "resolver:Crossref"},
		{"nothing", "", ""},
		{"no name", "resolver:", ""},
		{"a URL", "https://a.example/x", ""},
		{"an empty label", "a..example", ""},
		{"too long", strings.Repeat("a", 300), ""},
	} {
		r := newRig(t)
		want := owned
		want.Key = x.key
		var got api.OwnerResponse
		status, text := r.request("GET", "/v1/cluster/owner?key="+x.query, "", nil, &got)
		switch {
		case x.key == "":
			if status != http.StatusBadRequest || !strings.Contains(text, `"try":`) {
				t.Errorf("%s: %d %s, want a problem", x.what, status, text)
			}
		case status != http.StatusOK || got != want:
			t.Errorf("%s: %d %s, want %+v", x.what, status, text, want)
		}
	}
}

func TestOwnerIsNobody(t *testing.T) {
	r := newRig(t)
	r.fleet.owner = ""
	if got, want := get[api.OwnerResponse](r, "/v1/cluster/owner?key=a.example"), (api.OwnerResponse{Key: "host:a.example"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLeave(t *testing.T) {
	for _, x := range []struct {
		what, method, body string
		header             http.Header
		want               int
	}{
		{"a leave", "POST", `{"author":"alice@box"}`, asJSON, 202},
		{"a leave by nobody", "POST", `{}`, asJSON, 202},
		{"a GET", "GET", "", nil, 405},
		{"a form", "POST", "", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		{"no body", "POST", "", asJSON, 400},
		{"an unknown field", "POST", `{"force":true}`, asJSON, 400},
		{"a foreign Host", "POST", `{}`, http.Header{"Content-Type": asJSON["Content-Type"], "Host": {"evil.example"}}, 403},
		{"a foreign Origin", "POST", `{}`, http.Header{"Content-Type": asJSON["Content-Type"], "Origin": {"https://evil.example"}}, 403},
	} {
		r := newRig(t)
		var got api.LeaveResponse
		status, text := r.request(x.method, "/v1/cluster/leave", x.body, x.header, &got)
		if status != x.want {
			t.Errorf("%s: %d %s, want %d", x.what, status, text, x.want)
		}
		left := 0
		if x.want == 202 {
			left = 1
			if d := cmp.Diff(api.LeaveResponse{Node: "n1", Owned: 4, Remaining: r.fleet.members[1:2]}, got); d != "" {
				t.Errorf("%s: %s", x.what, d)
			}
		}
		if r.fleet.left != left {
			t.Errorf("%s: told to leave %d times, want %d", x.what, r.fleet.left, left)
		}
	}
}

func TestLeaveIsLogged(t *testing.T) {
	r := newRig(t)
	r.request("POST", "/v1/cluster/leave", `{"author":"`+strings.Repeat("x", 200)+`"}`, asJSON, nil)
	if text := r.log.String(); !strings.Contains(text, "author="+strings.Repeat("x", 128)+"\n") {
		t.Errorf("the log does not say who: %s", text)
	}
}

// What openapi.json describes is there, and the other way round for the paths
// of this test's list.
func TestOpenAPIDescribesWhatIsServed(t *testing.T) {
	r := newRig(t)
	_, text := r.request("GET", "/openapi.json", "", nil, nil)
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		real := strings.NewReplacer("{scope}", "host", "{name}", "a.example", "{id}", "p-1").Replace(path)
		for method := range methods {
			if status, text := r.request(strings.ToUpper(method), real, "", asJSON, nil); status == 404 || status == 405 {
				t.Errorf("%s %s is described and not there: %s", method, path, text)
			}
		}
	}
	for _, path := range []string{
		"/v1/cluster", "/v1/cluster/owner", "/v1/cluster/leave", "/v1/config", "/v1/config/reload", "/v1/events",
		"/v1/breakers/{scope}/{name}/policy", "/v1/breakers/{scope}/{name}/policy/history",
		"/v1/advice", "/v1/advice/{id}/enforce", "/v1/advice/explain",
	} {
		if doc.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
}

// TestOpenAPIKnowsTheKinds: both lists of the kinds of events are api.EventKinds.
func TestOpenAPIKnowsTheKinds(t *testing.T) {
	_, text := newRig(t).request("GET", "/openapi.json", "", nil, nil)
	if list := `"enum": ["` + strings.Join(api.EventKinds, `", "`) + `"]`; strings.Count(text, list) != 2 {
		t.Errorf("%s is there %d times, want 2", list, strings.Count(text, list))
	}
}
