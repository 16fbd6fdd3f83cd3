package simulation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// small is a scenario in which nothing is wrong.
const small = `name: small
nodes: 3
length: 5m
hosts:
  - {name: a.example.org}
`

var errNoFile = errors.New("no such file")

// beside is a directory with a few files.
func beside(name string) ([]byte, error) {
	files := map[string]string{
		"good.csv":     "host,start_s,end_s\na.example.org,10,20\nB.example.org, 5.5 ,6\na.example.org,30,31\n",
		"noheader.csv": "a.example.org,10,20\n",
		"fields.csv":   "host,start_s,end_s\na.example.org,10\n",
		"number.csv":   "host,start_s,end_s\na.example.org,ten,20\n",
		"nan.csv":      "host,start_s,end_s\na.example.org,10,NaN\n",
		"minus.csv":    "host,start_s,end_s\na.example.org,-1,20\n",
		"late.csv":     "host,start_s,end_s\n# a comment\na.example.org,10,301\n",
		"ends.csv":     "host,start_s,end_s\na.example.org,20,20\n",
		"host.csv":     "host,start_s,end_s\na b,20,30\n",
		"quote.csv":    "host,start_s,end_s\n\"a,20,30\n",
		"overlap.csv":  "host,start_s,end_s\na.example.org,20,30\nb.example.org,1,2\na.example.org,10,20.5\n",
		"garbage.csv":  "\x00\xff\xfe\x01",
	}
	if text, ok := files[name]; ok {
		return []byte(text), nil
	}
	return nil, fmt.Errorf("open %s: %w", name, errNoFile)
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "f.yaml: is empty; a scenario has nodes, length and hosts"},
		{"[1]", "f.yaml:1:1: want a mapping here"},
		{"nodes: 3\nlength: 1m\n", "f.yaml:1:1: there are no hosts to call"},
		{"length: 1m\nhosts: [{name: a}]", "f.yaml:1:1: nodes is missing"},
		{"nodes: 3\nlenght: 1m\n", `f.yaml:2:1: unknown key "lenght"; did you mean "length"?`},
		{"nodes: 1001\nlength: 1m\n", "f.yaml:1:8: nodes is 1001; want 1 to 1000"},
		{"nodes: 3\nlength: 9999h\n", "f.yaml:2:9: length is 9999h0m0s; want 1s to 24h0m0s"},
		{"nodes: 3\nlength: 1e300\n", "that duration is too long"},
		{"nodes: 3\nlength:\n", "f.yaml:2:8: length has no value"},
		{"nodes: 3\nlength: -5s\n", "a duration cannot be negative"},
		{"nodes: three\nlength: 1m\n", `f.yaml:1:8: nodes is "three": want a whole number`},
		{small + "rate: -1\n", "f.yaml:6:7: rate is -1; want 0.001 to 10000"},
		{small + "rate: .nan\n", `rate is ".nan": want a number`},
		{"nodes: 1000\nlength: 2h\nhosts: [{name: a}]\n", "f.yaml:1:8: 1000 nodes for 2h2m0s are too much"},
		{"nodes: 100\nlength: 10m\nrate: 10000\nhosts: [{name: a}]\n", "f.yaml:1:8: 100 nodes with 10000 calls a second each"},
		{small + "quiet: 10s\n", "f.yaml:6:8: quiet is 10s; the policy keeps calls away for up to 1m0s"},
		{small + "network: {delay_min: 5ms, delay_max: 1ms}\n", "delay_max is 1ms, less than delay_min, which is 5ms"},
		{small + "network: {loss: 2}\n", "loss is 2; want 0 to 0.9"},
		{small + "  - {name: A.example.org.}\n", "f.yaml:6:12: host a.example.org is here twice"},
		{small + "  - {name: a b}\n", "f.yaml:6:12: name"},
		{small + "  - {latency: 5ms}\n", "f.yaml:6:5: a host needs a name"},
		{small + "  - {name: b, phases: [{for: 1m, mode: dwon}]}\n", `want one of healthy, down, limiting, brownout, flapping, slow, portal; did you mean "down"?`},
		{small + "  - {name: b, phases: [{mode: down}]}\n", "a phase needs its end: until"},
		{small + "  - {name: b, phases: [{for: 6m, mode: down}]}\n", "f.yaml:6:30: the phase ends at 6m0s, after the length of 5m0s"},
		{small + "  - {name: b, phases: [{until: 2m, mode: down}, {until: 1m, mode: healthy}]}\n", "the phase ends at 1m0s, but the one before lasts until 2m0s"},
		{small + "  - {name: b, phases: [{for: 1m, mode: limiting}]}\n", "mode limiting needs retry_after"},
		{small + "  - {name: b, phases: [{for: 1m, mode: flapping}]}\n", "mode flapping needs turn"},
		{small + "  - {name: b, phases: [{for: 1m, mode: flapping, turn: 0s}]}\n", "turn is 0s; want 10ms to"},
		{small + "  - {name: b, phases: [{for: 1m, mode: slow, turn: 30s}]}\n", "a worker gives up after 10s"},
		{small + "  - {name: b, phases: [{for: 1m, mode: down, turn: 30s}]}\n", "mode down takes no turn"},
		{small + "faults: [{at: 6m, for: 1s, kind: kill, node: n1}]\n", "f.yaml:6:15: at is 6m0s, but the length is 5m0s"},
		{small + "faults: [{at: 1m, for: 9m, kind: kill, node: n1}]\n", "would last until 10m0s, after the length of 5m0s"},
		{small + "faults: [{at: 1m, for: 1s, kind: kill, node: n4}]\n", `f.yaml:6:46: "n4" is no node; this fleet has n1 to n3`},
		{small + "faults: [{at: 1m, for: 1s, kind: kil, node: n1}]\n", `did you mean "kill"?`},
		{small + "faults: [{at: 1m, for: 1s, kind: kill}]\n", "a kill needs node"},
		{small + "faults: [{at: 1m, kind: kill, node: n1}]\n", "for is missing: how long the kill lasts"},
		{small + "faults: [{at: 1m, for: 1s, kind: kill, node: n1, part: 1}]\n", "a kill takes no part"},
		{small + "faults: [{at: 1m, for: 1s, kind: split, nodes: [n1, n2, n3]}]\n", "some, but not all of the 3"},
		{small + "faults: [{at: 1m, for: 1s, kind: cut, node: n1, other: n1}]\n", "node and other are the same"},
		{small + "faults: [{at: 1m, kind: clock-steps, node: n1, step: 0s}]\n", "not by zero"},
		{small + "faults: {at: 1m}\n", "faults wants a list"},
		{small + "faults: [7]\n", "f.yaml:6:10: want a mapping here"},
		{small + "words: [{at: 1m, say: open, node: n1, host: x.org, for: 1m}]\n", "there is no such host"},
		{small + "words: [{at: 1m, say: open, node: n1, host: a.example.org}]\n", "for is missing: how long the open holds"},
		{small + "words: [{at: 1m, say: replace, node: n1, host: a.example.org, fields: \"fail_mx:3\"}]\n", `did you mean "fail_max"?`},
		{small + "quiet: 60s\nwords: [{at: 1m, say: replace, node: n1, host: a.example.org, fields: \"reset_timeout:3600\"}]\n", "f.yaml:6:8: quiet is 1m0s; the policy keeps calls away for up to 1h0m0s, fields that words replace included"},
		{small + "  - {name: ''}\n", "f.yaml:6:12: name has no value"},
		{small + "  - {name: b, phases: [{for: 1m, mode: ''}]}\n", "f.yaml:6:40: mode has no value"},
		{small + "faults: [{at: 1m, for: 1s, kind: '', node: n1}]\n", "f.yaml:6:34: kind has no value"},
		{small + "faults: [{at: 1m, for: 1s, kind: kill, node: ''}]\n", "f.yaml:6:46: node has no value"},
		{small + "words: [{at: 1m, say: '', node: n1, host: a.example.org}]\n", "f.yaml:6:23: say has no value"},
		{small + "words: [{at: 1m, say: close, node: n1, host: ''}]\n", "f.yaml:6:46: host has no value"},
		{small + "outages: ''\n", "f.yaml:6:10: outages has no value"},
		{"name: ' '\nnodes: 3\n", "f.yaml:1:7: name has no value"},
		{small + "policy: {defaults: {fail_mx: 3}}\n", `f.yaml:6:21: unknown policy field "fail_mx"; did you mean "fail_max"?`},
		{small + "policy: {http: {socket: x}}\n", `unknown key "http"; known here: profile, defaults`},
		{small + "policy: {defaults: {fail_max: 0}}\n", "f.yaml:6:31:"},
		{small + "outages: away.csv\n", "f.yaml:6:10: outages: open away.csv: no such file"},
		{small + "outages: noheader.csv\n", "noheader.csv:1: the first line is \"a.example.org,10,20\"; it must be host,start_s,end_s"},
		{small + "outages: garbage.csv\n", "garbage.csv:1: the first line"},
		{small + "outages: fields.csv\n", "fields.csv:2:1: has 2 fields; want three"},
		{small + "outages: number.csv\n", `number.csv:2:15: "ten" is no number of seconds`},
		{small + "outages: nan.csv\n", "nan.csv:2:18:"},
		{small + "outages: minus.csv\n", "minus.csv:2:15: -1 s is before the run begins"},
		{small + "outages: late.csv\n", "late.csv:3:18: 301 s is after the length of the scenario, 5m0s"},
		{small + "outages: ends.csv\n", "ends at 20 s, not after it starts at 20 s"},
		{small + "outages: host.csv\n", "host.csv:2:1:"},
		{small + "outages: quote.csv\n", "quote.csv:"},
		{small + "outages: overlap.csv\n", "overlap.csv:2: this outage of a.example.org overlaps that of line 4"},
		{small + "  - {name: b.example.org, phases: [{for: 1m, mode: down}]}\noutages: good.csv\n", "good.csv:3: b.example.org has phases in the scenario too"},
		{"a: &a [*a]\n", "f.yaml"},
	}
	for _, tt := range tests {
		s, err := parse("f.yaml", []byte(tt.text), beside)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q:\n got %v, %+v\nwant %s", tt.text, err, s, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	text := `
name: all of it
description: every key
nodes: 4
length: 300
quiet: 2m
rate: 2.5
network: {delay_min: 1ms, delay_max: 20ms, loss: 0.01, duplicate: 0.02, slow: 0.03}
hosts:
  - name: A.example.org
    latency: 80ms
    weight: 2
    phases:
      - {for: 1m, mode: healthy}
      - {for: 10s, mode: limiting, part: 0.5, retry_after: 30s}
      - {until: 2m, mode: flapping, turn: 3s}
outages: one.csv
faults:
  - {at: 10s, for: 5s, kind: split, nodes: [n4, n2, n2]}
  - {at: 10s, kind: clock-steps, node: n1, step: -1h}
  - {at: 1m, for: 5s, kind: one-way, node: n1, other: n3}
words:
  - {at: 30s, say: replace, node: n2, host: b.example.org, fields: "fail_max:2", for: 1m}
policy:
  profile: aggressive
  defaults: {fail_max: 3}
  hosts: {a.example.org: {reset_timeout: 5}}
`
	s, err := parse("f.yaml", []byte(text), func(string) ([]byte, error) { return []byte("host,start_s,end_s\nb.example.org,10,20\n"), nil })
	if err != nil {
		t.Fatal(err)
	}
	p := s.Plan
	if b := p.Policies; b.Defaults.FailMax != 3 || b.Defaults.TrialCalls != 3 || b.Policy(breaker.HostKey("a.example.org")).ResetTimeout != 5*time.Second {
		t.Errorf("policies: %+v", b.Defaults)
	}
	p.Policies = nil
	want := Plan{
		Name: "all of it", Seed: 1, Nodes: 4, Length: 5 * time.Minute, Quiet: 2 * time.Minute, Rate: 2.5,
		Network: Network{Least: time.Millisecond, Most: 20 * time.Millisecond, Loss: 0.01, Duplicate: 0.02, Slow: 0.03},
		Hosts: []Host{
			{Name: "a.example.org", Latency: 80 * time.Millisecond, Weight: 2, Phases: []Phase{
				{Until: time.Minute, Part: 1}, {Until: 70 * time.Second, Mode: Limiting, Part: 0.5, After: 30 * time.Second},
				{Until: 2 * time.Minute, Mode: Flapping, Part: 1, Turn: 3 * time.Second},
			}},
			{Name: "b.example.org", Latency: defaultLatency, Weight: 1, Phases: []Phase{{Until: 10 * time.Second, Part: 1}, {Until: 20 * time.Second, Mode: Down, Part: 1}}},
		},
		Faults: []Fault{
			{At: 10 * time.Second, For: 5 * time.Second, Kind: Split, Nodes: []int{1, 3}},
			{At: 10 * time.Second, Kind: ClockSteps, Step: -time.Hour},
			{At: time.Minute, For: 5 * time.Second, Kind: OneWay, Other: 2},
		},
		Words: []Word{{At: 30 * time.Second, Kind: Replace, Node: 1, Host: 1, For: time.Minute, Fields: "fail_max:2"}},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

// written is a plan as a person would write it, without its policies and clocks.
func written(p *Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\nnodes: %d\nlength: %v\nquiet: %v\nrate: %v\n", p.Name, p.Nodes, p.Length, p.Quiet, p.Rate)
	n := p.Network
	fmt.Fprintf(&b, "network: {delay_min: %v, delay_max: %v, loss: %v, duplicate: %v, slow: %v}\nhosts:\n", n.Least, n.Most, n.Loss, n.Duplicate, n.Slow)
	for _, h := range p.Hosts {
		fmt.Fprintf(&b, "  - name: %s\n    latency: %v\n    weight: %v\n    phases:\n", h.Name, h.Latency, h.Weight)
		for _, x := range h.Phases {
			extra := map[Mode]string{
				Limiting: fmt.Sprintf(", part: %v, retry_after: %v", x.Part, x.After), BrownOut: fmt.Sprintf(", part: %v", x.Part),
				Flapping: fmt.Sprintf(", turn: %v", x.Turn), Slow: fmt.Sprintf(", turn: %v", x.Turn),
			}[x.Mode]
			fmt.Fprintf(&b, "      - {until: %v, mode: %s%s}\n", x.Until, x.Mode, extra)
		}
	}
	if s := p.Shared; s.There {
		fmt.Fprintf(&b, "shared-store:\n  delay_min: %v\n  delay_max: %v\n  writes:\n", s.Least, s.Most)
		for _, x := range s.Writes {
			fmt.Fprintf(&b, "    - {at: %v, by: %s, say: %s, host: %s", x.At, writeNames[x.Kind].by, writeNames[x.Kind].say, p.Hosts[x.Host].Name)
			if x.Kind.lasts() {
				fmt.Fprintf(&b, ", for: %v", max(x.For, time.Second))
			}
			if x.Kind.byProgram() {
				fmt.Fprintf(&b, ", copies: %v, announces: %v", x.Copies, x.Hints)
			}
			b.WriteString("}\n")
		}
	}
	b.WriteString("faults:\n")
	for _, f := range p.Faults {
		fmt.Fprintf(&b, "  - {at: %v, kind: %s", f.At, faultKinds[f.Kind].name)
		if !f.Kind.atOnce() {
			fmt.Fprintf(&b, ", for: %v", f.For)
		}
		for _, key := range faultKinds[f.Kind].takes {
			switch key {
			case "node":
				fmt.Fprintf(&b, ", node: n%d", f.Node+1)
			case "other":
				fmt.Fprintf(&b, ", other: n%d", f.Other+1)
			case "part":
				fmt.Fprintf(&b, ", part: %v", f.Part)
			case "tail":
				fmt.Fprintf(&b, ", tail: %v", f.Step)
			case "step":
				fmt.Fprintf(&b, ", step: %v", f.Step)
			case "nodes":
				fmt.Fprintf(&b, ", nodes: [%s]", strings.ReplaceAll(nodeNames(f.Nodes), " ", ", "))
			}
		}
		b.WriteString("}\n")
	}
	b.WriteString("words:\n")
	for _, x := range p.Words {
		fmt.Fprintf(&b, "  - {at: %v, say: %s, node: n%d, host: %s", x.At, wordNames[x.Kind], x.Node+1, p.Hosts[x.Host].Name)
		if x.Kind != Close && x.For > 0 {
			fmt.Fprintf(&b, ", for: %v", x.For)
		}
		if x.Kind == Replace {
			fmt.Fprintf(&b, ", fields: %q", x.Fields)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// What is written and read again is the same, for any world that can be written.
func TestRoundTrip(t *testing.T) {
	worlds := 0
	for seed := range uint64(300) {
		p := Random(seed)
		text := written(&p)
		s, err := parse("f.yaml", []byte(text), beside)
		if err != nil {
			if strings.Contains(err.Error(), "not all of the") || strings.Contains(err.Error(), "only one at a time has an effect") {
				continue // a split of nobody, or a fault during one like it: a person does not mean that
			}
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		worlds++
		if again := written(&s.Plan); again != text {
			t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, again, text)
		}
	}
	if worlds < 150 {
		t.Errorf("only %d worlds could be written", worlds)
	}
}

func TestLoadScenario(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("o.csv", "host,start_s,end_s\nz.example.org,1,2\n")
	if s, err := LoadScenario(write("s.yaml", small+"outages: o.csv\n")); err != nil || len(s.Plan.Hosts) != 2 {
		t.Errorf("got %v, %v", s, err)
	}
	for _, path := range []string{filepath.Join(dir, "none.yaml"), dir, os.DevNull} {
		if _, err := LoadScenario(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		text, err := library.ReadFile(libraryDir + "/" + name + ending)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, []byte("host,start_s,end_s\na.example.org,10,20\n"))
	}
	f.Add([]byte("nodes: 2\nlength: 20s\nrate: 1\nhosts: [{name: a, phases: [{for: 9s, mode: flapping, turn: 1s}]}]\nfaults: [{at: 3s, for: 9s, kind: split, nodes: [n1]}]\nwords: [{at: 9s, say: open, node: n1, host: a, for: 3s}]\n"), []byte(nil))
	f.Add([]byte(small+"outages: x\n"), []byte("host,start_s,end_s\n\"a\n,1,2"))
	f.Fuzz(func(t *testing.T, text, csv []byte) {
		s, err := parse("f.yaml", text, func(string) ([]byte, error) { return csv, nil })
		if err != nil {
			return
		}
		p := &s.Plan
		total := p.Length + p.Quiet
		if total > 5*time.Minute || total.Seconds()*p.Rate*float64(p.Nodes) > 500 || p.Nodes > 3 || len(p.Hosts) > 5 || len(p.Faults)+len(p.Words) > 10 {
			return // what is accepted runs; there is no time for a large one
		}
		w := New(*p)
		r := w.Record(nil)
		w.Run()
		report := r.Report(s, "fuzz")
		Text([]Report{report, report})
	})
}
