package telemetry

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "rewrite what is made from the tables of metrics and alerts")

const root = ".."

// written are the files that are made from the tables, whole.
var written = map[string]func(*testing.T) string{
	"deploy/grafana/fleetfuse.json": dashboardJSON,
	"deploy/prometheus/alerts.yaml": rulesYAML,
	"docs/metrics.md":               metricsMarkdown,
}

// TestWhatIsWritten holds the files to the tables.
func TestWhatIsWritten(t *testing.T) {
	for name, make := range written {
		hold(t, name, make(t))
	}
	text := read(t, "AGENTS.md")
	const start, end = "<!-- alerts: written by go test ./telemetry -update -->\n", "<!-- end of alerts -->\n"
	before, rest, hasStart := strings.Cut(text, start)
	_, after, hasEnd := strings.Cut(rest, end)
	if !hasStart || !hasEnd {
		t.Fatalf("AGENTS.md has no place for the alerts between %q and %q", start, end)
	}
	hold(t, "AGENTS.md", before+start+"\n"+runbookRows()+"\n"+end+after)
}

// hold compares a file with what it is to be, or writes that.
func hold(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join(root, name)
	if have, err := os.ReadFile(path); err == nil && string(have) == want {
		return
	}
	if !*update {
		t.Errorf("%s is not what the tables say; go test ./telemetry -update writes it", name)
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The shape of a file of rules.
type (
	ruleFile struct {
		Groups []ruleGroup `yaml:"groups"`
	}
	ruleGroup struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	rule struct {
		Alert       string            `yaml:"alert"`
		Expr        string            `yaml:"expr"`
		For         string            `yaml:"for"`
		Labels      map[string]string `yaml:"labels"`
		Annotations map[string]string `yaml:"annotations"`
	}
)

// anchor is where AGENTS.md says what to do about an alert.
func anchor(a *alert) string { return strings.ToLower(a.Name) }

func rulesYAML(t *testing.T) string {
	group := ruleGroup{Name: "fleetfuse"}
	for _, a := range alerts {
		group.Rules = append(group.Rules, rule{
			Alert: a.Name, Expr: a.Expr, For: a.For, Labels: map[string]string{"severity": a.Severity},
			Annotations: map[string]string{"summary": a.Summary, "runbook": "AGENTS.md#" + anchor(&a)},
		})
	}
	var b strings.Builder
	b.WriteString("# Written by go test ./telemetry -update from telemetry/alerts.go.\n# The runbook is a place in the repository's AGENTS.md.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(ruleFile{[]ruleGroup{group}}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// named finds the metrics in PromQL, in tables and in files.
var named = regexp.MustCompile(`\b(?:fleetfuse|go|process)_[a-z_]+[a-z]`)

// runbookRows are the alerts as Markdown, in the columns of the other tables there.
func runbookRows() string {
	var b strings.Builder
	b.WriteString("| symptom | metric | command | what is normal |\n|---|---|---|---|\n")
	for _, a := range alerts {
		metrics := map[string]bool{}
		var list []string
		for _, name := range named.FindAllString(a.Expr, -1) {
			if !metrics[name] {
				list = append(list, "`"+name+"`")
			}
			metrics[name] = true
		}
		if len(list) == 0 {
			list = []string{"`up`"}
		}
		fmt.Fprintf(&b, "| <a id=\"%s\"></a>%s | %s | %s | %s |\n", anchor(&a), a.Name, strings.Join(list, ", "), a.Look, a.Normal)
	}
	return b.String()
}

// metricsMarkdown is the reference of all metrics.
func metricsMarkdown(*testing.T) string {
	var b strings.Builder
	b.WriteString("# Metrics\n\nWritten by `go test ./telemetry -update` from the table in `telemetry`. A node serves them at `/metrics`, with those of the Go\n" +
		"runtime (`go_`) and of the process (`process_`). Gauges are what is now, counters grow from the node's start on.\n")
	row := ""
	for _, m := range Table() {
		if m.Panel.Row != row {
			row = m.Panel.Row
			fmt.Fprintf(&b, "\n## %s\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n", row)
		}
		var labels []string
		for _, l := range m.Labels {
			text := "`" + l.Name + "`"
			if l.Values != nil {
				text += ": " + strings.Join(l.Values, ", ")
			}
			labels = append(labels, text)
		}
		help := m.Help
		if m.When != "" {
			help += " Only " + m.When + "."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.FullName(), m.Type, strings.Join(labels, "; "), help)
	}
	return b.String()
}
