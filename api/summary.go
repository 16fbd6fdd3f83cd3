package api

// SummaryResponse answers GET /v1/summary: what breakers did in a window, and
// what it cost.
type SummaryResponse struct {
	WindowMS int64 `json:"window_ms"`
	// Nodes are the members whose counts are in it, Missing those that did not
	// answer.
	Nodes   []string `json:"nodes"`
	Missing []string `json:"missing,omitempty"`
	// Breakers are those that were called or opened, the ones that opened most
	// often first. Beyond 2,000 hosts of a node the least busy are one, called
	// host:_other.
	Breakers []BreakerSummary `json:"breakers"`
	// Cut is true if there were more opens in the window than were looked at.
	Cut bool `json:"cut,omitempty"`
}

// BreakerSummary sums up one breaker. Calls are of all roles and nodes.
type BreakerSummary struct {
	Key       string `json:"key"`
	Calls     uint64 `json:"calls"`
	Successes uint64 `json:"successes"`
	Failures  uint64 `json:"failures"`
	// ByClass are the failures by their class: 429, 5xx, timeout, connect ...
	ByClass   map[string]uint64 `json:"failures_by_class,omitempty"`
	Neutral   uint64            `json:"neutral"`
	FromCache uint64            `json:"from_cache"`
	// NotSent are the calls that were rejected: by a cooldown, by an open or
	// half-open circuit, or by the ring of one node alone.
	NotSent  uint64 `json:"not_sent"`
	Cooldown uint64 `json:"rejected_by_cooldown"`
	Circuit  uint64 `json:"rejected_by_circuit"`
	Local    uint64 `json:"rejected_by_local_rings"`
	// Opens is how often it opened for the fleet; an extension is none.
	Opens        int            `json:"opens"`
	OpensPerHour float64        `json:"opens_per_hour"`
	OpenReasons  map[string]int `json:"open_reasons,omitempty"`
	// LocalOpens is how often the ring of one node opened.
	LocalOpens   int    `json:"local_opens"`
	ProbesOK     uint64 `json:"probes_ok"`
	ProbesFailed uint64 `json:"probes_failed"`
	// SuccessAfterOpen is the share of probes that succeeded, absent without any.
	SuccessAfterOpen *float64 `json:"success_after_open,omitempty"`
	// LongestRun is the most failures in a row that one gate saw.
	LongestRun uint64 `json:"longest_run"`
	// Latencies of calls in milliseconds, absent where none is known; right to
	// within a quarter.
	P50MS *float64 `json:"latency_p50_ms,omitempty"`
	P99MS *float64 `json:"latency_p99_ms,omitempty"`
}
