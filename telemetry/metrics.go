// Package telemetry turns what happens into events and metrics. It is an observer:
// nothing it does slows a decision. Package eventlog keeps the events of a node,
// package follow makes one stream of those of all.
package telemetry

import (
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fleetfuse/breaker"
)

// Metrics is the node's own registry and its counters.
type Metrics struct {
	// Keys are the breakers that have series of their own.
	Keys *Keys

	registry    *prometheus.Registry
	collector   *collector
	version     string
	decisions   *tally
	outcomes    *tally
	transitions *tally
	sent        *tally
	stale       atomic.Uint64
	refused     atomic.Uint64
	rounds      atomic.Uint64
	panics      atomic.Uint64
	slow        atomic.Uint64 // followers
}

// New returns a registry that serves what Go and the process say, and what is
// counted here. version is the program's; at most maxKeys breakers have series of
// their own.
func New(version string, maxKeys int) *Metrics {
	m := &Metrics{
		Keys: newKeys(maxKeys), registry: prometheus.NewRegistry(), collector: newCollector(), version: version,
		decisions: newTally("decisions_total"), outcomes: newTally("outcomes_total"),
		transitions: newTally("transitions_total"), sent: newTally("frames_sent_total"),
	}
	m.collector.readers = append(m.collector.readers, m.sample)
	m.registry.MustRegister(m.collector, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Read adds who is asked for values with each scrape. Call it before the first.
func (m *Metrics) Read(read func(*Sample)) { m.collector.readers = append(m.collector.readers, read) }

func (m *Metrics) sample(s *Sample) {
	m.decisions.sample(s, "decisions_total")
	m.outcomes.sample(s, "outcomes_total")
	m.transitions.sample(s, "transitions_total")
	m.sent.sample(s, "frames_sent_total")
	s.Count("sdk_stale_decisions_total", m.stale.Load())
	s.Count("outcomes_refused_total", m.refused.Load())
	s.Count("witness_rounds_total", m.rounds.Load())
	s.Count("http_panics_total", m.panics.Load())
	s.Count("event_followers_dropped_total", m.slow.Load())
	s.Set("build_info", 1, labelOf(breaker.Key(m.version)), runtime.Version())
}

// A Decision is a word for how one ended.
type Decision string

// The decisions.
const (
	Allowed  Decision = "allow"
	Probe    Decision = "probe"
	Rejected Decision = "reject"
)

// Decided counts a decision that was asked for over HTTP. The reason is that of
// a rejection.
func (m *Metrics) Decided(d Decision, reason breaker.Reason) { m.decide(1, d, reason, "http") }

// DecidedElsewhere counts decisions of a worker's own gate.
func (m *Metrics) DecidedElsewhere(n uint64, d Decision, reason breaker.Reason) {
	m.decide(n, d, reason, "sdk")
}

func (m *Metrics) decide(n uint64, d Decision, reason breaker.Reason, via string) {
	text := string(reason)
	if text == "" {
		text = noReason
	}
	m.decisions.add(n, string(d), text, via)
}

// Stale counts decisions that a worker's own gate took while this node was away.
func (m *Metrics) Stale(n uint64) { m.stale.Add(n) }

// Ended counts n calls that ended alike.
func (m *Metrics) Ended(n int, kind breaker.Kind, slow bool, e breaker.Evidence, fromCache bool) {
	m.outcomes.add(uint64(max(n, 1)), outcomeOf(kind, slow), classOf(e, fromCache))
}

// Refused counts reported outcomes that made no sense.
func (m *Metrics) Refused(n int) { m.refused.Add(uint64(n)) }

// Moved counts a transition.
func (m *Metrics) Moved(t breaker.Transition) { m.transitions.add(1, t.To.String(), reasonOf(t)) }

// Sent counts a frame for a member.
func (m *Metrics) Sent(kind string) { m.sent.add(1, kind) }

// RoundBegan counts a witness round.
func (m *Metrics) RoundBegan() { m.rounds.Add(1) }

// Panicked counts a request whose panic was contained.
func (m *Metrics) Panicked() { m.panics.Add(1) }

// FollowerDropped counts a follower of the events who did not read.
func (m *Metrics) FollowerDropped() { m.slow.Add(1) }

// reasonOf is the reason of a transition, one of the closed list.
func reasonOf(t breaker.Transition) string {
	switch text := string(t.Reason); {
	case text == "" && t.To == breaker.Closed:
		return recovered
	case text == "":
		return noReason
	case slices.Contains(reasons, text):
		return text
	}
	return other
}

// Limits of scraping: whoever asks faster than the node answers waits for nobody.
const (
	maxScrapes  = 4
	scrapeLimit = 10 * time.Second
)

// Handler serves the registry. A metric that cannot be read is left out; the
// others are served.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes, Timeout: scrapeLimit,
	})
}

// Gatherer reads the registry.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }
