// Package api holds the request, response and problem types of the HTTP API,
// version 1. Fields are only ever added. Times are RFC 3339 in UTC; durations
// are integers in milliseconds and end in _ms.
package api

import "time"

// Limits of the API. A request beyond the first two is refused with a problem;
// a longer text is cut.
const (
	MaxBodyBytes = 1 << 20
	MaxOutcomes  = 1000 // in one report
	MaxText      = 128  // bytes of a reason, of an author
)

// AllowRequest asks whether a call may be made. Host or Resolver or both.
type AllowRequest struct {
	Host     string `json:"host,omitempty"`
	Role     string `json:"role,omitempty"`
	Resolver string `json:"resolver,omitempty"`
}

// AllowResponse answers AllowRequest. Every decision is a 200.
type AllowResponse struct {
	Allowed bool `json:"allowed"`
	// State is "closed", "open" or "half_open".
	State string `json:"state"`
	// Permit must come back in the report. Empty unless this call is a probe.
	Permit  string `json:"permit,omitempty"`
	DelayMS int64  `json:"delay_ms,omitempty"`
	// RetryAfterMS is how long a rejection lasts at least.
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
	Reason       string `json:"reason,omitempty"`
	Detail       string `json:"detail,omitempty"`
	// Key is the breaker that rejected, "host:NAME" or "resolver:NAME".
	Key string `json:"key,omitempty"`
	// Stale is true where the owner of a half-open breaker did not answer, so that
	// this node's ring decided.
	Stale bool `json:"stale,omitempty"`
	// RateMultiplier is advice to the caller's own limiter: to call the host at this
	// part of its normal rate. Absent is 1.
	RateMultiplier float64 `json:"rate_multiplier,omitempty"`
}

// ReportRequest tells how calls went.
type ReportRequest struct {
	// Worker names the process for whoever reads along; a node ignores it.
	Worker   string    `json:"worker,omitempty"`
	Outcomes []Outcome `json:"outcomes"`
	// Decisions are those of the worker's own gate; only metrics need them.
	Decisions *Decisions `json:"decisions,omitempty"`
}

// Outcome is the end of one call, or of Count calls that ended alike.
type Outcome struct {
	Host     string `json:"host,omitempty"`
	Role     string `json:"role,omitempty"`
	Resolver string `json:"resolver,omitempty"`
	// Status is the HTTP status; Error one of timeout connect reset dns tls
	// other cancelled no-route proxy. Exactly one of them.
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
	// RetryAfter is the raw header, or a number of seconds.
	RetryAfter any `json:"retry_after,omitempty"`
	// Date is the response's own Date header; a dated Retry-After is relative to it.
	Date string `json:"date,omitempty"`
	// The call ended AgeMS ago and took LatencyMS.
	LatencyMS int64  `json:"latency_ms,omitempty"`
	AgeMS     int64  `json:"age_ms,omitempty"`
	Count     int    `json:"count,omitempty"`
	FromCache bool   `json:"from_cache,omitempty"`
	Permit    string `json:"permit,omitempty"`
	// NoPermit is for a caller that keeps its permits apart: the call had none.
	// Otherwise an outcome without a permit uses one that the node handed out
	// for the key.
	NoPermit bool `json:"no_permit,omitempty"`
}

// ReportResponse is a 202. It promises nothing about durability.
type ReportResponse struct {
	Accepted int        `json:"accepted"`
	Rejected []Rejected `json:"rejected"`
}

// Rejected names one outcome that was not taken.
type Rejected struct {
	Index  int    `json:"index"`
	Detail string `json:"detail"`
}

// Breaker is one breaker as listed.
type Breaker struct {
	Key         string     `json:"key"`
	Scope       string     `json:"scope"`
	Name        string     `json:"name"`
	State       string     `json:"state"`
	Reason      string     `json:"reason,omitempty"`
	Detail      string     `json:"detail,omitempty"`
	Author      string     `json:"author,omitempty"`
	RemainingMS int64      `json:"remaining_ms,omitempty"`
	Until       *time.Time `json:"until,omitempty"`
	// Since is when it stopped being closed, where that is known: a ring does not
	// tell.
	Since *time.Time `json:"since,omitempty"`
	// Owner is the display name of the node that owns it, "" if none does or
	// none answered.
	Owner string `json:"owner"`
	Mode  string `json:"mode"`
	// Durable is true when what the breaker remembers is on disk.
	Durable bool `json:"durable"`
	// Local is true where rings alone reject (reason local-evidence): those of
	// LocalNodes. For the rest of the fleet it is closed.
	Local bool `json:"local,omitempty"`
	// LocalNodes are the nodes whose ring is open, whether or not the breaker
	// is open for the whole fleet too.
	LocalNodes []string   `json:"local_nodes,omitempty"`
	Cooldowns  []Cooldown `json:"cooldowns,omitempty"`
	Roles      []Role     `json:"roles,omitempty"`
	Rolling    *Window    `json:"rolling,omitempty"`
	Rate       *Window    `json:"failure_rate,omitempty"`
	Permits    []Permit   `json:"permits,omitempty"`
	// Opens counts the opens since it was last closed.
	Opens int `json:"opens,omitempty"`
	// Last is the latest transition the owner's actor remembers.
	Last *Transition `json:"last_transition,omitempty"`
	// LastOpen is the latest one that opened it.
	LastOpen *Transition `json:"last_open,omitempty"`
	// LastFailure is the latest failure the owner's actor was told of.
	LastFailure *Failure `json:"last_failure,omitempty"`
	// Policy holds the numbers in force. Only an answer about one breaker has
	// it, and the three fields below.
	Policy *Policy `json:"policy,omitempty"`
	// Node is the node that answers.
	Node string `json:"node,omitempty"`
	// Note says what to know before believing the rest: that no owner answered.
	Note string `json:"note,omitempty"`
	// Partial names the members that did not say whether their ring is open.
	Partial []string `json:"partial,omitempty"`
}

