package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

// serve starts a node of canned answers and returns a client of it.
func serve(t *testing.T, answer http.HandlerFunc) *admin.Client {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	return dial(t, srv.URL)
}

func dial(t *testing.T, addr string) *admin.Client {
	t.Helper()
	c, err := admin.New(addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRequests(t *testing.T) {
	type call = func(context.Context, *admin.Client) error
	status := func(ctx context.Context, c *admin.Client) error { _, err := c.Status(ctx); return err }
	list := func(state string) call {
		return func(ctx context.Context, c *admin.Client) error { _, err := c.Breakers(ctx, state); return err }
	}
	one := func(key breaker.Key) call {
		return func(ctx context.Context, c *admin.Client) error { _, err := c.Breaker(ctx, key); return err }
	}
	open := func(ctx context.Context, c *admin.Client) error {
		_, err := c.Open(ctx, breaker.HostKey("a.org"), api.OpenRequest{Seconds: 600, Reason: "r", Author: "me"})
		return err
	}
	shut := func(ctx context.Context, c *admin.Client) error {
		_, err := c.Close(ctx, breaker.ResolverKey("x y"), api.CloseRequest{Author: "me"})
		return err
	}
	owner := func(key breaker.Key) call {
		return func(ctx context.Context, c *admin.Client) error { _, err := c.Owner(ctx, key); return err }
	}
	cluster := func(ctx context.Context, c *admin.Client) error { _, err := c.Cluster(ctx); return err }
	leave := func(ctx context.Context, c *admin.Client) error {
		_, err := c.Leave(ctx, api.LeaveRequest{Author: "me"})
		return err
	}
	healthz := func(ctx context.Context, c *admin.Client) error { return c.Healthz(ctx) }
	tests := []struct {
		name string
		call call
		want string
	}{
		{"status", status, "GET /v1/status"},
		{"exceptions", list(""), "GET /v1/breakers"},
		{"all", list(admin.StateAll), "GET /v1/breakers?state=all"},
		{"host", one(breaker.HostKey("a.org:8443")), "GET /v1/breakers/host/a.org:8443"},
		{"ipv6", one(breaker.HostKey("[2001:db8::1]")), "GET /v1/breakers/host/%5B2001:db8::1%5D"},
		{"slash", one(breaker.ResolverKey("a/b?c")), "GET /v1/breakers/resolver/a%2Fb%3Fc"},
		{"open", open, `POST /v1/breakers/host/a.org/open application/json {"seconds":600,"reason":"r","author":"me"}`},
		{"close", shut, `POST /v1/breakers/resolver/x%20y/close application/json {"author":"me"}`},
		{"cluster", cluster, "GET /v1/cluster"},
		{"owner", owner(breaker.HostKey("a.org:8443")), "GET /v1/cluster/owner?key=host%3Aa.org%3A8443"},
		{"owner of a strange name", owner(breaker.ResolverKey("a&b #c")), "GET /v1/cluster/owner?key=resolver%3Aa%26b+%23c"},
		{"leave", leave, `POST /v1/cluster/leave application/json {"author":"me"}`},
		{"healthz", healthz, "GET /healthz"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = strings.TrimSpace(fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Header.Get("Content-Type"), " ", string(body)))
				io.WriteString(w, `{"node":"n1","key":"host:a.org","state":"closed"}`)
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

func TestAnswersAreTyped(t *testing.T) {
	want := api.Breaker{Key: "host:a.org", State: "open", Cooldowns: []api.Cooldown{{Reason: "retry-after"}}}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(want) })
	got, err := c.Breaker(t.Context(), "host:a.org")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestProblem(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.WriteHeader(http.StatusConflict)
		io.WriteString(w, `{"title":"changed","status":200,"detail":"it moved","try":"again","errors":["a","b"],"version":"7"}`)
	})
	_, err := c.Open(t.Context(), "host:a.org", api.OpenRequest{})
	var p *api.Problem
	if !errors.As(err, &p) {
		t.Fatalf("got %v, want a problem", err)
	}
	want := &api.Problem{Title: "changed", Status: 409, Detail: "it moved", Try: "again", Errors: []string{"a", "b"}, Version: "7"}
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
}

func TestStrangeAnswers(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"html", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>hello") }, "not the JSON"},
		{"other json", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"ok":true}`) }, "names no node"},
		{"null", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `null`) }, "names no node"},
		{"empty", func(http.ResponseWriter, *http.Request) {}, "not the JSON"},
		{"plain 404", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 404) }, "HTTP status 404"},
		{"redirect", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }, "HTTP status 302"},
		{"problem of garbage", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(500)
			io.WriteString(w, "oops")
		}, "its problem is not JSON"},
		{"huge", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"node":"n1","version":"%s"}`, strings.Repeat("9", 2<<20))
		}, "longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := serve(t, tt.answer).Status(t.Context())
			if !errors.Is(err, admin.ErrAnswer) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrAnswer with %q", err, tt.want)
			}
		})
	}
}

