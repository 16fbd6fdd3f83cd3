package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// now is when every test happens.
var now = time.Date(2026, 11, 24, 1, 3, 40, 0, time.UTC)

// at is now and so many seconds.
func at(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }

func until(seconds int) *time.Time { t := at(seconds); return &t }

// A node answers "METHOD path?query" with a value as JSON, a *api.Problem as a
// problem, or a raw answer. What it does not know it answers with 404.
type node map[string]any

// A raw answer is whatever a node would not say.
type raw struct {
	status int
	kind   string
	body   string
}

func (n node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch a := n[r.Method+" "+r.RequestURI].(type) {
	case nil:
		writeJSON(w, "application/problem+json", 404, api.Problem{Detail: "no such path: " + r.URL.Path, Try: "curl NODE/openapi.json"})
	case *api.Problem:
		writeJSON(w, "application/problem+json", a.Status, a)
	case raw:
		w.Header().Set("Content-Type", a.kind)
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	default:
		writeJSON(w, "application/json", 200, a)
	}
}

func writeJSON(w http.ResponseWriter, kind string, status int, v any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// A terminal runs command lines against one address and writes down what an
// operator sees.
type terminal struct {
	t    *testing.T
	addr string
	env  map[string]string
	log  bytes.Buffer
	// screen, if not nil, is what top draws on.
	screen screen
}

func newTerminal(t *testing.T, n http.Handler) *terminal {
	term := &terminal{t: t, env: map[string]string{"USER": "alice"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(&term.log, "[node] %s %s %s\n", r.Method, r.RequestURI, body)
			if match := r.Header.Get("If-Match"); match != "" {
				fmt.Fprintf(&term.log, "[node] If-Match: %s\n", match)
			}
		}
		n.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	term.addr = srv.Listener.Addr().String()
	return term
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (term *terminal) environment() environment {
	return environment{
		getenv: func(name string) string {
			if v, ok := term.env[name]; ok || name != "FLEETFUSE_ADDR" {
				return v
			}
			return term.addr
		},
		hostname: func() (string, error) { return "box", nil },
		now:      func() time.Time { return now },
		openScreen: func(io.Reader, io.Writer) (screen, error) {
			if term.screen == nil {
				return nil, errNoTerminal
			}
			return term.screen, nil
		},
	}
}

// run carries out a command line without writing it down.
func (term *terminal) run(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	code = run(ctx, args, strings.NewReader(""), &out, &err, term.environment())
	return out.String(), err.String(), code
}

// types carries out a command line and writes it down: stdout as it is, stderr
// behind a bar.
func (term *terminal) types(args ...string) {
	shown := make([]string, len(args))
	for i, a := range args {
		shown[i] = shellWord(a)
	}
	fmt.Fprintf(&term.log, "$ fleetfuse-ctl %s\n", strings.Join(shown, " "))
	stdout, stderr, code := term.run(term.t.Context(), args...)
	term.log.WriteString(stdout)
	for l := range strings.Lines(stderr) {
		term.log.WriteString("! " + l)
	}
	fmt.Fprintf(&term.log, "exit %d\n\n", code)
}

// golden compares what was written down with testdata/NAME.txt.
func (term *terminal) golden(name string) {
	term.t.Helper()
	got := strings.ReplaceAll(term.log.String(), term.addr, "NODE")
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			term.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		term.t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		term.t.Errorf("%s (go test ./cmd/ctl -update rewrites it):\n%s", path, d)
	}
}
