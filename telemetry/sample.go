package telemetry

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// A Sample takes the values of one scrape. What is read together, such as the
// health of a store, is read once.
type Sample struct {
	rows map[string]*described
	out  chan<- prometheus.Metric
}

// described is a row of the table as the registry knows it.
type described struct {
	Metric
	desc *prometheus.Desc
}

// find is the table's row of a name; one that is not there is a mistake in the
// program.
func find(name string) *Metric {
	table := Table()
	i := slices.IndexFunc(table, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		panic("no metric in the table is called " + name)
	}
	return &table[i]
}

// Set tells the value of a metric of the table, without the prefix, for the
// values of its labels in the table's order. What is not in the table, or not in
// a label's closed list, is an error of the scrape, which serves the rest.
func (s *Sample) Set(name string, value float64, labels ...string) {
	row := s.rows[name]
	if row == nil {
		s.out <- prometheus.NewInvalidMetric(prometheus.NewDesc(prefix+name, "Not in the table.", nil, nil), fmt.Errorf("metric %s is not in the table", name))
		return
	}
	for i, l := range row.Labels {
		if l.Values != nil && i < len(labels) && !slices.Contains(l.Values, labels[i]) {
			s.out <- prometheus.NewInvalidMetric(row.desc, fmt.Errorf("metric %s: %q is none of %q", name, labels[i], l.Values))
			return
		}
	}
	kind := prometheus.GaugeValue
	if row.Type == Counter {
		kind = prometheus.CounterValue
	}
	m, err := prometheus.NewConstMetric(row.desc, kind, value, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(row.desc, err)
	}
	s.out <- m
}

// Count is Set for a total.
func (s *Sample) Count(name string, total uint64, labels ...string) {
	s.Set(name, float64(total), labels...)
}

// Truth is Set with 1 for true.
func (s *Sample) Truth(name string, holds bool, labels ...string) {
	value := 0.0
	if holds {
		value = 1
	}
	s.Set(name, value, labels...)
}

// collector asks those who know for a sample with each scrape.
type collector struct {
	rows    map[string]*described
	readers []func(*Sample)
}

func newCollector() *collector {
	c := &collector{rows: map[string]*described{}}
	for _, m := range Table() {
		names := make([]string, len(m.Labels))
		for i, l := range m.Labels {
			names[i] = l.Name
		}
		c.rows[m.Name] = &described{m, prometheus.NewDesc(m.FullName(), m.Help, names, nil)}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, r := range c.rows {
		out <- r.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := &Sample{c.rows, out}
	for _, read := range c.readers {
		read(s)
	}
}
