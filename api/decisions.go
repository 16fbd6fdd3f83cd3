package api

// Decisions counts what a worker's own gate decided since it last told.
type Decisions struct {
	Allowed  uint64            `json:"allowed,omitempty"` // without probes
	Probes   uint64            `json:"probes,omitempty"`
	Rejected map[string]uint64 `json:"rejected,omitempty"` // by reason
	Stale    uint64            `json:"stale,omitempty"`    // of all these, while the node was away
	// Keys is what of single breakers no outcome tells, since it was last told: at
	// most MaxUsedKeys of them.
	Keys []KeyUse `json:"keys,omitempty"`
}

// MaxUsedKeys bounds the keys of one report's decisions.
const MaxUsedKeys = 1000

// KeyUse counts calls of one breaker and role that were not made, or tell nothing
// about the host.
type KeyUse struct {
	Key       string `json:"key"` // host:NAME or resolver:NAME
	Role      string `json:"role,omitempty"`
	Cooldown  uint64 `json:"rejected_by_cooldown,omitempty"`
	Circuit   uint64 `json:"rejected_by_circuit,omitempty"`
	Local     uint64 `json:"rejected_by_local_ring,omitempty"`
	Neutral   uint64 `json:"neutral,omitempty"`
	FromCache uint64 `json:"from_cache,omitempty"`
}
