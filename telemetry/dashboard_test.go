package telemetry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The shape of a dashboard of Grafana, as far as it is used.
type (
	dashboard struct {
		UID           string     `json:"uid"`
		Title         string     `json:"title"`
		Description   string     `json:"description"`
		Tags          []string   `json:"tags"`
		Editable      bool       `json:"editable"`
		SchemaVersion int        `json:"schemaVersion"`
		Refresh       string     `json:"refresh"`
		Timezone      string     `json:"timezone"`
		Time          timeRange  `json:"time"`
		Templating    templating `json:"templating"`
		Panels        []panel    `json:"panels"`
	}
	timeRange struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	templating struct {
		List []variable `json:"list"`
	}
	variable struct {
		Name       string      `json:"name"`
		Label      string      `json:"label"`
		Type       string      `json:"type"`
		Query      string      `json:"query"`
		Datasource *datasource `json:"datasource,omitempty"`
		Refresh    int         `json:"refresh,omitempty"`
		Multi      bool        `json:"multi,omitempty"`
		IncludeAll bool        `json:"includeAll,omitempty"`
		Current    *current    `json:"current,omitempty"`
	}
	current struct {
		Text  string `json:"text"`
		Value string `json:"value"`
	}
	datasource struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	panel struct {
		ID          int            `json:"id"`
		Type        string         `json:"type"`
		Title       string         `json:"title"`
		Description string         `json:"description,omitempty"`
		GridPos     gridPos        `json:"gridPos"`
		Datasource  *datasource    `json:"datasource,omitempty"`
		Targets     []target       `json:"targets,omitempty"`
		FieldConfig *fieldConfig   `json:"fieldConfig,omitempty"`
		Options     map[string]any `json:"options,omitempty"`
		Collapsed   *bool          `json:"collapsed,omitempty"`
		Panels      []panel        `json:"panels,omitempty"`
	}
	gridPos struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}
	target struct {
		RefID        string     `json:"refId"`
		Expr         string     `json:"expr"`
		LegendFormat string     `json:"legendFormat"`
		Datasource   datasource `json:"datasource"`
	}
	fieldConfig struct {
		Defaults  defaults `json:"defaults"`
		Overrides []any    `json:"overrides"`
	}
	defaults struct {
		Unit     string    `json:"unit"`
		Min      *int      `json:"min,omitempty"`
		Mappings []mapping `json:"mappings,omitempty"`
	}
	mapping struct {
		Type    string             `json:"type"`
		Options map[string]shownAs `json:"options"`
	}
	shownAs struct {
		Text  string `json:"text"`
		Color string `json:"color"`
		Index int    `json:"index"`
	}
)

// processMetrics come from the runtime, not from the table.
var processMetrics = []Metric{
	{Name: "process_resident_memory_bytes", Panel: Panel{Row: "Process", Title: "Memory", Query: "process_resident_memory_bytes{SEL}", Legend: "{{instance}}", Unit: "bytes"}},
	{Name: "process_cpu_seconds_total", Panel: Panel{Row: "Process", Title: "Cores used", Query: "rate(process_cpu_seconds_total{SEL}[$__rate_interval])", Legend: "{{instance}}", Unit: "short"}},
	{Name: "go_goroutines", Panel: Panel{Row: "Process", Title: "Goroutines", Query: "go_goroutines{SEL}", Legend: "{{instance}}"}},
}

// selection is what a dashboard's variables choose.
const selection = `job=~"$job",instance=~"$instance"`

var source = datasource{"prometheus", "${datasource}"}

func dashboardJSON(t *testing.T) string {
	d := dashboard{
		UID: "fleetfuse", Title: "Fleetfuse", Tags: []string{"fleetfuse"}, Editable: true, SchemaVersion: 39, Refresh: "10s", Timezone: "browser",
		Description: "Written by go test ./telemetry -update from the table of metrics.", Time: timeRange{"now-1h", "now"},
		Templating: templating{[]variable{
			{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus"},
			{Name: "job", Label: "Job", Type: "query", Query: "label_values(fleetfuse_ready, job)", Datasource: &source, Refresh: 2, Current: &current{job, job}},
			{Name: "instance", Label: "Node", Type: "query", Query: `label_values(fleetfuse_ready{job=~"$job"}, instance)`, Datasource: &source, Refresh: 2,
				Multi: true, IncludeAll: true, Current: &current{"All", "$__all"}},
		}},
		Panels: panels(slices.Concat(Table(), processMetrics)),
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text)) + "\n"
}

