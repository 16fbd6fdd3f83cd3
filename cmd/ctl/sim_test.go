package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What a run comes to changes with every change of the protocol, so transcripts
// hold only what does not.
func TestSimUsage(t *testing.T) {
	term := newTerminal(t, node{})
	for _, args := range [][]string{
		{"sim", "--help"},
		{"sim", "run", "--help"},
		{"sim", "replay", "--help"},
		{"sim"},
		{"sim", "rnu", "x.yaml"},
		{"sim", "run"},
		{"sim", "run", "a.yaml", "b.yaml"},
		{"sim", "run", "brown_out"},
		{"sim", "run", "testdata/sim/none.yaml"},
		{"sim", "run", "testdata"},
		{"sim", "run", "testdata/sim/bad.yaml"},
		{"sim", "run", "testdata/sim/late.yaml"},
		{"sim", "run", "testdata/sim/outages.yaml"},
		{"sim", "run", "testdata/sim/missing.yaml"},
		{"sim", "run", "brown-out", "--policy", "testdata/sim/badpolicy.yaml"},
		{"sim", "run", "brown-out", "--policy", "testdata/sim/none.yaml"},
		{"sim", "run", "brown-out", "--policy", "testdata/sim/badpolicy.yaml", "--against", "testdata/sim/badprofile.yaml"},
		{"sim", "run", "testdata/sim/missing.yaml", "--policy", "testdata/sim/badpolicy.yaml"},
		{"sim", "run", "brown-out", "--seed", "-1"},
		{"sim", "run", "brown-out", "--seeds", "0"},
		{"sim", "run", "brown-out", "--seeds", "2", "-o", "html"},
		{"sim", "run", "brown-out", "-o", "pdf"},
		{"sim", "run", "testdata/sim/policy.yaml"},
		{"sim", "run", "brown-out", "--policy", "testdata/sim/small.yaml"},
		{"sim", "replay", "split-brain"},
		{"sim", "replay", "split", "brain"},
		{"sim", "replay", "--scenario", "nope"},
		{"sim", "replay", "-o", "json"},
		{"sim", "replay", "--policy", "testdata/sim/policy.yaml"},
		{"sim", "replay", "--against", "testdata/sim/policy.yaml"},
		{"sim", "replay", "--scenario", "testdata/sim/bad.yaml"},
	} {
		term.types(args...)
	}
	term.golden("sim-usage")
}

// simulate runs a command that must end with a code.
func simulate(t *testing.T, code int, args ...string) string {
	t.Helper()
	stdout, stderr, got := newTerminal(t, node{}).run(t.Context(), args...)
	if got != code || stderr != "" {
		t.Fatalf("%v: exit %d, stderr %q\n%s", args, got, stderr, stdout)
	}
	return stdout
}

func TestSimRun(t *testing.T) {
	text := simulate(t, 0, "sim", "run", "testdata/sim/small.yaml", "--seed", "3", "-o", "table") // the word of the other commands
	for _, want := range []string{"small: 2 nodes, 1m0s", "wrongly rejected", "overshoot", "a.example.org", "no violation; hash: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if again := simulate(t, 0, "sim", "run", "testdata/sim/small.yaml", "--seed", "3"); again != text {
		t.Error("the same seed came to something else")
	}
	both := simulate(t, 0, "sim", "run", "testdata/sim/small.yaml", "--policy", "testdata/sim/policy.yaml", "--against", "testdata/sim/small-policy.yaml")
	for _, want := range []string{"POLICY testdata/sim/policy.yaml", "POLICY testdata/sim/small-policy.yaml", "20m30s of quiet"} {
		if !strings.Contains(both, want) {
			t.Errorf("%q is missing in\n%s", want, both)
		}
	}
	for l := range strings.Lines(both) {
		if len(l) > 81 {
			t.Errorf("wider than 80 columns: %s", l)
		}
	}
}

func TestSimRunJSON(t *testing.T) {
	var answer struct {
		Runs []struct {
			Policy   string
			Figures  map[string]any
			Timeline []map[string]int
			Hosts    []struct {
				Name    string
				Outages []map[string]any
			}
			Violations []string
		}
	}
	text := simulate(t, 0, "sim", "run", "testdata/sim/small.yaml", "--against", "testdata/sim/policy.yaml", "-o", "json")
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Runs) != 2 || answer.Runs[0].Policy != ofTheScenario || len(answer.Runs[0].Timeline) != 120 || len(answer.Runs[0].Hosts[0].Outages) != 1 {
		t.Errorf("got %+v", answer.Runs)
	}
	campaign := simulate(t, 0, "sim", "run", "testdata/sim/small.yaml", "--seeds", "3", "-o", "json")
	var sums struct {
		Seeds    int
		Policies []struct {
			Figures map[string]struct{ Median, Min, Max *float64 }
		}
	}
	if err := json.Unmarshal([]byte(campaign), &sums); err != nil {
		t.Fatal(err)
	}
	wanted := sums.Policies[0].Figures["wanted"]
	if sums.Seeds != 3 || *wanted.Min > *wanted.Median || *wanted.Median > *wanted.Max {
		t.Errorf("got %s", campaign)
	}
}

