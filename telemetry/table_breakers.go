package telemetry

// What a node serves about breakers and calls. Labels of which callers or other
// nodes choose the values are bounded: keys by Keys, all others by closed lists.
// There is no label for roles: callers invent them, and a breaker has one state for
// all of them.

var (
	keyLabel = Label{Name: "key"}
	states   = []string{"closed", "half_open", "open"}
	reasons  = []string{
		noReason, recovered, "retry-after", "rolling-window", "consecutive-failures", "failure-rate", "probe-failed", "cli-open", "store",
		"probe-pending", "local-evidence", nodeAway, other,
	}
)

// Words in the place of a reason, beside the reasons of package breaker.
const (
	noReason  = "none"
	recovered = "recovered" // closed, because a probe succeeded
	nodeAway  = "node-away" // a worker's own, see client.ReasonNodeAway
	other     = "other"
)

var breakerMetrics = []Metric{
	{Name: "breakers_open", Type: Gauge, Help: "Breakers of the whole fleet that are open, as this node believes.",
		Panel: Panel{Row: "Breakers", Title: "Breakers not closed, in the fleet", Query: "max(fleetfuse_breakers_open{SEL})", Legend: "open"}},
	{Name: "breakers_half_open", Type: Gauge, Help: "Breakers of the whole fleet that are half-open, as this node believes.",
		Panel: Panel{Row: "Breakers", Title: "Breakers not closed, in the fleet", Query: "max(fleetfuse_breakers_half_open{SEL})", Legend: "half-open"}},
	{Name: "rings_local", Type: Gauge, Help: "Keys that only this node rejects.",
		Panel: Panel{Row: "Breakers", Title: "Rejected by one node only"}},
	{Name: "transitions_total", Type: Counter, Help: "Changes of state of breakers owned here, by new state and reason, and the state in which this node took one over.",
		Labels: []Label{closed("to", states...), closed("reason", reasons...)},
		Panel: Panel{Row: "Breakers", Title: "Transitions", Query: "sum by (to, reason) (rate(fleetfuse_transitions_total{SEL}[$__rate_interval]))",
			Legend: "{{to}} {{reason}}"}},
	{Name: "breaker_state", Type: Gauge,
		Help:   `1 for the state a breaker is in, else 0, from its owner alone, while it has an actor or is not closed; for the key "_other" how many are in that state.`,
		Labels: []Label{keyLabel, closed("state", states...)},
		Panel: Panel{Row: "Breakers", Title: "Keys that are not closed, as their owners say", Kind: "state-timeline", Width: 16,
			Query: `max by (key) (fleetfuse_breaker_state{SEL,state="half_open",key!="_other"}) + 2 * max by (key) (fleetfuse_breaker_state{SEL,state="open",key!="_other"}) > 0`, Legend: "{{key}}"}},
	{Name: "breaker_open_until_timestamp_seconds", Type: Gauge, Labels: []Label{keyLabel},
		Help: "When an open breaker will be probed, in seconds since 1970, from its owner alone.",
		Panel: Panel{Row: "Breakers", Title: "Open yet", Query: "max by (key) (fleetfuse_breaker_open_until_timestamp_seconds{SEL}) - time() > 0",
			Legend: "{{key}}", Unit: "s"}},
	{Name: "breaker_transitions_total", Type: Counter,
		Help:   `Changes of state of one breaker, from its owner alone, since its actor started, with the state it found; the key "_other" counts all that have no series of their own.`,
		Labels: []Label{keyLabel, closed("from", states...), closed("to", states...), closed("reason", reasons...)},
		Panel: Panel{Row: "Breakers", Title: "Transitions by key",
			Query: "topk(20, sum by (key, to, reason) (increase(fleetfuse_breaker_transitions_total{SEL}[$__rate_interval])) > 0)", Legend: "{{key}} {{to}} {{reason}}", Unit: "short", Width: 16}},
	{Name: "view_entries", Type: Gauge, Help: "Keys that are not plainly closed, and what is remembered of closed ones, in this node's view.",
		Panel: Panel{Row: "Breakers", Title: "The view"}},
}

var decisionMetrics = []Metric{
	{Name: "decisions_total", Type: Counter, Help: "Decisions asked for over HTTP and those of Go SDK workers, by answer and reason; when a worker needs a probe, what it asks this node counts too.",
		Labels: []Label{closed("decision", "allow", "probe", "reject"), closed("reason", reasons...), closed("via", "http", "sdk")},
		Panel: Panel{Row: "Decisions and outcomes", Title: "Decisions", Query: "sum by (decision, reason) (rate(fleetfuse_decisions_total{SEL}[$__rate_interval]))",
			Legend: "{{decision}} {{reason}}", Width: 12}},
	{Name: "sdk_stale_decisions_total", Type: Counter, Help: "Decisions that Go SDK workers took while this node did not answer them.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Decisions while the node was away", Width: 12}},
	{Name: "outcomes_total", Type: Counter, Help: "Calls reported over HTTP and by Go SDK workers, by what they count as and how they ended.",
		Labels: []Label{closed("outcome", outcomeWords...), closed("class", classes...)},
		Panel: Panel{Row: "Decisions and outcomes", Title: "Outcomes", Query: "sum by (outcome, class) (rate(fleetfuse_outcomes_total{SEL}[$__rate_interval]))",
			Legend: "{{outcome}} {{class}}", Width: 12}},
	{Name: "outcomes_refused_total", Type: Counter, Help: "Reported outcomes that made no sense and were not counted.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Outcomes refused and lost", Width: 12}},
	{Name: "outcomes_lost_total", Type: Counter, Help: "Counted outcomes given up: their owner did not take them, too many waited, or their key got no actor.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Outcomes refused and lost", Width: 12}},
	{Name: "actors_refused_total", Type: Counter, Help: "Reports on keys that got no breaker actor because 200,000 were active; callers go on with their rings.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Outcomes refused and lost", Width: 12}},
	{Name: "gate_hosts", Type: Gauge, Help: "Keys the gate remembers.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Keys in the gate", Width: 12}},
	{Name: "gate_failing", Type: Gauge, Help: "Keys of which the gate remembers a failure, or that are not closed.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Keys in the gate", Width: 12}},
	{Name: "http_panics_total", Type: Counter, Help: "Panics contained in HTTP requests.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Panics", Width: 12}},
	{Name: "actor_panics_total", Type: Counter, Help: "Panics contained in breaker actors.",
		Panel: Panel{Row: "Decisions and outcomes", Title: "Panics", Width: 12}},
}

var probeMetrics = []Metric{
	{Name: "permits_total", Type: Counter, Help: "Questions for a probe of breakers owned here, by answer.", Labels: []Label{closed("answer", "granted", "refused")},
		Panel: Panel{Row: "Probes and witnesses", Title: "Permits"}},
	{Name: "probes_total", Type: Counter,
		Help:   "Probes of breakers owned here, by end; those missing against the permits granted expired.",
		Labels: []Label{closed("result", "success", "failure", "returned")},
		Panel:  Panel{Row: "Probes and witnesses", Title: "Probes"}},
	{Name: "witness_rounds_total", Type: Counter, Help: "Witness rounds begun by breakers owned here, those that heal a circuit among them.",
		Panel: Panel{Row: "Probes and witnesses", Title: "Witness rounds"}},
	{Name: "witness_results_total", Type: Counter,
		Help:   "Witness rounds about a trip, by end: it tripped, was refused, or something else moved the breaker meanwhile.",
		Labels: []Label{closed("result", "tripped", "refused", "void")},
		Panel:  Panel{Row: "Probes and witnesses", Title: "Witness rounds"}},
}