const panelHeight = 8

// panels lays the metrics out, row by row, from left to right.
func panels(table []Metric) (list []panel) {
	row, x, y := "", 0, 0
	for _, m := range table {
		p := m.Panel
		if p.Row != row {
			if row != "" {
				y += panelHeight
			}
			list = append(list, panel{Type: "row", Title: p.Row, GridPos: gridPos{1, 24, 0, y}, Collapsed: new(bool)})
			row, x, y = p.Row, 0, y+1
		}
		if i := slices.IndexFunc(list, func(have panel) bool { return have.Title == p.Title && have.Type != "row" }); i >= 0 {
			list[i].draw(&m)
			continue
		}
		fresh := newPanel(&m)
		if x+fresh.GridPos.W > 24 {
			x, y = 0, y+panelHeight
		}
		fresh.GridPos.X, fresh.GridPos.Y = x, y
		x += fresh.GridPos.W
		list = append(list, fresh)
	}
	for i := range list {
		list[i].ID = i + 1
	}
	return list
}

func newPanel(m *Metric) panel {
	p := m.Panel
	unit := p.Unit
	if unit == "" && m.Type == Counter {
		unit = "cps" // counts a second
	}
	fresh := panel{
		Type: cmp.Or(p.Kind, "timeseries"), Title: p.Title, GridPos: gridPos{H: panelHeight, W: cmp.Or(p.Width, 8)}, Datasource: &source,
		FieldConfig: &fieldConfig{defaults{Unit: cmp.Or(unit, "short")}, []any{}},
	}
	switch fresh.Type {
	case "state-timeline":
		fresh.FieldConfig.Defaults.Mappings = []mapping{{"value", map[string]shownAs{
			"1": {"half-open", "yellow", 0}, "2": {"open", "red", 1},
		}}}
		fresh.Options = map[string]any{"showValue": "never", "mergeValues": true}
	case "stat":
		fresh.Options = map[string]any{"textMode": "value_and_name", "reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}}}
	default:
		fresh.FieldConfig.Defaults.Min = new(int)
		fresh.Options = map[string]any{"legend": map[string]any{"displayMode": "list", "placement": "bottom"}, "tooltip": map[string]any{"mode": "multi", "sort": "desc"}}
	}
	fresh.draw(m)
	return fresh
}

// draw adds a metric to its panel.
func (p *panel) draw(m *Metric) {
	p.Targets = append(p.Targets, target{
		RefID: string(rune('A' + len(p.Targets))), Expr: queryOf(m), LegendFormat: legendOf(m), Datasource: source,
	})
	if m.Help != "" {
		p.Description = strings.TrimSpace(p.Description + "\n" + m.FullName() + ": " + m.Help)
	}
}

func queryOf(m *Metric) string {
	query := m.Panel.Query
	if query == "" {
		query = m.FullName() + "{SEL}"
		if m.Type == Counter {
			query = "rate(" + query + "[$__rate_interval])"
		}
	}
	return strings.ReplaceAll(query, "SEL", selection)
}

// legendOf tells the series of a panel apart: by node and labels, and where the
// panel has other metrics too by name.
func legendOf(m *Metric) string {
	if m.Panel.Legend != "" {
		return m.Panel.Legend
	}
	legend := "{{instance}}"
	for _, l := range m.Labels {
		legend += fmt.Sprintf(" {{%s}}", l.Name)
	}
	same := func(x Metric) bool { return x.Panel.Title == m.Panel.Title && x.Name != m.Name }
	if slices.ContainsFunc(Table(), same) {
		legend += " " + strings.ReplaceAll(strings.TrimSuffix(m.Name, "_total"), "_", " ")
	}
	return legend
}
