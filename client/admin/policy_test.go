package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

func TestPolicyRequests(t *testing.T) {
	type call = func(context.Context, *admin.Client) error
	key := breaker.HostKey("a.org:8443")
	change := func(c api.PolicyChange, o admin.PolicyOptions) call {
		return func(ctx context.Context, client *admin.Client) error {
			_, err := client.ChangePolicy(ctx, key, c, o)
			return err
		}
	}
	reset := func(o admin.PolicyOptions) call {
		return func(ctx context.Context, c *admin.Client) error {
			_, err := c.ResetPolicy(ctx, key, "me", "r", o)
			return err
		}
	}
	config := func(key breaker.Key) call {
		return func(ctx context.Context, c *admin.Client) error { _, err := c.Config(ctx, key); return err }
	}
	policy := func(ctx context.Context, c *admin.Client) error { _, err := c.Policy(ctx, key); return err }
	history := func(ctx context.Context, c *admin.Client) error { _, err := c.PolicyHistory(ctx, key); return err }
	reload := func(ctx context.Context, c *admin.Client) error { _, err := c.Reload(ctx); return err }
	const path = "/v1/breakers/host/a.org:8443/policy"
	tests := []struct {
		name string
		call call
		want string
	}{
		{"policy", policy, "GET " + path},
		{"history", history, "GET " + path + "/history"},
		{"merge", change(api.PolicyChange{Set: map[string]any{"fail_max": 3}, Unset: []string{"mode"}, For: "30m", Author: "me"}, admin.PolicyOptions{}),
			"PATCH " + path + ` application/json {"set":{"fail_max":3},"unset":["mode"],"for":"30m","author":"me"}`},
		{"whole", change(api.PolicyChange{Set: map[string]any{"a": "b"}}, admin.PolicyOptions{Whole: true, Match: "7"}),
			"PUT " + path + ` "7" application/json {"set":{"a":"b"}}`},
		{"whole, and empty", change(api.PolicyChange{Set: map[string]any{}}, admin.PolicyOptions{Whole: true}), "PUT " + path + ` application/json {"set":{}}`},
		{"dry run", change(api.PolicyChange{Unset: []string{"mode"}}, admin.PolicyOptions{DryRun: true}),
			"PATCH " + path + `?dry_run=true application/json {"unset":["mode"]}`},
		{"reset", reset(admin.PolicyOptions{}), "DELETE " + path + ` application/json {"author":"me","reason":"r"}`},
		{"reset dry", reset(admin.PolicyOptions{Match: "0", DryRun: true}), "DELETE " + path + `?dry_run=true "0" application/json {"author":"me","reason":"r"}`},
		{"config", config(""), "GET /v1/config"},
		{"config of a key", config(key), "GET /v1/config?key=host%3Aa.org%3A8443"},
		{"reload", reload, "POST /v1/config/reload application/json {}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				parts := []string{r.Method, r.RequestURI, r.Header.Get("If-Match"), r.Header.Get("Content-Type"), string(body)}
				got = strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
				fmt.Fprintf(w, `{"node":"n1","key":"host:a.org:8443","version":"7","dry_run":%v}`, r.URL.Query().Has("dry_run"))
			})
			if err := tt.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestPolicyAnswersAreTyped(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"key":"host:a.org","version":"7","base":"6","changes":[{"field":"fail_max","from":5,"to":3}],"durable":true,"copies":2}`)
	})
	got, err := c.ChangePolicy(t.Context(), "host:a.org", api.PolicyChange{}, admin.PolicyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := api.PolicyChanged{
		Key: "host:a.org", Version: "7", Base: "6", Durable: true, Copies: 2,
		Changes: []api.PolicyDifferent{{Field: "fail_max", From: 5.0, To: 3.0}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestStrangePolicyAnswers(t *testing.T) {
	calls := map[string]func(context.Context, *admin.Client) error{
		"policy":  func(ctx context.Context, c *admin.Client) error { _, err := c.Policy(ctx, "host:a"); return err },
		"history": func(ctx context.Context, c *admin.Client) error { _, err := c.PolicyHistory(ctx, "host:a"); return err },
		"change": func(ctx context.Context, c *admin.Client) error {
			_, err := c.ChangePolicy(ctx, "host:a", api.PolicyChange{}, admin.PolicyOptions{})
			return err
		},
		"config": func(ctx context.Context, c *admin.Client) error { _, err := c.Config(ctx, ""); return err },
		"reload": func(ctx context.Context, c *admin.Client) error { _, err := c.Reload(ctx); return err },
	}
	for name, call := range calls {
		for _, body := range []string{`{"ok":true}`, `null`, `[]`, ``, `<html>`, `{"node":1,"key":2}`} {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
			if err := call(t.Context(), c); !errors.Is(err, admin.ErrAnswer) {
				t.Errorf("%s on %q: got %v, want ErrAnswer", name, body, err)
			}
		}
	}
}

// A node that does not know dry runs changed something: that is told as what
// it is.
func TestDryRunThatWasNone(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"key":"host:a.org","version":"8"}`) })
	_, err := c.ResetPolicy(t.Context(), "host:a.org", "", "", admin.PolicyOptions{DryRun: true})
	if !errors.Is(err, admin.ErrAnswer) || !strings.Contains(err.Error(), "dry run") {
		t.Errorf("got %v", err)
	}
}

// Whoever only asked what would change need not wonder whether it did.
func TestDryRunThatHungUp(t *testing.T) {
	for _, dry := range []bool{true, false} {
		c := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		_, err := c.ResetPolicy(t.Context(), "host:a.org", "", "", admin.PolicyOptions{DryRun: dry})
		var u *admin.UnreachableError
		if !errors.As(err, &u) || u.Sent == dry {
			t.Errorf("dry run %v: got %v", dry, err)
		}
	}
}
