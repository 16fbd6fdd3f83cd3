package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"fleetfuse/api"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/node"
	"fleetfuse/telemetry"
)

// scrape reads a node's metrics as Prometheus does.
func scrape(t *testing.T, n *node.Node) (map[string]*dto.MetricFamily, []byte) {
	t.Helper()
	resp, err := http.Get("http://" + n.Addresses().HTTP + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %.200s", resp.StatusCode, err, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return families, text
}

// whole is a node that has something to say of every metric.
func whole(t *testing.T) *node.Node {
	n := lone(t, "n", t.TempDir(), memory.NewPlace().Open())
	post(t, n, "/v1/report", `{"outcomes":[{"host":"a.example","status":503,"count":9},{"host":"/"}],"decisions":{"allowed":7,"probes":1,"stale":2,
		"rejected":{"retry-after":3,"<b>":4}}}`)
	eventually(t, "it opens", isState(t, n, "a.example", "open"))
	post(t, n, "/v1/allow", `{"host":"a.example"}`)
	return n
}

// value is a metric's value where its labels are these, NaN where there is none.
func value(families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	for _, m := range families[name].GetMetric() {
		var have []string
		for _, l := range m.Label {
			have = append(have, l.GetName()+"="+l.GetValue())
		}
		if slices.Equal(have, labels) {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return math.NaN()
}

// TestMetricsAreThoseOfTheTable: nothing is served that has no row, and every
// row is served.
func TestMetricsAreThoseOfTheTable(t *testing.T) {
	families, _ := scrape(t, whole(t))
	for _, row := range telemetry.Table() {
		name := row.FullName()
		f := families[name]
		switch {
		case f == nil:
			t.Errorf("%s has a row in the table and is not served", name)
		case strings.ToLower(f.GetType().String()) != string(row.Type) || f.GetHelp() != row.Help:
			t.Errorf("%s is served as %v, %q; the table says %s, %q", name, f.GetType(), f.GetHelp(), row.Type, row.Help)
		}
		delete(families, name)
	}
	for name := range families {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is served and has no row in the table", name)
		}
	}
}

// TestWhatIsDrawnIsServed: each metric in the dashboard and in the alerts.
func TestWhatIsDrawnIsServed(t *testing.T) {
	families, _ := scrape(t, whole(t))
	for _, file := range []string{"../deploy/grafana/fleetfuse.json", "../deploy/prometheus/alerts.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`\b(?:fleetfuse|go|process)_[a-z_]+[a-z]`).FindAllString(string(text), -1)
		for _, name := range names {
			if families[name] == nil {
				t.Errorf("%s names %s, which a node does not serve", file, name)
			}
		}
		if len(names) < 20 {
			t.Errorf("found only %d names in %s", len(names), file)
		}
	}
}

// TestMetricsOfASharedStoreAlone are the only ones that a node without one lacks.
func TestMetricsOfASharedStoreAlone(t *testing.T) {
	n := start(t, t.TempDir())
	families, _ := scrape(t, n)
	for _, row := range telemetry.Table() {
		if row.When != "" && families[row.FullName()] != nil {
			t.Errorf("%s is served; the table says only %s", row.FullName(), row.When)
		}
	}
}

func TestMetricsCountDecisionsAndOutcomes(t *testing.T) {
	n := whole(t)
	resp, err := http.Get("http://" + n.Addresses().HTTP + "/v1/gate?host=well.example")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	families, _ := scrape(t, n)
	for _, x := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "decisions_total", []string{"decision=reject", "reason=consecutive-failures", "via=http"}},
		{1, "decisions_total", []string{"decision=allow", "reason=none", "via=http"}},
		{7, "decisions_total", []string{"decision=allow", "reason=none", "via=sdk"}},
		{1, "decisions_total", []string{"decision=probe", "reason=none", "via=sdk"}},
		{3, "decisions_total", []string{"decision=reject", "reason=retry-after", "via=sdk"}},
		{4, "decisions_total", []string{"decision=reject", "reason=other", "via=sdk"}},
		{2, "sdk_stale_decisions_total", nil},
		{9, "outcomes_total", []string{"class=5xx", "outcome=failure"}},
		{1, "outcomes_refused_total", nil},
		{1, "breaker_state", []string{"key=host:a.example", "state=open"}},
		{1, "breakers_owned", nil},
	} {
		if got := value(families, "fleetfuse_"+x.name, x.labels...); got != x.want {
			t.Errorf("%s%v is %v, want %v", x.name, x.labels, got, x.want)
		}
	}
}

// TestCallersDoNotMakeSeries: whatever they name.
func TestCallersDoNotMakeSeries(t *testing.T) {
	n := start(t, t.TempDir())
	const hosts = 2 * telemetry.DefaultMaxKeys
	for i := 0; i < hosts; i += api.MaxOutcomes {
		var report api.ReportRequest
		for k := i; k < i+api.MaxOutcomes; k++ {
			report.Outcomes = append(report.Outcomes, api.Outcome{
				Host: fmt.Sprintf("h%d.example", k), Role: fmt.Sprintf("role-%d", k), Resolver: fmt.Sprintf("resolver-%d", k), Status: 429, RetryAfter: "600",
			})
		}
		report.Worker, report.Decisions = fmt.Sprint("worker-", i), &api.Decisions{Rejected: map[string]uint64{fmt.Sprint("reason-", i): 1}}
		body, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		post(t, n, "/v1/report", string(body))
	}
	var families map[string]*dto.MetricFamily
	eventually(t, "all are open and have an actor", func() bool {
		families, _ = scrape(t, n)
		return value(families, "fleetfuse_breakers_open") == hosts && value(families, "fleetfuse_actors_active") >= hosts
	})
	values := map[string]map[string]bool{}
	for name, f := range families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if values[name+" "+l.GetName()] == nil {
					values[name+" "+l.GetName()] = map[string]bool{}
				}
				values[name+" "+l.GetName()][l.GetValue()] = true
			}
		}
	}
	for label, of := range values {
		limit := 20
		if strings.HasSuffix(label, " key") {
			limit = telemetry.DefaultMaxKeys + 1
		}
		if len(of) > limit {
			t.Errorf("%s has %d values, want at most %d", label, len(of), limit)
		}
	}
	if got := value(families, "fleetfuse_breaker_state", "key=_other", "state=open"); got < hosts-telemetry.DefaultMaxKeys {
		t.Errorf("%v others are open, want at least %d", got, hosts-telemetry.DefaultMaxKeys)
	}
}

func TestMetricsLint(t *testing.T) {
	_, text := scrape(t, whole(t))
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
