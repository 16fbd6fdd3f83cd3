package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/httpapi"
)

// adviser implements httpapi.Tuner and writes down what it was asked.
type adviser struct {
	asked []string
	err   error
}

func (a *adviser) ask(ctx context.Context, format string, args ...any) {
	if _, ok := ctx.Deadline(); !ok {
		format = "without a deadline: " + format
	}
	a.asked = append(a.asked, fmt.Sprintf(format, args...))
}

func (a *adviser) Advise(ctx context.Context, key breaker.Key, window time.Duration) (api.AdviceResponse, error) {
	a.ask(ctx, "advise %q %v", key, window)
	return api.AdviceResponse{
		ID: "p-1", Tuner: "n2", Nodes: []string{"n2", "n1"}, Missing: []string{"n4", "n3"},
		Breakers: []api.BreakerAdvice{{Key: "host:a.example", Changes: []api.SuggestedChange{{Field: "fail_max"}}}, {Key: "host:b.example"}},
		Trials:   []api.Trial{{Plan: "p-0"}},
	}, a.err
}

func (a *adviser) Enforce(ctx context.Context, id, author string) (api.EnforceResponse, error) {
	a.ask(ctx, "enforce %s %s", id, author)
	return api.EnforceResponse{ID: id}, a.err
}

func (a *adviser) Explain(ctx context.Context, key breaker.Key) (api.ExplainResponse, error) {
	a.ask(ctx, "explain %q", key)
	return api.ExplainResponse{Key: string(key), Partial: []string{"n3", "n2"}}, a.err
}

func TestAdvice(t *testing.T) {
	for _, x := range []struct{ method, path, body, asked string }{
		{"GET", "/v1/advice", "", `advise "" 0s`},
		{"GET", "/v1/advice?window=600s", "", `advise "" 10m0s`},
		{"GET", "/v1/advice?key=A.Example.&window=1h", "", `advise "host:a.example" 1h0m0s`},
		{"GET", "/v1/advice?key=resolver:Crossref", "", `advise "resolver:Crossref" 0s`},
		{"GET", "/v1/advice/explain?key=a.example", "", `explain "host:a.example"`},
		{"POST", "/v1/advice/p-1/enforce", `{"author":"alice"}`, "enforce p-1 alice"},
		{"POST", "/v1/advice/p-1/enforce", `{}`, "enforce p-1 "},
		{"POST", "/v1/advice/p-1/enforce", `{"author":"` + strings.Repeat("x", 200) + `"}`, "enforce p-1 " + strings.Repeat("x", 128)},
	} {
		r := newRig(t)
		status, text := r.request(x.method, x.path, x.body, asJSON, nil)
		if d := cmp.Diff([]string{x.asked}, r.adviser.asked); status != 200 || d != "" {
			t.Errorf("%s %s: %d %s; asked (-want +got):\n%s", x.method, x.path, status, text, d)
		}
		if strings.Contains(text, "null") && !strings.Contains(text, `"from":null,"to":null`) {
			t.Errorf("%s: a list is null: %s", x.path, text)
		}
	}
}

// Lists are lists and names are sorted.
func TestAdviceIsWhole(t *testing.T) {
	r := newRig(t)
	a := get[api.AdviceResponse](r, "/v1/advice")
	if a.Breakers[1].Changes == nil || a.Breakers[0].Changes[0].Evidence == nil || a.Trials[0].Changes == nil {
		t.Errorf("a list is null: %+v", a)
	}
	if d := cmp.Diff([][]string{{"n1", "n2"}, {"n3", "n4"}}, [][]string{a.Nodes, a.Missing}); d != "" {
		t.Errorf("members are not sorted: %s", d)
	}
	x := get[api.ExplainResponse](r, "/v1/advice/explain?key=a.example")
	if x.Records == nil || x.Advice.Breakers == nil || x.Partial[0] != "n2" {
		t.Errorf("got %+v", x)
	}
}

