package simulation

import (
	"os"
	"strings"
	"testing"
)

// The examples of docs/simulation.md are one scenario that runs.
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