// The page loads nothing and runs nothing, and what came from a file is text.
func TestSimRunHTML(t *testing.T) {
	page := simulate(t, 0, "sim", "run", "testdata/sim/hostile.yaml", "--against", "testdata/sim/policy.yaml", "-o", "html")
	if bad := regexp.MustCompile(`(?i)<script|src=|@import|url\(|https?:|onload`).FindString(page); bad != "" {
		t.Errorf("%q in the page", bad)
	}
	if strings.Count(page, "<svg") != 2 || !strings.Contains(page, "&lt;b&gt;hostile") {
		t.Errorf("got\n%.2000s", page)
	}
}

func TestSimReplay(t *testing.T) {
	last := func(text string) string {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return lines[len(lines)-1]
	}
	hash := regexp.MustCompile(`^hash: [0-9a-f]{16}$`)
	story := simulate(t, 0, "sim", "replay", "--scenario", "testdata/sim/small.yaml", "--seed", "3")
	if !hash.MatchString(last(story)) || !strings.Contains(story, "closed -> open") {
		t.Errorf("got %s", story)
	}
	report := simulate(t, 0, "sim", "run", "testdata/sim/small.yaml", "--seed", "3")
	if !strings.Contains(report, last(story)) {
		t.Errorf("a replay has another hash: %s\n%s", last(story), report)
	}
	a, _, _ := newTerminal(t, node{}).run(t.Context(), "sim", "replay", "--seed", "7")
	b, _, _ := newTerminal(t, node{}).run(t.Context(), "sim", "replay", "--seed", "7")
	if a != b || !hash.MatchString(last(a)) {
		t.Errorf("the default world of seed 7 went in two ways: %s, %s", last(a), last(b))
	}
}

// The command that is printed after a broken promise replays the same world, in
// which of the policies compared it was broken.
func TestSimReplayAgain(t *testing.T) {
	const small, long, short = "testdata/sim/small.yaml", "testdata/sim/policy.yaml", "testdata/sim/small-policy.yaml" // long has a longer quiet part
	hash := regexp.MustCompile(`hash: [0-9a-f]{16}`)
	for _, tt := range []struct{ policy, against string }{{"", ""}, {"", long}, {short, ""}, {short, long}, {long, short}} {
		args := []string{"sim", "run", small, "--seed", "3"}
		if tt.policy != "" {
			args = append(args, "--policy", tt.policy)
		}
		if tt.against != "" {
			args = append(args, "--against", tt.against)
		}
		hashes := hash.FindAllString(simulate(t, 0, args...), -1)
		var labels []string
		for _, file := range []string{tt.policy, tt.against} {
			if file == "" {
				file = ofTheScenario
			}
			labels = append(labels, file)
		}
		for i, want := range hashes {
			var told bytes.Buffer
			s := &session{stderr: &told}
			s.tellReplay(&simRun{name: small, policy: tt.policy, against: tt.against}, labels[i], 3)
			_, again, _ := strings.Cut(strings.TrimSpace(told.String()), "fleetfuse-ctl ")
			if got := hash.FindString(simulate(t, 0, strings.Fields(strings.ReplaceAll(again, "'", ""))...)); got != want {
				t.Errorf("%v, policy %s: %s, %q gives %s", args, labels[i], want, again, got)
			}
		}
	}
}

// An interrupt ends a run, and so does a reader that is gone.
func TestSimInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	term := newTerminal(t, node{})
	for _, args := range [][]string{{"sim", "run", "thundering-herd"}, {"sim", "replay", "--scenario", "thundering-herd"}} {
		if _, stderr, code := term.run(ctx, args...); code != exitInterrupted || !strings.Contains(stderr, "interrupted") {
			t.Errorf("%v: exit %d, %s", args, code, stderr)
		}
	}
	if code := run(t.Context(), []string{"sim", "replay", "--seed", "7"}, strings.NewReader(""), gone{}, &bytes.Buffer{}, term.environment()); code != exitNoAnswer {
		t.Errorf("nobody reads: exit %d", code)
	}
}

// gone is a reader that has gone.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestProgress(t *testing.T) {
	moment := now
	var stderr bytes.Buffer
	s := &session{stderr: &stderr, env: environment{now: func() time.Time { return moment }}}
	p := s.newProgress(t.Context(), 4)
	p.done = 1
	for _, after := range []time.Duration{0, time.Second, 500 * time.Millisecond} {
		moment = moment.Add(after)
		if !p.step(0.5) || stderr.Len() > 0 {
			t.Fatalf("after %v: %s", after, stderr.String())
		}
	}
	moment = moment.Add(500 * time.Millisecond)
	p.step(0.5)
	moment = moment.Add(time.Second) // in a log one line each 10 s will do
	p.step(0.6)
	if got := stderr.String(); got != "simulating: 38 %, run 2 of 4, about 4s left\n" {
		t.Errorf("got %q", got)
	}
	p.terminal = true
	stderr.Reset()
	p.step(0.7)
	p.clear()
	if got := stderr.String(); !strings.HasPrefix(got, "\rsimulating: 42 %") || !strings.HasSuffix(got, " \r") {
		t.Errorf("got %q", got)
	}
}

// The commands of docs/simulation.md run as they stand, at the root of the repository.
func TestSimDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/simulation.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	commands := regexp.MustCompile(`(?m)^bin/fleetfuse-ctl (sim [^>\n]*)`).FindAllStringSubmatch(string(text), -1)
	if len(commands) < 5 {
		t.Errorf("found only %q", commands)
	}
	for _, m := range commands {
		simulate(t, 0, strings.Fields(m[1])...)
	}
}
