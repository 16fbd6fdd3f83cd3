package simulation

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What people try first is refused in words that say what to write instead, once.
func TestParseErrorsOfNewcomers(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"nodes: 3\nlength: 1m\nhosts: api.example.org\n", "f.yaml:3:8: hosts wants a list: lines that begin with a dash"},
		{small + "  - {name: 'https://x.org/'}\n", "f.yaml:6:12: name: give the host, not the URL: x.org"},
		{small + "  - {name: b, phases: [{mode: down, until: 1m, for: 1m}]}\n", "f.yaml:6:24: a phase has until or for, not both"},
		{small + "  - {name: b, phases: [{mode: healthy}]}\n", "f.yaml:6:24: a phase needs its end: until, the moment of the run, or for, how long it lasts"},
		{small + "shared-store: {}\nfaults: [{at: 1m, for: 1s, kind: store-cut, nodes: []}]\n",
			"f.yaml:7:52: nodes names nobody: list those that do not reach the shared store, or leave nodes out if all do not"},
		{small + "shared-store: {}\nfaults: [{at: 1m, for: 1s, kind: store-cut, nodes: all}]\n", "f.yaml:7:52: nodes wants a list: lines that begin with a dash"},
		{small + "faults: [{at: 1m, for: 1s, kind: split}]\n", "f.yaml:6:10: a split needs nodes"},
		{"nodes: 1000\nlength: 1m\nrate: 10000\nhosts: [{name: a}]\n",
			"f.yaml:1:8: 1000 nodes with 10000 calls a second each make 1,800,000,000 calls in 3m0s; at most 5,000,000 make sense: lower rate, nodes or length"},
		{"profile: aggressive\ndefaults: {fail_max: 3}\n", "f.yaml: this looks like a configuration, not like a scenario: give it with --policy, and a scenario to try its policies in"},
		{"hosts: {a.example.org: {fail_max: 3}}\n", "f.yaml: this looks like a configuration, not like a scenario: give it with --policy, and a scenario to try its policies in"},
		{small + "outages: semicolons\n", "f.yaml:6:10: outages: semicolons:1: the first line is \"host;start_s;end_s\"; its fields, and those of the others, must have commas between them: host,start_s,end_s"},
		{small + "outages: empty\n", "f.yaml:6:10: outages: empty:1: is empty; the first line must be host,start_s,end_s"},
		{small + "outages: none.csv\n", "f.yaml:6:10: outages: open none.csv: file does not exist; save it beside the scenario that names it, or correct the name"},
		{small + "outages: regional-outage.csv\n",
			"f.yaml:6:10: outages: open regional-outage.csv: file does not exist; copy it from simulation/scenarios too, to the scenario that names it"},
	} {
		_, err := parse("f.yaml", []byte(tt.text), func(name string) ([]byte, error) {
			switch name {
			case "semicolons":
				return []byte("host;start_s;end_s\na.example.org;1;2\n"), nil
			case "empty":
				return nil, nil
			}
			return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
		})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q:\n got %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

// A person mends a file from the top to the bottom.
func TestParseErrorsAreInOrder(t *testing.T) {
	text := "nodes: 3\nlength: 5m\nhosts:\n  - {name: a b}\nfaults: [{at: 1m, kind: kill, node: n1}]\nrate: -1\nbogus: 2\n"
	_, err := parse("f.yaml", []byte(text), beside)
	if err == nil {
		t.Fatal("no error")
	}
	var places []string
	for l := range strings.Lines(err.Error()) {
		places = append(places, strings.Join(strings.SplitN(l, ":", 4)[:3], ":"))
	}
	if want := []string{"f.yaml:4:12", "f.yaml:5:10", "f.yaml:6:7", "f.yaml:7:1"}; !slices.Equal(places, want) {
		t.Errorf("got %q, want %q", places, want)
	}
}

// A store-cut without nodes is one of all.
func TestStoreCutOfAll(t *testing.T) {
	s, err := parse("f.yaml", []byte(small+"shared-store: {}\nfaults: [{at: 1m, for: 10s, kind: store-cut}]\n"), beside)
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Plan.Faults[0]; !slices.Equal(f.Nodes, []int{0, 1, 2}) {
		t.Errorf("got %+v", f)
	}
}

// A scenario that comes along and names a file needs it, and is told where it is.
func TestCopyOfAScenarioAlone(t *testing.T) {
	text, err := library.ReadFile(libraryDir + "/regional-outage.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadScenario(path); err == nil || !strings.Contains(err.Error(), "copy it from simulation/scenarios too") {
		t.Errorf("got %v", err)
	}
}
