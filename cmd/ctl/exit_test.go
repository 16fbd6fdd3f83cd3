package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetfuse/api"
)

func TestExitCodesOfProblems(t *testing.T) {
	tests := []struct{ status, want int }{
		{400, 2}, {405, 2}, {413, 2}, {415, 2}, {422, 2},
		{401, 6}, {403, 6}, {421, 6},
		{404, 5}, {410, 5},
		{409, 4}, {412, 4},
		{408, 3}, {429, 3}, {500, 3}, {503, 3},
	}
	const policyAt = "/v1/breakers/host/new.example.org/policy"
	for _, tt := range tests {
		path, _ := one(unheard)
		problem := &api.Problem{Status: tt.status, Detail: "it says no", Try: "something else"}
		term := newTerminal(t, node{
			path: problem, "GET /v1/status": problem, "GET /v1/cluster": problem, "POST /v1/cluster/leave": problem,
			"GET /v1/cluster/owner?key=host%3Anew.example.org": problem, "GET /v1/config": problem,
			"GET " + policyAt: problem, "PATCH " + policyAt: problem, "DELETE " + policyAt: problem, "GET " + policyAt + "/history": problem,
			"GET /v1/advice?key=host%3Anew.example.org": problem, "GET /v1/advice/explain?key=host%3Anew.example.org": problem,
		})
		for _, args := range [][]string{
			{"breaker", "check", "new.example.org"}, {"breaker", "show", "new.example.org"}, {"status"},
			{"cluster", "members"}, {"cluster", "owner", "new.example.org"}, {"cluster", "leave"},
			{"policy", "show", "new.example.org"}, {"policy", "replace", "new.example.org", "--set", "fail_max=3"}, {"policy", "reset", "new.example.org"},
			{"policy", "history", "new.example.org"}, {"policy", "rollback", "new.example.org"}, {"config", "show"},
			{"breaker", "advise", "new.example.org"}, {"breaker", "advise", "--explain", "new.example.org"},
		} {
			stdout, stderr, got := term.run(t.Context(), args...)
			if got != tt.want {
				t.Errorf("%d on %v: got exit code %d, want %d", tt.status, args, got, tt.want)
			}
			if stdout != "" || !strings.Contains(stderr, "it says no\nTry: something else\n") {
				t.Errorf("%d on %v: stdout %q, stderr %q", tt.status, args, stdout, stderr)
			}
		}
	}
}

func TestEveryExitCodeIsExplained(t *testing.T) {
	long := exitCodesTopic().Long
	for _, code := range []int{exitYes, exitNo, exitUsage, exitNoAnswer, exitConflict, exitNotFound, exitRefused, exitInterrupted} {
		if !strings.Contains(long, fmt.Sprintf("\n  %-5d", code)) {
			t.Errorf("help exit-codes does not explain %d", code)
		}
	}
}

// commands is one command line per call to a node.
var commands = [][]string{
	{"status"},
	{"breaker", "show"},
	{"breaker", "show", "a.org", "b.org", "-o", "json"},
	{"breaker", "check", "a.org"},
	{"breaker", "why", "a.org"},
	{"breaker", "open", "a.org", "b.org", "--for", "10m"},
	{"breaker", "close", "a.org"},
	{"cluster", "members"},
	{"cluster", "owner", "a.org", "b.org"},
	{"cluster", "leave"},
	{"policy", "show", "a.org"},
	{"policy", "replace", "a.org", "--set", "fail_max=3"},
	{"policy", "replace", "a.org", "--set", "fail_max=3", "--dry-run", "-o", "json"},
	{"policy", "reset", "a.org"},
	{"policy", "history", "a.org"},
	{"policy", "rollback", "a.org"},
	{"config", "show"},
	{"config", "reload"},
	{"breaker", "advise"},
	{"breaker", "advise", "a.org", "--enforce", "-o", "json"},
	{"breaker", "advise", "--enforce", "--plan", "p-1"},
	{"breaker", "advise", "--explain", "a.org"},
}

func TestNoNode(t *testing.T) {
	term := newTerminal(t, node{})
	term.addr = nobody(t)
	for _, args := range commands {
		term.types(args...)
	}
	term.golden("no-node")
	term.addr = "unix://" + filepath.Join(t.TempDir(), "none.sock")
	if _, stderr, code := term.run(t.Context(), "status"); code != 3 || !strings.Contains(stderr, "no such socket") {
		t.Errorf("socket: got %d, %q", code, stderr)
	}
}

