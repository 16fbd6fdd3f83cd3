package api

import "time"

// StatusResponse is a node's health in one page.
type StatusResponse struct {
	Node      string    `json:"node"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	// Ready is false while the node starts or drains.
	Ready   bool        `json:"ready"`
	Members []Member    `json:"members"`
	Store   StoreHealth `json:"store"`
	// Shared is where cooldowns are shared beyond the data directory.
	Shared *SharedHealth `json:"shared,omitempty"`
	// Open, HalfOpen and Local count breakers.
	Open     int `json:"open"`
	HalfOpen int `json:"half_open"`
	Local    int `json:"local"`
	// Hosts counts the keys the gate remembers, Actors the active breakers.
	Hosts  int `json:"hosts"`
	Actors int `json:"actors"`
	// Problems says in words what is not normal; empty when all is well.
	Problems []string `json:"problems"`
	// NeedsRestart names options that a reload found changed and that the node does not
	// run with before it is started again.
	NeedsRestart []string `json:"needs_restart,omitempty"`
}

// StoreHealth says how the durable store is.
type StoreHealth struct {
	Kind string `json:"kind"`
	OK   bool   `json:"ok"`
	// Since is when it stopped working, Error the last thing it said.
	Since *time.Time `json:"degraded_since,omitempty"`
	Error string     `json:"error,omitempty"`
	// Pending counts changes not written yet.
	Pending int `json:"pending"`
	// Warnings says what may go wrong: that a server may evict what it was
	// given, that a disk is none of this machine's.
	Warnings []string `json:"warnings,omitempty"`
}

// SharedHealth says how sharing cooldowns with other clusters and programs
// goes. Pending counts keys whose cooldown waits to be written there.
type SharedHealth struct {
	StoreHealth
	// Where is the setting without its secrets.
	Where string `json:"where"`
	// ListedAt is when everything there was last read, Entries how many keys it
	// had then.
	ListedAt *time.Time `json:"listed_at,omitempty"`
	Entries  int        `json:"entries"`
	// Dropped counts cooldowns given up because too many waited.
	Dropped uint64 `json:"dropped,omitempty"`
}
