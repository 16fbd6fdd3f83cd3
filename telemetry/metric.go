package telemetry

import "slices"

//go:generate go test . -run ^TestWhatIsWritten$ -update

// prefix begins the names of all metrics of ours.
const prefix = "fleetfuse_"

// A Type says whether a metric goes up and down or only up.
type Type string

// The types.
const (
	Gauge   Type = "gauge"
	Counter Type = "counter"
)

// A Label tells series of one metric apart.
type Label struct {
	Name string
	// Values is the closed list of what it may say, in which the last stands for
	// all that is not listed. Without a list its values are bounded elsewhere.
	Values []string
}

// A Metric is one row of the table from which the registry, the dashboard and
// docs/metrics.md come. Alerts name metrics of it.
type Metric struct {
	Name   string // after the prefix
	Type   Type
	Help   string
	Labels []Label
	// When says when it is served; "" is always.
	When  string
	Panel Panel
}

// A Panel is where the dashboard draws a metric. Metrics that name the same panel
// share it, with the unit and the width of the first.
type Panel struct {
	Row, Title string
	// Query is PromQL; default: the gauge, or the rate of the counter, by
	// instance and labels. In it, SEL stands for the dashboard's selection.
	Query  string
	Legend string // default: the instance and the labels
	Unit   string // a unit of Grafana; default: a number, of counters a rate
	Kind   string // of panel, in Grafana's words; default: timeseries
	Width  int    // of 24 columns; default 8
}

// FullName is the name as it is served.
func (m *Metric) FullName() string { return prefix + m.Name }

// Table lists all metrics of a node, in the order in which they are drawn.
func Table() []Metric {
	return slices.Concat(breakerMetrics, decisionMetrics, probeMetrics, clusterMetrics, messageMetrics, storeMetrics, eventMetrics, policyMetrics, tunerMetrics)
}

// closed is a label with a closed list of values.
func closed(name string, values ...string) Label { return Label{name, values} }
