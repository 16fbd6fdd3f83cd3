package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/httpapi"
)

func TestConfig(t *testing.T) {
	for _, x := range []struct {
		what, query string
		status      int
		want        string // the key, or in the problem
	}{
		{"the defaults", "", 200, ""},
		{"a host", "?host=A.Example.", 200, "host:a.example"},
		{"a host as a key", "?key=host:a.example", 200, "host:a.example"},
		{"a resolver", "?key=resolver:Crossref", 200, "resolver:Crossref"},
		{"a resolver as a host", "?host=resolver%3ACrossref", 200, "resolver:Crossref"},
		{"an empty host", "?host=", 400, "host: "},
		{"a URL", "?key=https://a.example/x", 400, "key: "},
		{"host and key", "?host=a.example&key=a.example", 400, "the same thing"},
		{"two hosts", "?host=a.example&host=b.example", 400, "given twice"},
		{"a slip", "?hots=a.example", 400, "no parameter"},
	} {
		r := newRig(t)
		r.words.key = "untouched"
		status, text := r.request("GET", "/v1/config"+x.query, "", nil, nil)
		switch {
		case status != x.status:
			t.Errorf("%s: %d %s, want %d", x.what, status, text, x.status)
		case status == 200 && (string(r.words.key) != x.want || !strings.Contains(text, `"options":[]`) || !strings.Contains(text, `"values":[]`)):
			t.Errorf("%s: key %q, %s; want %q", x.what, r.words.key, text, x.want)
		case status == 400 && (r.words.key != "untouched" || !strings.Contains(text, x.want)):
			t.Errorf("%s: %s, want %q in it", x.what, text, x.want)
		}
	}
}

func TestReload(t *testing.T) {
	for _, x := range []struct {
		what, method, body string
		header             http.Header
		want               int
	}{
		{"a reload", "POST", `{}`, asJSON, 200},
		{"without a body", "POST", "", asJSON, 200},
		{"a GET", "GET", "", nil, 405},
		{"a form", "POST", "", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		{"without a type", "POST", "", nil, 415},
		{"an unknown field", "POST", `{"file":"/etc/passwd"}`, asJSON, 400},
		{"a foreign Origin", "POST", `{}`, http.Header{"Content-Type": asJSON["Content-Type"], "Origin": {"https://evil.example"}}, 403},
	} {
		r := newRig(t)
		status, text := r.request(x.method, "/v1/config/reload", x.body, x.header, nil)
		if status != x.want || (r.words.reloads == 1) != (x.want == 200) {
			t.Errorf("%s: %d %s, want %d; %d reloads", x.what, status, text, x.want, r.words.reloads)
		}
		if status == 200 && !strings.Contains(text, `"changes":[]`) {
			t.Errorf("%s: no changes are not []: %s", x.what, text)
		}
	}
	r := newRig(t)
	if status, text := r.request("POST", "/v1/config/reload?dry_run=true", "", asJSON, nil); status != 400 || r.words.reloads > 0 {
		t.Errorf("a dry run, which there is not: %d %s", status, text)
	}
}

func TestReloadRefused(t *testing.T) {
	one := errors.New("a.yaml:3:5: fail_max is 0")
	for _, x := range []struct {
		what   string
		err    error
		status int
		count  string // in the detail
		errors []string
	}{
		{"one", one, 422, ": 1 problem", []string{one.Error()}},
		{"two", errors.Join(one, errors.New("b.yaml: no such file")), 422, ": 2 problems", []string{one.Error(), "b.yaml: no such file"}},
		{"joins in a join", fmt.Errorf("load: %w", errors.Join(errors.Join(one), errors.Join(one, one))), 422, ": 3 problems",
			[]string{"load: " + one.Error(), "load: " + one.Error(), "load: " + one.Error()}},
		{"one under way", fmt.Errorf("%w: %w", httpapi.ErrReloading, context.DeadlineExceeded), 503, "is being read", nil},
	} {
		r := newRig(t)
		r.words.err = x.err
		status, text := r.request("POST", "/v1/config/reload", "", asJSON, nil)
		p := problemIn(t, text)
		if status != x.status || !strings.Contains(p.Detail, x.count) || status == 422 && !strings.Contains(p.Detail, "the old one stays in force") || p.Try == "" {
			t.Errorf("%s: %d %s", x.what, status, text)
		}
		if d := cmp.Diff(x.errors, p.Errors); d != "" {
			t.Errorf("%s: %s", x.what, d)
		}
	}
}

// What changes something wants JSON and no page of another site, by every
// method.
func TestGuardOfMutations(t *testing.T) {
	for _, method := range []string{"PATCH", "PUT", "DELETE"} {
		for what, x := range map[string]struct {
			header http.Header
			want   int
		}{
			"a form":         {http.Header{"Content-Type": {"text/plain"}}, 415},
			"no type":        {nil, 415},
			"a foreign page": {http.Header{"Content-Type": asJSON["Content-Type"], "Origin": {"https://evil.example"}}, 403},
			"a foreign Host": {http.Header{"Content-Type": asJSON["Content-Type"], "Host": {"evil.example"}}, 403},
		} {
			r := newRig(t)
			status, text := r.request(method, policyPath, `{"reason":"r"}`, x.header, nil)
			if status != x.want || !strings.Contains(text, `"try":`) || len(r.words.changes) > 0 {
				t.Errorf("%s, %s: %d %s, want %d", method, what, status, text, x.want)
			}
		}
	}
	r := newRig(t)
	if status, text := r.request("DELETE", policyPath, "", http.Header{"Origin": {"https://evil.example"}}, nil); status != 403 {
		t.Errorf("DELETE without a body from a foreign page: %d %s", status, text)
	}
}

func TestMethodsAllowed(t *testing.T) {
	for _, x := range []struct{ method, path, want string }{ // want "" is a 404
		{"POST", policyPath, "GET, PATCH, PUT, DELETE"},
		{"OPTIONS", policyPath, "GET, PATCH, PUT, DELETE"},
		{"DELETE", policyPath + "/history", "GET"},
		{"GET", "/v1/breakers/host/a.example/open", "POST"},
		{"GET", "/v1/config/reload", "POST"},
		{"PUT", "/v1/config", "GET"},
		{"DELETE", "/v1/nothing", ""},
	} {
		r := newRig(t)
		resp, text := r.exchange(x.method, x.path, "", asJSON, nil)
		status := http.StatusMethodNotAllowed
		if x.want == "" {
			status = http.StatusNotFound
		}
		if resp.StatusCode != status || resp.Header.Get("Allow") != x.want {
			t.Errorf("%s %s: %d, Allow %q, %s; want %d, %q", x.method, x.path, resp.StatusCode, resp.Header.Get("Allow"), text, status, x.want)
		}
	}
}
