// Package telemetry turns what happens into metrics. It is an observer: nothing
// it does slows a decision.
package telemetry

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fleetfuse/breaker"
)

// Metrics is the node's own registry and its counters.
type Metrics struct {
	registry *prometheus.Registry
	// Rounds counts witness rounds begun here.
	Rounds      prometheus.Counter
	decisions   *prometheus.CounterVec
	outcomes    *prometheus.CounterVec
	transitions *prometheus.CounterVec
	sent        *prometheus.CounterVec
}

// New returns an empty registry with the counters registered.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fleetfuse_decisions_total", Help: "Decisions asked for over HTTP, by answer and reason.",
		}, []string{"decision", "reason"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fleetfuse_outcomes_total", Help: "Calls reported over HTTP, by how the report was taken.",
		}, []string{"result"}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fleetfuse_transitions_total", Help: "Changes of state of breakers owned here, by new state and reason.",
		}, []string{"to", "reason"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fleetfuse_frames_sent_total", Help: "Frames handed over for other members, by kind.",
		}, []string{"kind"}),
	}
	m.Rounds = prometheus.NewCounter(prometheus.CounterOpts{Name: "fleetfuse_witness_rounds_total", Help: "Witness rounds begun by breakers owned here."})
	m.registry.MustRegister(m.Rounds, m.decisions, m.outcomes, m.transitions, m.sent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge registers a value that is read when scraped.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "fleetfuse_" + name, Help: help}, read))
}

// Counter registers a total that is read when scraped.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "fleetfuse_" + name, Help: help}, read))
}

// Decided counts a decision.
func (m *Metrics) Decided(allowed bool, reason string) {
	word := "reject"
	if allowed {
		word = "allow"
	}
	m.decisions.WithLabelValues(word, reason).Inc()
}

// Reported counts reported calls.
func (m *Metrics) Reported(result string, n int) { m.outcomes.WithLabelValues(result).Add(float64(n)) }

// Moved counts a transition.
func (m *Metrics) Moved(t breaker.Transition) {
	m.transitions.WithLabelValues(t.To.String(), string(t.Reason)).Inc()
}

// Sent counts a frame for a member.
func (m *Metrics) Sent(kind string) { m.sent.WithLabelValues(kind).Inc() }

// Handler serves the registry.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
