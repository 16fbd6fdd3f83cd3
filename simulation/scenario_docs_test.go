package simulation

import (
	"os"
	"strings"
	"testing"
)

// Every figure is described, by the name that it has in the JSON too.
func TestFiguresOfTheDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/simulation.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		name, _, _ := strings.Cut(strings.TrimSpace(f.name), " (")
		if row := "\n| " + name + " | `" + f.key + "` | "; !strings.Contains(string(text), row) {
			t.Errorf("no row %q", row)
		}
	}
}

// The examples of docs/simulation.md are one scenario that runs, with the file of
// outages and without.
func TestExamplesOfTheDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/simulation.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(begins string) string {
		_, rest, _ := strings.Cut(string(text), "```"+begins)
		example, _, found := strings.Cut(rest, "```")
		if !found {
			t.Fatalf("no example begins with %s", begins)
		}
		return example
	}
	scenario, outages := block("yaml\n"), strings.TrimPrefix(block("\n"+outageHeader), "\n")
	if _, err := parse("my-outage.yaml", []byte(scenario), beside); err != nil {
		t.Errorf("as it stands: %v", err)
	}
	scenario = strings.Replace(scenario, "# outages:", "outages:", 1)
	s, err := parse("my-outage.yaml", []byte(scenario), func(string) ([]byte, error) { return []byte(outageHeader + "\n" + outages), nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Plan.Hosts) != 3 {
		t.Errorf("hosts: %+v", s.Plan.Hosts)
	}
	w := New(s.Plan)
	w.Run()
	for _, v := range w.Violations() {
		t.Error(v)
	}
}
