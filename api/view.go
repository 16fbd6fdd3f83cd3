package api

// ViewEvent is one message of the view stream (GET /v1/view): the data of a
// server-sent event named "snapshot", "change" or "heartbeat".
type ViewEvent struct {
	// Cursor is the position after this event; send it back as Last-Event-ID.
	Cursor string `json:"cursor"`
	// Full is true in a snapshot: what it does not list is closed.
	Full bool `json:"full,omitempty"`
	// Exceptions are the breakers that are, or just stopped being, not closed.
	Exceptions []Exception `json:"exceptions,omitempty"`
	// Policies of keys whose policy is not the default; "" is the default, and
	// "host:*.example.org" that of all hosts below example.org, unless a longer
	// one or the host itself is listed too.
	Policies map[string]Policy `json:"policies,omitempty"`
}

// Exception is one key in the view.
type Exception struct {
	Key         string `json:"key"`
	State       string `json:"state"`
	Reason      string `json:"reason,omitempty"`
	Detail      string `json:"detail,omitempty"`
	RemainingMS int64  `json:"remaining_ms,omitempty"`
	// Stamp orders the words about one key.
	Stamp uint64 `json:"stamp"`
	// Local is true for an open ring of this node.
	Local bool   `json:"local,omitempty"`
	Mode  string `json:"mode,omitempty"`
}

// Policy is what a worker's gate needs of a policy.
type Policy struct {
	Mode               string                `json:"mode"`
	FailMax            int                   `json:"fail_max"`
	ResetTimeoutMS     int64                 `json:"reset_timeout_ms"`
	RetryAfterCapMS    int64                 `json:"retry_after_cap_ms"`
	RetryAfterStatuses []int                 `json:"retry_after_statuses"`
	FailureStatuses    []int                 `json:"failure_statuses"`
	NeutralStatuses    []int                 `json:"neutral_statuses"`
	SlowCallMS         int64                 `json:"slow_call_ms,omitempty"`
	SuccessThreshold   int                   `json:"success_threshold,omitempty"`
	TrialCalls         int                   `json:"trial_calls,omitempty"`
	PermitTimeoutMS    int64                 `json:"permit_timeout_ms,omitempty"`
	Witnesses          int                   `json:"witnesses,omitempty"`
	RateMultiplier     float64               `json:"rate_multiplier"`
	Roles              map[string]RolePolicy `json:"roles,omitempty"`
}

// RolePolicy is a role's part of a Policy.
type RolePolicy struct {
	FailMax          int     `json:"fail_max"`
	ResetTimeoutMS   int64   `json:"reset_timeout_ms"`
	SuccessThreshold int     `json:"success_threshold,omitempty"`
	TrialCalls       int     `json:"trial_calls,omitempty"`
	RateMultiplier   float64 `json:"rate_multiplier"`
}
