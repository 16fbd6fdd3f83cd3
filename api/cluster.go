package api

import "time"

// The states of a member.
const (
	MemberAlive    = "alive"
	MemberDraining = "draining" // leaves, owns nothing
	MemberApart    = "apart"    // its clock is days off, owns nothing
	MemberLost     = "lost"     // went without leaving, in the last 10 minutes
	MemberLeft     = "left"
)

// Member is one node of the cluster, as the node that answers sees it.
type Member struct {
	ID string `json:"id"`
	// Name is the display name (--node.name). Nothing but the operator keeps
	// two members from having the same.
	Name string `json:"name"`
	// State is one of the Member constants.
	State string `json:"state"`
	// Epoch is raised at every start, and when the member was evicted.
	Epoch uint64 `json:"epoch,omitempty"`
	// Address is where its actors listen, APIAddress where its HTTP API does.
	Address    string `json:"address,omitempty"`
	APIAddress string `json:"api_address,omitempty"`
	Version    string `json:"version,omitempty"`
	// ConfigHash is a hash of its configuration, in hex: members of one cluster
	// should have the same.
	ConfigHash string `json:"config_hash,omitempty"`
	// Owned counts the breakers it owns of those that are not closed.
	Owned int `json:"owned"`
	// Self is true for the node that answers.
	Self bool `json:"self,omitempty"`
	// LeftAt is when it left, LostAt when it was last heard of, where known.
	LeftAt *time.Time `json:"left_at,omitempty"`
	LostAt *time.Time `json:"lost_at,omitempty"`
}

// ClusterResponse lists the members, sorted by name and id.
type ClusterResponse struct {
	Node    string   `json:"node"`
	Members []Member `json:"members"`
}

// OwnerResponse says which member owns a key. Which one that is follows from
// the members alone: a key nobody ever asked about has an owner too.
type OwnerResponse struct {
	Key string `json:"key"`
	// Owner is the owner's display name. It is "", as the fields below are, if
	// no member can own anything: each one drains or is apart.
	Owner   string `json:"owner"`
	OwnerID string `json:"owner_id,omitempty"`
	// Address is where its actors listen, APIAddress where its HTTP API does.
	Address    string `json:"address,omitempty"`
	APIAddress string `json:"api_address,omitempty"`
	// Self is true if it is the node that answers.
	Self bool `json:"self,omitempty"`
}

// LeaveRequest tells the node that gets it to leave.
type LeaveRequest struct {
	Author string `json:"author,omitempty"`
}

// LeaveResponse is a 202: the node drains, hands over what it owns and ends.
type LeaveResponse struct {
	Node string `json:"node"`
	// Owned counts the breakers it hands over, of those that are not closed.
	Owned int `json:"owned"`
	// Remaining are the members that are alive and take them over. If there is
	// none they wait on its disk until it is started again.
	Remaining []Member `json:"remaining"`
}