// Cooldown is a deadline nobody may undercut.
type Cooldown struct {
	Reason      string    `json:"reason"`
	Detail      string    `json:"detail,omitempty"`
	Author      string    `json:"author,omitempty"`
	RemainingMS int64     `json:"remaining_ms"`
	LengthMS    int64     `json:"length_ms"`
	SetBy       string    `json:"set_by"`
	SetAt       time.Time `json:"set_at"`
}

// Role shows a role's run of failures and its probes.
type Role struct {
	Role             string `json:"role"`
	Failures         int    `json:"consecutive_failures"`
	FailMax          int    `json:"fail_max"`
	ProbeSuccesses   int    `json:"probe_successes"`
	SuccessThreshold int    `json:"success_threshold"`
}

// Window shows a windowed rule: Failures of Calls against its threshold.
type Window struct {
	WindowMS  int64   `json:"window_ms"`
	Calls     int     `json:"calls,omitempty"`
	Failures  int     `json:"failures"`
	Threshold float64 `json:"threshold"`
	// MinCalls is how many calls the rate rule waits for.
	MinCalls int `json:"min_calls,omitempty"`
}

// Permit is a probe that is out.
type Permit struct {
	Role        string `json:"role"`
	Node        string `json:"node"`
	ExpiresInMS int64  `json:"expires_in_ms"`
}

// Transition is one recorded change of state.
type Transition struct {
	At         time.Time `json:"at"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Reason     string    `json:"reason,omitempty"`
	Role       string    `json:"role,omitempty"`
	Author     string    `json:"author,omitempty"`
	Detail     string    `json:"detail,omitempty"`
	Failures   int       `json:"failures,omitempty"`
	Nodes      []string  `json:"nodes,omitempty"`
	Status     int       `json:"status,omitempty"`
	Error      string    `json:"error,omitempty"`
	RetryAfter string    `json:"retry_after,omitempty"`
	// Counted are the latest failures that completed the rule, at most 16, the
	// oldest first; of the rate rule only the newest of each node. What the last
	// one to arrive rested on is in Status, Error and RetryAfter.
	Counted []Counted `json:"counted,omitempty"`
}

// Counted is Count failures that Node reported for one moment.
type Counted struct {
	At    time.Time `json:"at"`
	Node  string    `json:"node"`
	Count int       `json:"count"`
}

// Failure is one failed call.
type Failure struct {
	At         time.Time `json:"at"`
	Node       string    `json:"node"`
	Role       string    `json:"role,omitempty"`
	Status     int       `json:"status,omitempty"`
	Error      string    `json:"error,omitempty"`
	RetryAfter string    `json:"retry_after,omitempty"`
}

// BreakersResponse lists breakers of the whole cluster that are not plainly
// closed, sorted by key.
type BreakersResponse struct {
	Node     string    `json:"node"`
	Breakers []Breaker `json:"breakers"`
	// Partial names the members that did not answer: rings that are open there
	// are missing.
	Partial []string `json:"partial,omitempty"`
	// Closed counts the closed breakers the answering node's gate remembers,
	// listed or not.
	Closed int `json:"closed,omitempty"`
}

// OpenRequest is an operator's open. For ("10m") or Seconds, at most 30 days.
type OpenRequest struct {
	For     string  `json:"for,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Author  string  `json:"author,omitempty"`
}

// CloseRequest is an operator's close.
type CloseRequest struct {
	Reason string `json:"reason,omitempty"`
	Author string `json:"author,omitempty"`
}

// OperatorResponse answers an open or a close.
type OperatorResponse struct {
	Key     string     `json:"key"`
	Before  string     `json:"before"`
	State   string     `json:"state"`
	Until   *time.Time `json:"until,omitempty"`
	Durable bool       `json:"durable"`
	Copies  int        `json:"copies"`
	// Detail says why it is not durable.
	Detail string `json:"detail,omitempty"`
}

// Problem is an error, RFC 9457, as application/problem+json.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what was wrong and where; Try what to do next.
	Detail string `json:"detail"`
	Try    string `json:"try,omitempty"`
	// Errors lists each thing that was wrong, where there are several; Version
	// is the one in force, where another was expected (412).
	Errors  []string `json:"errors,omitempty"`
	Version string   `json:"version,omitempty"`
}

func (p *Problem) Error() string {
	if p.Try == "" {
		return p.Detail
	}
	return p.Detail + " (try: " + p.Try + ")"
}
