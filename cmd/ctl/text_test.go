package main

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"fleetfuse/api"
)

func TestSpan(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0s"}, {0, "0s"}, {1, "1s"}, {time.Second, "1s"}, {79_400 * time.Millisecond, "1m20s"},
		{time.Minute, "1m"}, {time.Hour + 59*time.Second, "1h"}, {26 * time.Hour, "1d2h"}, {30 * 24 * time.Hour, "30d"},
	}
	for _, tt := range tests {
		if got := span(tt.d); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestOpenLength(t *testing.T) {
	tests := []struct {
		length, seconds string
		want            time.Duration // zero is an error
	}{
		{"10m", "", 10 * time.Minute},
		{"1d12h", "", 36 * time.Hour},
		{"30d", "", 720 * time.Hour},
		{"", "600", 10 * time.Minute},
		{"", "0.5", time.Second / 2},
		{"", "2592000", 720 * time.Hour},
		{"30d1s", "", 0},
		{"-1d", "", 0},
		{"2d-1h", "", 47 * time.Hour},
		{"99999d", "", 0},
		{"", "2592001", 0},
		{"", "Inf", 0},
		{"", "-Inf", 0},
		{"", "ten", 0},
	}
	for _, tt := range tests {
		if got, err := openLength(tt.length, tt.seconds); got != tt.want && err == nil || (err != nil) != (tt.want == 0) {
			t.Errorf("%q, %q: got %v, %v; want %v", tt.length, tt.seconds, got, err, tt.want)
		}
	}
}

func TestParseKey(t *testing.T) {
	tests := []struct{ arg, want string }{ // want "" is an error
		{"api.example.org", "host:api.example.org"},
		{"API.Example.org.", "host:api.example.org"},
		{"host:api.example.org:443", "host:api.example.org"},
		{"api.example.org:8443", "host:api.example.org:8443"},
		{"host:resolver:8080", "host:resolver:8080"},
		{"resolver:Crossref", "resolver:Crossref"},
		{"[2001:DB8::1]", "host:2001:db8::1"},
		{"https://api.example.org/x", ""},
		{"a.org/x", ""},
		{"user@a.org", ""},
		{"a..org", ""},
		{"resolver:", ""},
		{"resolver:$(rm)", ""},
		{"host:", ""},
		{"", ""},
		{"a\x00b", ""},
		{strings.Repeat("a", 300), ""},
	}
	for _, tt := range tests {
		key, err := parseKey(tt.arg)
		if string(key) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q: got %q, %v; want %q", tt.arg, key, err, tt.want)
		}
		if err != nil {
			continue
		}
		if again, err := parseKey(strings.Trim(hostArg(key), "'")); again != key {
			t.Errorf("%q: hostArg %s reads as %q, %v", tt.arg, hostArg(key), again, err)
		}
	}
}

func TestAuthor(t *testing.T) {
	tests := []struct {
		user, host string
		err        error
		want       string
	}{
		{"alice", "box", nil, "alice@box"},
		{"", "box", nil, "unknown@box"},
		{"alice", "", errors.New("no name"), "alice@unknown"},
		{strings.Repeat("é", 70), "box", nil, strings.Repeat("é", api.MaxText/2)},
	}
	for _, tt := range tests {
		s := &session{env: environment{
			getenv:   func(k string) string { return map[string]string{"USER": tt.user}[k] },
			hostname: func() (string, error) { return tt.host, tt.err },
		}}
		if got := s.author(); got != tt.want {
			t.Errorf("%q, %q: got %q, want %q", tt.user, tt.host, got, tt.want)
		}
	}
	if err := checkReason(strings.Repeat("x", api.MaxText+1)); exitCode(err) != exitUsage {
		t.Errorf("long reason: got %v", err)
	}
}

func TestShellWord(t *testing.T) {
	for _, tt := range []struct{ s, want string }{{"a.org", "a.org"}, {"", "''"}, {"$(rm)", "'$(rm)'"}, {"it's", `'it'\''s'`}} {
		if got := shellWord(tt.s); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.s, got, tt.want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J", "\u202e", "a\xffb", "\u009b", "é", "\U000e0001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := printable(s)
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q became %q, which has an unprintable rune at %d", s, got, i)
		}
		doc, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var want, back string
		if err := errors.Join(json.Unmarshal(doc, &want), json.Unmarshal([]byte(asciiControls(string(doc))), &back)); err != nil || back != want {
			t.Errorf("%q: JSON reads back as %q, %v; want %q", s, back, err, want)
		}
	})
}

func TestVersion(t *testing.T) {
	term := newTerminal(t, node{})
	stdout, _, code := term.run(t.Context(), "version", "-o", "json")
	var got build
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || got.Version != version || got.Go != runtime.Version() {
		t.Errorf("got %d, %q, %v", code, stdout, err)
	}
	b := build{Name: "fleetfuse-ctl", Version: "1.2.3", Commit: "0123456789abcdef", Modified: true, Go: "go1", Platform: "x/y"}
	if got, want := b.String(), "fleetfuse-ctl 1.2.3 (commit 0123456789ab, modified) go1 x/y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCompletion(t *testing.T) {
	term := newTerminal(t, fleet())
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if stdout, _, code := term.run(t.Context(), "completion", shell); code != 0 || !strings.Contains(stdout, "fleetfuse-ctl") {
			t.Errorf("%s: got %d and %d bytes", shell, code, len(stdout))
		}
	}
	complete := func(prefix string) string {
		stdout, _, _ := term.run(t.Context(), "__complete", "breaker", "why", prefix)
		names, _, _ := strings.Cut(stdout, "\n:")
		return strings.ReplaceAll(names, "\n", " ")
	}
	if got, want := complete("a"), "arxiv.org api.crossref.org"; got != want {
		t.Errorf("hosts: got %q, want %q", got, want)
	}
	if got, want := complete("resolver:"), "resolver:unpaywall"; got != want {
		t.Errorf("resolvers: got %q, want %q", got, want)
	}
	words := func(args ...string) string {
		stdout, _, _ := term.run(t.Context(), append([]string{"__complete"}, args...)...)
		names, directive, _ := strings.Cut("\n"+stdout, "\n:")
		var list []string
		for line := range strings.Lines(names) {
			name, _, _ := strings.Cut(line, "\t")
			list = append(list, strings.TrimSpace(name))
		}
		return strings.Join(list, " ") + " " + strings.TrimSpace(directive)
	}
	for _, tt := range []struct{ args, want string }{ // 4 is: no file names
		{"cluster ", "leave members owner 4"},
		{"cluster owner res", "resolver:unpaywall 4"},
		{"cluster members ", "4"},
		{"cluster leave ", "4"},
	} {
		if got := strings.TrimSpace(words(strings.Split(tt.args, " ")...)); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.args, got, tt.want)
		}
	}
	term.addr = nobody(t)
	if got := complete("a"); strings.HasPrefix(got, "a") {
		t.Errorf("without a node: got %q", got)
	}
}
