package api

// The ways in which a member's belief about a breaker differs from the owner's
// (Belief.Differs).
const (
	DiffersState    = "state"    // another state: it decides otherwise
	DiffersDeadline = "deadline" // open as well, for another time
	DiffersStamp    = "stamp"    // another latest word, although the state is the same
	DiffersPolicy   = "policy"   // another version of what operators replaced
	DiffersConfig   = "config"   // another configuration
	DiffersOwner    = "owner"    // it takes another member for the owner
	DiffersRing     = "ring"     // its own ring rejects what the owner does not
)

// Belief is what one member believes of a breaker, and so what it decides by.
type Belief struct {
	// Node and ID name the member.
	Node string `json:"node"`
	ID   string `json:"id"`
	// State, Reason, Detail and RemainingMS are those of its view.
	State       string `json:"state"`
	Reason      string `json:"reason,omitempty"`
	Detail      string `json:"detail,omitempty"`
	RemainingMS int64  `json:"remaining_ms,omitempty"`
	// Stamp is that of the latest word about the state it heard, "0" for none: a
	// number, as text.
	Stamp string `json:"stamp"`
	// Disk is true where the deadline comes from a disk: computed from a wall
	// clock.
	Disk bool `json:"disk,omitempty"`
	// Ring is its own ring, if that is not closed: it rejects by what failed there,
	// unless the view rejects.
	Ring *Ring `json:"ring,omitempty"`
	// Mode and PolicyVersion (the operator's, "0" if nothing was replaced) are of
	// the policy in force there, ConfigHash of the configuration below it.
	Mode          string `json:"mode"`
	PolicyVersion string `json:"policy_version"`
	ConfigHash    string `json:"config_hash,omitempty"`
	// Owner is whom it takes for the owner, by display name, OwnerID by id; "" if
	// nobody can be.
	Owner   string `json:"owner"`
	OwnerID string `json:"owner_id,omitempty"`
	// Differs says how it differs from the reference of the answer: the Differs
	// constants.
	Differs []string `json:"differs,omitempty"`
}

// Ring is a ring that is not closed.
type Ring struct {
	State       string `json:"state"`
	Reason      string `json:"reason,omitempty"`
	RemainingMS int64  `json:"remaining_ms,omitempty"`
}

// BeliefsResponse is what the members believe of one breaker, sorted by name and
// id.
type BeliefsResponse struct {
	Key  string `json:"key"`
	Node string `json:"node"`
	// Reference is the member that the others are compared with, by display name:
	// the owner, or the node that answers where no owner told.
	Reference string   `json:"reference"`
	Beliefs   []Belief `json:"beliefs"`
	// Missing names the members that did not tell: silent, lost, or of a version
	// that does not know the question.
	Missing []string `json:"missing,omitempty"`
}

// BeliefQuery asks one member for its belief.
type BeliefQuery struct {
	Key string `json:"key"`
}
