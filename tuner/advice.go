package tuner

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/outage"
)

// The fields of a policy that the tuner may propose to change. Numbers of
// reset_timeout are seconds.
const (
	FieldFailMax          = guard.FailMax
	FieldResetTimeout     = guard.ResetTimeout
	FieldSuccessThreshold = guard.SuccessThreshold
	FieldTrialCalls       = guard.TrialCalls
	FieldRateMultiplier   = guard.RateMultiplier
)

// A Rule is why something is proposed: a code from a closed list.
type Rule string

// The rules.
const (
	RuleLimited      Rule = "too-many-429"  // slow down
	RuleQuiet        Rule = "no-429"        // a rate that was lowered may rise again
	RuleOutageLength Rule = "outage-length" // probe as often as its outages are long
	RuleRetryAfter   Rule = "retry-after"   // never probe before the host allows it
	RuleFalseTrips   Rule = "false-trips"   // it opened for failures that are usual
	RuleLateTrips    Rule = "late-trips"    // it opened late for outages that were true
	RuleFailedProbes Rule = "failed-probes" // closed too early, or probed by too many at once
	RuleGoodProbes   Rule = "good-probes"   // what failed probes had changed is not needed any more
)

// A Number is a piece of the evidence that a suggestion rests on.
type Number struct {
	Name  string  `json:"name"` // "share of 429", "probes failed"
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"` // "s", "calls", "" for shares and counts
}

// A Suggestion is one change of one field.
type Suggestion struct {
	Field string `json:"field"`
	Role  string `json:"role,omitempty"`
	Rule  Rule   `json:"rule"`
	Why   string `json:"why"` // one sentence for people
	// Numbers are what it rests on, the most important first.
	Numbers []Number `json:"numbers"`
	// Confidence is the probability, given what was counted, that the rule's
	// premise is true (0 to 1).
	Confidence float64 `json:"confidence"`
	Current    float64 `json:"current"`
	Proposed   float64 `json:"proposed"`
}

// HostAdvice is what the tuner proposes for one breaker.
type HostAdvice struct {
	Key         breaker.Key  `json:"key"`
	Suggestions []Suggestion `json:"suggestions"`
	// Notes say why something that looks like a case for a change is none.
	Notes []string `json:"notes,omitempty"`
}

// Settings are what an operator may set of the tuner. The zero Settings have no
// meaning: begin with DefaultSettings.
type Settings struct {
	// Window is how far back advice looks (LeastWindow to MostWindow).
	Window time.Duration
	// ProbePrice is how many seconds of a host's absence one probe is worth
	// (LeastProbePrice to MostProbePrice): the higher, the later it is probed.
	ProbePrice float64
	// Sure is how probable a premise must be (0.5 to 0.999).
	Sure float64
	// FalseTripEvery is how seldom a breaker may open for failures that are usual.
	FalseTripEvery time.Duration
}

// Limits of what an operator may set.
const (
	LeastWindow, MostWindow         = time.Minute, time.Hour
	LeastProbePrice, MostProbePrice = 0.1, 3600
)

// DefaultSettings are those nobody changed.
func DefaultSettings() Settings {
	return Settings{Window: 600 * time.Second, ProbePrice: float64(outage.UsualPrice), Sure: 0.9, FalseTripEvery: 30 * 24 * time.Hour}
}