func TestAdviceIsRefused(t *testing.T) {
	const noWindow = ` is not a duration from 1m0s to 1h0m0s`
	for _, x := range []struct {
		method, path, body string
		status             int
		want               []string
	}{
		{"GET", "/v1/advice?window=59s", "", 400, []string{`the window "59s"` + noWindow}},
		{"GET", "/v1/advice?window=61m", "", 400, []string{`the window "61m"` + noWindow}},
		{"GET", "/v1/advice?window=600", "", 400, []string{`the window "600"` + noWindow}},
		{"GET", "/v1/advice?window=", "", 400, []string{`the window ""` + noWindow}},
		{"GET", "/v1/advice?window=x&key=a..b", "", 400, []string{"key: ", `the window "x"` + noWindow}},
		{"GET", "/v1/advice?key=", "", 400, []string{"key: "}},
		{"GET", "/v1/advice?host=a.example", "", 400, []string{`"host" is no parameter of this call`}},
		{"GET", "/v1/advice?enforce=true", "", 400, []string{`"enforce" is no parameter of this call`}},
		{"GET", "/v1/advice/explain", "", 400, []string{"key: "}},
		{"POST", "/v1/advice/p-1/enforce", `{"autor":"x"}`, 400, []string{"autor"}},
		{"POST", "/v1/advice/p-1/enforce", "", 400, []string{"the body is not what this call takes"}},
		{"GET", "/v1/advice/p-1/enforce", "", 405, []string{"does not take GET"}},
		{"POST", "/v1/advice/explain", "{}", 405, []string{"does not take POST"}},
	} {
		r := newRig(t)
		status, text := r.request(x.method, x.path, x.body, asJSON, nil)
		p := problemIn(t, text)
		if status != x.status || len(r.adviser.asked) > 0 || p.Try == "" {
			t.Errorf("%s %s: %d %s, the tuner was asked %q", x.method, x.path, status, text, r.adviser.asked)
		}
		for _, want := range x.want {
			if !strings.Contains(p.Detail+" "+strings.Join(p.Errors, " "), want) {
				t.Errorf("%s %s: %s does not say %s", x.method, x.path, text, want)
			}
		}
	}
}

func TestAdviceFails(t *testing.T) {
	calls := map[string][3]string{"advise": {"GET", "/v1/advice?key=a.example", ""}, "explain": {"GET", "/v1/advice/explain?key=a.example", ""},
		"enforce": {"POST", "/v1/advice/p-1/enforce", "{}"}}
	reasons := []string{"n3 does not answer", "the store of n1 fails"}
	for _, x := range []struct {
		call   string
		err    error
		status int
		detail string
		errors []string
	}{
		{"advise", &httpapi.UncalledError{Key: "host:a.example", Window: 10 * time.Minute}, 404, "nobody called host:a.example in the last 10m0s; counts are up to a second old", nil},
		{"explain", &httpapi.UncalledError{Key: "host:a.example", Window: 10 * time.Minute}, 404, "nobody called host:a.example in the last 10m0s; counts are up to a second old", nil},
		{"advise", errors.New("n2 did not answer in time"), 503, "no tuner answered: n2 did not answer in time", nil},
		{"explain", errors.New("n2 did not answer in time"), 503, "no tuner answered: n2 did not answer in time", nil},
		{"enforce", errors.New("n2 did not answer in time"), 503, "no tuner answered: n2 did not answer in time", nil},
		{"enforce", fmt.Errorf("n2: %w", httpapi.ErrUnknownPlan), 404,
			"plan p-1 is not known: it is older than ten minutes, changes nothing now, or the tuner moved; ask for advice again", nil},
		{"advise", fmt.Errorf("n2: %w", httpapi.ErrBusy), 503, "the tuner is busy with other plans; try again in some seconds", nil},
		{"enforce", &httpapi.BlockedError{Reasons: reasons[:1]}, 409, "nothing is enforced: n3 does not answer", reasons[:1]},
		{"enforce", fmt.Errorf("n2: %w", &httpapi.BlockedError{Reasons: reasons}), 409, "nothing is enforced, for 2 reasons", reasons},
	} {
		r := newRig(t)
		r.adviser.err = x.err
		c := calls[x.call]
		status, text := r.request(c[0], c[1], c[2], asJSON, nil)
		p := problemIn(t, text)
		if status != x.status || p.Detail != x.detail || p.Try == "" || cmp.Diff(x.errors, p.Errors) != "" {
			t.Errorf("%s, %v: %d %s; want %d %q", x.call, x.err, status, text, x.status, x.detail)
		}
	}
}