func TestGarbage(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"html":       func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"plain 404":  http.NotFound,
		"other json": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"status":"ok"}`) },
		"wrong type": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"node":5,"key":[],"state":{}}`) },
		"array":      func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `[]`) },
		"empty":      func(http.ResponseWriter, *http.Request) {},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			io.WriteString(w, "{")
		},
		"hang up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range answers {
		term := newTerminal(t, answer)
		for _, args := range commands {
			stdout, stderr, code := term.run(t.Context(), args...)
			if code != 3 || !strings.Contains(stderr, term.addr) {
				t.Errorf("%s on %v: got %d, %q; want 3 and the address", name, args, code, stderr)
			}
			if stdout != "" && !strings.Contains(stdout, `"failed"`) {
				t.Errorf("%s on %v: garbage became the answer %q", name, args, stdout)
			}
		}
	}
}

func TestUnknownStateIsNotYes(t *testing.T) {
	b := unheard
	b.State = "resting"
	path, _ := one(b)
	term := newTerminal(t, node{path: b})
	if _, _, code := term.run(t.Context(), "breaker", "check", b.Name); code != 1 {
		t.Errorf("check: got %d, want 1", code)
	}
	if stdout, _, _ := term.run(t.Context(), "breaker", "why", b.Name); !strings.Contains(stdout, "does not know that state") {
		t.Errorf("why: got %q", stdout)
	}
}

func TestHugeAnswers(t *testing.T) {
	big := unheard
	big.Detail = strings.Repeat("x", 2<<20)
	path, _ := one(big)
	list := api.BreakersResponse{Node: "n1", Breakers: make([]api.Breaker, 20_000)}
	for i := range list.Breakers {
		list.Breakers[i] = api.Breaker{Key: fmt.Sprintf("host:h%05d.org", i), State: "open"}
	}
	term := newTerminal(t, node{path: big, "GET /v1/breakers": list})
	if _, stderr, code := term.run(t.Context(), "breaker", "why", big.Name); code != 3 || !strings.Contains(stderr, "longer than") {
		t.Errorf("one breaker of 2 MiB: got %d, %.200q", code, stderr)
	}
	stdout, _, code := term.run(t.Context(), "breaker", "show")
	if lines := strings.Count(stdout, "\n"); code != 0 || lines != 20_001 {
		t.Errorf("20,000 breakers: got %d and %d lines", code, lines)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	term := newTerminal(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "a.org") {
			writeJSON(w, "application/json", 200, api.OperatorResponse{Key: "host:a.org", Before: "closed", State: "open"})
			return
		}
		cancel()
		<-r.Context().Done()
	}))
	stdout, stderr, code := term.run(ctx, "breaker", "open", "a.org", "b.org", "c.org", "--for", "1m", "-o", "json")
	if code != exitInterrupted || !strings.Contains(stderr, "interrupted") {
		t.Errorf("got %d, %q; want %d", code, stderr, exitInterrupted)
	}
	if !strings.Contains(stdout, `"host:a.org"`) {
		t.Errorf("the answer hides what was done: %q", stdout)
	}
}

// A broken writer is a full disk under stdout.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestStdoutBroken(t *testing.T) {
	term := newTerminal(t, fleet())
	for _, args := range [][]string{{"breaker", "show"}, {"breaker", "check", "arxiv.org"}, {"breaker", "why", "arxiv.org", "-o", "json"}, {"version"}, {"completion", "bash"}} {
		var stderr strings.Builder
		got := run(t.Context(), args, strings.NewReader(""), broken{}, &stderr, term.environment())
		if got != exitNoAnswer || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%v: got %d, %q; want %d", args, got, stderr.String(), exitNoAnswer)
		}
	}
}

func TestAddressPrecedence(t *testing.T) {
	term := newTerminal(t, fleet())
	term.env["FLEETFUSE_ADDR"] = "not an address"
	if _, stderr, code := term.run(t.Context(), "breaker", "show"); code != 2 || !strings.Contains(stderr, "FLEETFUSE_ADDR") {
		t.Errorf("environment: got %d, %q", code, stderr)
	}
	if _, stderr, code := term.run(t.Context(), "breaker", "show", "--addr", "http://"+term.addr+"/"); code != 0 {
		t.Errorf("a flag beats the environment: got %d, %q", code, stderr)
	}
}

func TestColor(t *testing.T) {
	tty, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	tests := []struct {
		color string
		env   map[string]string
		out   io.Writer
		want  bool
	}{
		{"auto", nil, tty, true},
		{"auto", nil, io.Discard, false},
		{"auto", map[string]string{"NO_COLOR": "1"}, tty, false},
		{"auto", map[string]string{"TERM": "dumb"}, tty, false},
		{"always", map[string]string{"NO_COLOR": "1"}, io.Discard, true},
		{"never", nil, tty, false},
	}
	for _, tt := range tests {
		s := &session{stdout: tt.out, color: choice{value: tt.color}, env: environment{getenv: func(k string) string { return tt.env[k] }}}
		if got := s.colored(); got != tt.want {
			t.Errorf("%s %v: got %v, want %v", tt.color, tt.env, got, tt.want)
		}
	}
}
