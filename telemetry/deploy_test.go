package telemetry

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// known are the names of the table, and those of the runtime that are drawn.
func known() map[string]bool {
	names := map[string]bool{}
	for _, m := range Table() {
		names[m.FullName()] = true
	}
	for _, m := range processMetrics {
		names[m.Name] = true
	}
	return names
}

// TestFilesNameMetricsOfTheTable: in queries, in rules and in what people read.
func TestFilesNameMetricsOfTheTable(t *testing.T) {
	names := known()
	for _, file := range []string{"deploy/grafana/fleetfuse.json", "deploy/prometheus/alerts.yaml", "docs/metrics.md", "AGENTS.md", "README.md"} {
		for _, name := range named.FindAllString(read(t, file), -1) {
			if !names[name] && !strings.HasPrefix(name, "go_test") {
				t.Errorf("%s names %s, which is in no table", file, name)
			}
		}
	}
}

// TestDashboard holds it to what Grafana needs.
func TestDashboard(t *testing.T) {
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "deploy/grafana/fleetfuse.json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 36 || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" {
		t.Errorf("uid %q, title %q, schemaVersion %d, variables %+v", d.UID, d.Title, d.SchemaVersion, d.Templating.List)
	}
	var drawn []string
	var places []gridPos
	for i, p := range d.Panels {
		at := p.GridPos
		overlaps := func(o gridPos) bool { return at.X < o.X+o.W && o.X < at.X+at.W && at.Y < o.Y+o.H && o.Y < at.Y+at.H }
		if p.ID != i+1 || at.H < 1 || at.W < 1 || at.X+at.W > 24 || slices.ContainsFunc(places, overlaps) {
			t.Errorf("panel %q lies badly: id %d, %+v", p.Title, p.ID, at)
		}
		places = append(places, at)
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || len(p.Targets) > 26 || p.Datasource == nil || *p.Datasource != source {
			t.Errorf("panel %q draws %d targets from %+v", p.Title, len(p.Targets), p.Datasource)
		}
		for _, x := range p.Targets {
			drawn = append(drawn, named.FindAllString(x.Expr, -1)...)
			if !balanced(x.Expr) || strings.Contains(x.Expr, "SEL") || !strings.Contains(x.Expr, selection) {
				t.Errorf("panel %q: query %s", p.Title, x.Expr)
			}
		}
	}
	for name := range known() {
		if !slices.Contains(drawn, name) {
			t.Errorf("%s is drawn nowhere", name)
		}
	}
}

// balanced is the least that can be said of PromQL without its parser.
func balanced(expr string) bool {
	var open []rune
	quoted := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(expr, "")
	for _, r := range quoted {
		switch i := strings.IndexRune(")]}", r); {
		case strings.ContainsRune("([{", r):
			open = append(open, r)
		case i >= 0 && (len(open) == 0 || open[len(open)-1] != rune("([{"[i])):
			return false
		case i >= 0:
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

// TestAlerts: each is whole, and AGENTS.md says what to do.
func TestAlerts(t *testing.T) {
	var file ruleFile
	if err := yaml.Unmarshal([]byte(read(t, "deploy/prometheus/alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	runbook := read(t, "AGENTS.md")
	seen := map[string]bool{}
	for _, r := range file.Groups[0].Rules {
		if seen[r.Alert] {
			t.Errorf("there are two alerts %s", r.Alert)
		}
		seen[r.Alert] = true
		if d, err := time.ParseDuration(r.For); err != nil || d < time.Minute {
			t.Errorf("%s: for %q; want a minute at least", r.Alert, r.For)
		}
		if s := r.Labels["severity"]; s != critical && s != warning {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if !balanced(r.Expr) || !named.MatchString(r.Expr) && !strings.Contains(r.Expr, `up{job="`+job+`"}`) || strings.Count(r.Annotations["summary"], "{{") != strings.Count(r.Annotations["summary"], "}}") {
			t.Errorf("%s: %s; %s", r.Alert, r.Expr, r.Annotations["summary"])
		}
		_, place, _ := strings.Cut(r.Annotations["runbook"], "AGENTS.md#")
		if place == "" || !strings.Contains(runbook, `<a id="`+place+`"></a>`+r.Alert) {
			t.Errorf("%s: AGENTS.md has no place %q", r.Alert, place)
		}
	}
	if len(seen) != len(alerts) {
		t.Errorf("%d alerts, the table has %d", len(seen), len(alerts))
	}
}

// TestExamples: what is written by hand agrees with what is not.
func TestExamples(t *testing.T) {
	var prometheus struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName string `yaml:"job_name"`
		} `yaml:"scrape_configs"`
	}
	parse(t, "deploy/prometheus/prometheus.yaml", &prometheus)
	if len(prometheus.ScrapeConfigs) != 1 || prometheus.ScrapeConfigs[0].JobName != job || !slices.Equal(prometheus.RuleFiles, []string{"alerts.yaml"}) {
		t.Errorf("prometheus.yaml: %+v; want one job %s and the rules", prometheus, job)
	}
	for _, file := range []string{"dashboards", "datasources"} {
		content := map[string]any{}
		parse(t, "deploy/grafana/provisioning/"+file+"/fleetfuse.yaml", &content)
		if content["apiVersion"] != 1 || len(content) != 2 {
			t.Errorf("%s: %v", file, slices.Collect(maps.Keys(content)))
		}
	}
}

func parse(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, file)), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