func TestLongListing(t *testing.T) {
	list := api.BreakersResponse{Node: "n1", Breakers: make([]api.Breaker, 20_000)}
	for i := range list.Breakers {
		list.Breakers[i] = api.Breaker{Key: fmt.Sprintf("host:h%d.org", i), State: "open"}
	}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(list) })
	got, err := c.Breakers(t.Context(), "")
	if err != nil || len(got.Breakers) != len(list.Breakers) {
		t.Errorf("got %d breakers and %v", len(got.Breakers), err)
	}
}

func TestUnreachable(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := ln.Addr().String()
	ln.Close()
	hangUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(hangUp.Close)
	half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"node":`)
	}))
	t.Cleanup(half.Close)
	tests := []struct {
		name, addr, want string
		sent             bool
	}{
		{"refused", refused, "connection refused", false},
		{"no socket", "unix://" + filepath.Join(t.TempDir(), "none"), "no such socket", false},
		{"hung up", hangUp.URL, "hung up", true},
		{"broken off", half.URL, "hung up", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, tt.addr)
			_, err := c.Open(t.Context(), "host:a.org", api.OpenRequest{})
			var u *admin.UnreachableError
			if !errors.As(err, &u) || !errors.Is(err, admin.ErrUnreachable) {
				t.Fatalf("got %v, want ErrUnreachable", err)
			}
			if u.Sent != tt.sent {
				t.Errorf("sent: got %v, want %v", u.Sent, tt.sent)
			}
			for _, want := range []string{tt.want, c.Addr(), "fleetfuse-node dev"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	release := make(chan struct{})
	c := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // runs before the server's Close, which waits
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Status(ctx)
	if !errors.Is(err, admin.ErrUnreachable) || !strings.Contains(err.Error(), "in time") {
		t.Errorf("deadline: got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, admin.ErrUnreachable) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var host string
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		io.WriteString(w, `{"node":"n1"}`)
	})}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	if _, err := dial(t, "unix://"+path).Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if host != "localhost" {
		t.Errorf("Host: got %q, want localhost", host)
	}
}

func TestAddresses(t *testing.T) {
	tests := []struct{ addr, want string }{ // want "" is an error
		{"127.0.0.1:7140", "127.0.0.1:7140"},
		{"http://node1:7140/", "node1:7140"},
		{"[::1]:7140", "[::1]:7140"},
		{":7140", "127.0.0.1:7140"},
		{"unix:///run/f.sock", "unix:///run/f.sock"},
		{"", ""},
		{"localhost", ""},
		{"::1:7140", ""},
		{"localhost:0", ""},
		{"localhost:http", ""},
		{"localhost:99999", ""},
		{"a/b:7140", ""},
		{"https://a:7140", ""},
		{"ftp://a:7140", ""},
		{"http://a:7140/v1", ""},
		{"http://u:p@a:7140", ""},
		{"http://a", ""},
		{"unix://run/f.sock", ""},
	}
	for _, tt := range tests {
		c, err := admin.New(tt.addr)
		got := ""
		if err == nil {
			got = c.Addr()
		} else if !strings.Contains(err.Error(), "want host:port") {
			t.Errorf("%q: the error %q does not say what is wanted", tt.addr, err)
		}
		if got != tt.want {
			t.Errorf("%q: got %q, %v; want %q", tt.addr, got, err, tt.want)
		}
	}
}
