package api

import (
	"encoding/json"
	"time"
)

// What the tuner may do (AdviceResponse.Mode).
const (
	TunerObserve = "observe" // count and advise who asks; nothing can be enforced
	TunerSuggest = "suggest" // tell new advice as events; an operator may enforce it
	TunerEnforce = "enforce" // enforce it by itself too
)

// What becomes of a change when its plan is enforced (SuggestedChange.Verdict).
const (
	VerdictNow     = "now"     // it is made
	VerdictLater   = "later"   // it is made if the same change does well where it is tried first
	VerdictRefused = "refused" // it is not made; Reason says why
)

// AdviceResponse answers GET /v1/advice: a plan. With
// POST /v1/advice/{id}/enforce exactly this is done.
type AdviceResponse struct {
	// ID names the plan. The tuner remembers it for ten minutes.
	ID       string    `json:"id"`
	MadeAt   time.Time `json:"made_at"`
	Tuner    string    `json:"tuner"` // the member that hosts the tuner
	Mode     string    `json:"mode"`
	WindowMS int64     `json:"window_ms"`
	// Nodes are the members whose counts it rests on, Missing those that did not answer.
	Nodes   []string `json:"nodes"`
	Missing []string `json:"missing,omitempty"`
	// Looked is how many breakers were looked at. Breakers are those with a
	// suggestion or a note, up to 500, the busiest first.
	Looked   int             `json:"looked"`
	Breakers []BreakerAdvice `json:"breakers"`
	More     int             `json:"more,omitempty"`
	// Blocked says why nothing can be enforced at the moment: a store that fails,
	// a member that does not answer, configurations that differ, the mode.
	Blocked []string `json:"blocked,omitempty"`
	// Trials are the changes that were made and are still watched.
	Trials []Trial `json:"trials,omitempty"`
	// Notes say what it could not look at.
	Notes []string `json:"notes,omitempty"`
}

// BreakerAdvice is the advice about one breaker.
type BreakerAdvice struct {
	Key     string            `json:"key"`
	Changes []SuggestedChange `json:"changes"`
	// Notes say why something that looks like a case for a change is none.
	Notes []string      `json:"notes,omitempty"`
	Seen  AdviceMetrics `json:"seen"`
	// Proof is the replay of the window under the policy in force and under the
	// proposed one; absent if nothing could be replayed.
	Proof *AdviceProof `json:"proof,omitempty"`
}

// AdviceMetrics are what callers saw of a breaker in the window.
type AdviceMetrics struct {
	WindowMS     int64  `json:"window_ms"`
	Calls        uint64 `json:"calls"`     // made or answered from a cache
	NetCalls     uint64 `json:"net_calls"` // without those from a cache
	Limited      uint64 `json:"status_429"`
	Server       uint64 `json:"status_5xx"`
	Unavailable  uint64 `json:"status_503"`
	Timeouts     uint64 `json:"timeouts"`
	Other        uint64 `json:"other_failures"`
	Rejected     uint64 `json:"not_sent"`
	Opens        int    `json:"opens"` // for counted failures: trips
	ProbesOK     uint64 `json:"probes_ok"`
	ProbesFailed uint64 `json:"probes_failed"`
	LongestRun   uint64 `json:"longest_run"`
	// RetryAfterMS is the median of what the host sent, 0 without any.
	RetryAfterMS int64 `json:"retry_after_ms,omitempty"`
	// Changed says that the host changed within the window: only what came after
	// is counted.
	Changed bool `json:"changed,omitempty"`
}

// SuggestedChange is one change of one field.
type SuggestedChange struct {
	Field    string           `json:"field"` // "reset_timeout", "roles.metadata.fail_max"
	From     any              `json:"from"`
	To       any              `json:"to"`
	Rule     string           `json:"rule"`
	Why      string           `json:"why"`
	Evidence []AdviceEvidence `json:"evidence"`
	// Confidence is how probable it is that the rule's premise is true.
	Confidence float64 `json:"confidence"`
	Verdict    string  `json:"verdict"`
	Reason     string  `json:"reason,omitempty"` // of the verdict
}

