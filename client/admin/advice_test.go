package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func TestAdviceRequests(t *testing.T) {
	key := breaker.HostKey("a.org:8443")
	for _, tt := range []struct {
		what string
		call func(context.Context, *admin.Client) error
		want string
	}{
		{"all", func(ctx context.Context, c *admin.Client) error { _, err := c.Advise(ctx, "", 0); return err }, "GET /v1/advice"},
		{"one, another window", func(ctx context.Context, c *admin.Client) error {
			_, err := c.Advise(ctx, key, 10*time.Minute)
			return err
		}, "GET /v1/advice?key=host%3Aa.org%3A8443&window=10m0s"},
		{"enforce", func(ctx context.Context, c *admin.Client) error { _, err := c.Enforce(ctx, "p-1/x", "me"); return err },
			`POST /v1/advice/p-1%2Fx/enforce application/json {"author":"me"}`},
		{"explain", func(ctx context.Context, c *admin.Client) error { _, err := c.Explain(ctx, key); return err },
			"GET /v1/advice/explain?key=host%3Aa.org%3A8443"},
	} {
		var got string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got = strings.Join(strings.Fields(strings.Join([]string{r.Method, r.RequestURI, r.Header.Get("Content-Type"), string(body)}, " ")), " ")
			fmt.Fprint(w, `{"id":"p-1/x","tuner":"n1","key":"host:a.org:8443"}`)
		})
		if err := tt.call(t.Context(), c); err != nil {
			t.Errorf("%s: %v", tt.what, err)
		}
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.what, got, tt.want)
		}
	}
}

func TestAdviceAnswers(t *testing.T) {
	for body, sense := range map[string][3]bool{ // of Advise, Enforce, Explain
		`{"id":"p-1","tuner":"n1","key":"host:a.org"}`: {true, true, true},
		`{"id":"p-2","tuner":"n1","key":"host:a.org"}`: {true, false, true},
		`{"id":"p-1"}`: {false, true, false},
		`{}`:           {},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		_, advised := c.Advise(t.Context(), "host:a.org", 0)
		_, enforced := c.Enforce(t.Context(), "p-1", "me")
		_, explained := c.Explain(t.Context(), "host:a.org")
		for i, err := range []error{advised, enforced, explained} {
			if sense[i] != (err == nil) || err != nil && !errors.Is(err, admin.ErrAnswer) {
				t.Errorf("%s, call %d: %v", body, i, err)
			}
		}
	}
}

// Why nothing is enforced arrives with all its reasons.
func TestBlockedIsAProblem(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"detail":"nothing is enforced, for 2 reasons","errors":["n3 did not answer","the store of n1 fails"]}`)
	})
	_, err := c.Enforce(t.Context(), "p-1", "me")
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != http.StatusConflict || len(p.Errors) != 2 {
		t.Errorf("got %v, want the problem with both reasons", err)
	}
}
