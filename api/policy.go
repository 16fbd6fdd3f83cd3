package api

import "time"

// The registers of a breaker's policy: an operator's word and the tuner's do
// not replace each other.
const (
	RegisterOperator = "operator"
	RegisterTuner    = "tuner"
)

// Limits of a change of a policy.
const (
	MaxPolicyFields = 64 // set in one overlay; so many may be temporary too
	// MinTemporary is the shortest time that fields may be in force, MaxTemporary
	// the longest.
	MinTemporary = time.Second
	MaxTemporary = 30 * 24 * time.Hour
)

// PolicyValue is one field of a policy as it applies, and where it was set. A
// field of a role is named as in "roles.metadata.fail_max". Durations are text
// such as "1m0s", lists of statuses are arrays.
type PolicyValue struct {
	Field  string `json:"field"`
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

// PolicyOverlay is what was replaced at run time in one register.
type PolicyOverlay struct {
	Register string `json:"register"`
	// Version is what If-Match compares: a number, as text. It grows with every
	// change.
	Version string `json:"version"`
	// Base is the version that this one was made from, "0" for none.
	Base string `json:"base"`
	// Fields are in force until they are replaced, Temporary ones until Until.
	Fields    map[string]any `json:"fields,omitempty"`
	Temporary map[string]any `json:"temporary,omitempty"`
	Until     *time.Time     `json:"until,omitempty"`
	Author    string         `json:"author,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	SetAt     time.Time      `json:"set_at"`
	// State is "current", or, with nothing in force, "reset" or "expired" (its
	// temporary fields were all it had); in a history also "replaced", or
	// "superseded": made where the current line of versions was not known, and
	// lost when both met.
	State string `json:"state,omitempty"`
}

// PolicyResponse is the policy of one breaker: what applies, field by field,
// and the overlays it comes from. The ETag of the answer is the operator's
// Version in double quotes.
type PolicyResponse struct {
	Key string `json:"key"`
	// Version is the operator register's, "0" if nothing was replaced.
	Version  string          `json:"version"`
	Values   []PolicyValue   `json:"values"`
	Overlays []PolicyOverlay `json:"overlays,omitempty"`
	Owner    string          `json:"owner,omitempty"`
	Node     string          `json:"node"`
	// Note says what to know before believing the rest: that no owner answered.
	Note string `json:"note,omitempty"`
}

// PolicyChange is the body of PATCH (merge into the operator's overlay), PUT
// (the overlay becomes this) and, without Set, Unset and For, of DELETE, which
// resets the tuner's overlay too.
type PolicyChange struct {
	// Set names fields and their values as a file does: {"fail_max": 3,
	// "roles.metadata.trial_calls": 2, "reset_timeout": "90s"}.
	Set map[string]any `json:"set,omitzero"`
	// Unset removes fields from the overlay (PATCH only).
	Unset []string `json:"unset,omitempty"`
	// For, as in "30m", makes the fields of Set temporary.
	For    string `json:"for,omitempty"`
	Author string `json:"author,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// PolicyChanged answers a change. With ?dry_run=true nothing was changed, and
// Version is the one that it would be made from.
type PolicyChanged struct {
	Key     string            `json:"key"`
	Version string            `json:"version"`
	Base    string            `json:"base"`
	DryRun  bool              `json:"dry_run,omitempty"`
	Changes []PolicyDifferent `json:"changes"`
	Durable bool              `json:"durable"`
	Copies  int               `json:"copies"`
	// TunerReset says that a DELETE removed what the tuner had replaced, too.
	TunerReset bool `json:"tuner_reset,omitempty"`
	// Detail says why it is not durable.
	Detail string `json:"detail,omitempty"`
}

// PolicyDifferent is an effective value that changes.
type PolicyDifferent struct {
	Field string `json:"field"`
	From  any    `json:"from"`
	To    any    `json:"to"`
}

// PolicyHistory lists the overlays of a breaker, the latest first.
type PolicyHistory struct {
	Key     string          `json:"key"`
	Entries []PolicyOverlay `json:"entries"`
	// Partial names the members that did not say what they remember.
	Partial []string `json:"partial,omitempty"`
}

// ConfigResponse is a node's configuration as it is in force.
type ConfigResponse struct {
	Node  string   `json:"node"`
	Hash  string   `json:"hash"` // of what members must agree on
	Files []string `json:"files,omitempty"`
	// Options are the node's own; one that holds a password is shown without.
	Options []ConfigValue `json:"options"`
	// Key is the breaker asked about, "" for the defaults. Values are its policy.
	Key    string        `json:"key,omitempty"`
	Values []PolicyValue `json:"values"`
	// Hosts, Wildcards and Resolvers count those with a policy of their own.
	Hosts     int           `json:"hosts"`
	Wildcards int           `json:"wildcards"`
	Resolvers int           `json:"resolvers"`
	LoadedAt  time.Time     `json:"loaded_at"`
	Failed    *FailedReload `json:"failed_reload,omitempty"` // if the last reload failed
	// NeedsRestart names options that differ from the files of the last reload.
	NeedsRestart []string `json:"needs_restart,omitempty"`
}

// ConfigValue is an option of a node and where it was set.
type ConfigValue struct {
	Name   string `json:"name"` // as in a file: "http.listen_address"
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// FailedReload is a reload that changed nothing, because of its errors.
type FailedReload struct {
	At     time.Time `json:"at"`
	Errors []string  `json:"errors"`
}

// ReloadResponse says what a reload changed.
type ReloadResponse struct {
	Node    string         `json:"node"`
	Hash    string         `json:"hash"`
	Before  string         `json:"hash_before"`
	Changes []ConfigChange `json:"changes"`
	// More counts the changes beyond those listed.
	More int `json:"more,omitempty"`
	// NeedsRestart names options that changed and that a running node keeps.
	NeedsRestart []string `json:"needs_restart,omitempty"`
}

// ConfigChange is one setting of the policies that was added, changed or
// removed. Scope is "defaults", "host:NAME", "host:*.SUFFIX" or
// "resolver:NAME". From or To is "" where there is none.
type ConfigChange struct {
	Scope  string `json:"scope"`
	Field  string `json:"field"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Origin string `json:"origin,omitempty"`
}