// AdviceEvidence is a number that a change rests on.
type AdviceEvidence struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// AdviceProof is what a replay of the window says.
type AdviceProof struct {
	// Rule is the one whose changes were replayed: of those that are made, else of
	// the first that can be.
	Rule     string `json:"rule"`
	Accepted bool   `json:"accepted"`
	Why      string `json:"why"`
	// Runs are the replays by what was assumed of the calls that were blocked:
	// optimistic, pessimistic, expected.
	Runs []AdviceReplay `json:"runs,omitempty"`
}

// AdviceReplay compares the two policies under one assumption. Costs are seconds
// of lost service.
type AdviceReplay struct {
	Assumed string      `json:"assumed"`
	Old     ReplayCount `json:"old"`
	New     ReplayCount `json:"new"`
	// Gain is how much less the proposed policy costs, LeastGain and MostGain the
	// ends of its 95 % interval.
	Gain      float64 `json:"gain_s"`
	LeastGain float64 `json:"gain_least_s"`
	MostGain  float64 `json:"gain_most_s"`
}

// ReplayCount is what one policy would have done.
type ReplayCount struct {
	LetThrough      float64 `json:"let_through"`
	FailuresPassed  float64 `json:"failures_let_through"`
	RejectedWrongly float64 `json:"rejected_wrongly"`
	RejectedRightly float64 `json:"rejected_rightly"`
	Probes          float64 `json:"probes"`
	ProbesFailed    float64 `json:"probes_failed"`
	Opens           float64 `json:"opens"`
	Cost            float64 `json:"cost_s"`
}

// Trial is a change that was made and is still watched.
type Trial struct {
	Plan    string            `json:"plan"`
	Since   time.Time         `json:"since"`
	Keys    []string          `json:"keys"`              // where it was made
	Waiting []string          `json:"waiting,omitempty"` // where it will be, if it does well
	Changes []SuggestedChange `json:"changes"`
	State   string            `json:"state"` // one sentence: how it does
}

// EnforceRequest is the body of POST /v1/advice/{id}/enforce.
type EnforceRequest struct {
	Author string `json:"author,omitempty"`
}

// EnforceResponse says what enforcing a plan did.
type EnforceResponse struct {
	ID      string            `json:"id"`
	Applied []EnforcedBreaker `json:"applied"`
	// Waiting are the breakers whose change is made if it does well elsewhere.
	Waiting []string `json:"waiting,omitempty"`
	// Failed are changes that were to be made and were not.
	Failed []EnforcedBreaker `json:"failed,omitempty"`
	Note   string            `json:"note"` // how long it stays, and what ends it
}

// EnforcedBreaker is the change of one breaker.
type EnforcedBreaker struct {
	Key     string            `json:"key"`
	Version string            `json:"version,omitempty"` // of the tuner's overlay
	Durable bool              `json:"durable"`
	Copies  int               `json:"copies"`
	Changes []PolicyDifferent `json:"changes,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// ExplainResponse answers GET /v1/advice/explain?key=: what is advised about one
// breaker now, and what the tuner did to it.
type ExplainResponse struct {
	Key    string         `json:"key"`
	Advice AdviceResponse `json:"advice"` // of this breaker alone
	// Records are what was decided, the latest first; Partial names the members
	// that did not say what they remember.
	Records []AdviceRecord `json:"records"`
	Partial []string       `json:"partial,omitempty"`
}

// AdviceRecord is one thing that the tuner did.
type AdviceRecord struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // enforced, promoted, rolled-back, reset, frozen; begun, not-made: see Why
	Key  string    `json:"key"`
	Plan string    `json:"plan,omitempty"`
	// Changes are what was made, or taken back.
	Changes []SuggestedChange `json:"changes,omitempty"`
	Author  string            `json:"author,omitempty"`
	Why     string            `json:"why,omitempty"`
	Proof   *AdviceProof      `json:"proof,omitempty"`
	// Inputs are what it was decided from, as they were recorded; Again says what
	// the replay says when it is run again on them: it must be what Proof says.
	Inputs json.RawMessage `json:"inputs,omitempty"`
	Again  string          `json:"again,omitempty"`
}
