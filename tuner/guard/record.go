package guard

import (
	"errors"
	"math"
	"slices"

	"fleetfuse/breaker"
)

// An Event says what a record tells of.
type Event string

// The events. A ledger keeps those it does not know out of its sums and
// refuses none of them: a newer node may write more.
const (
	Enforced   Event = "enforced"    // the changes are in force for the key
	Promoted   Event = "promoted"    // they proved themselves: for people, blocks and frees nothing
	RolledBack Event = "rolled-back" // they are undone
	Reset      Event = "reset"       // an operator reset the policy: what was frozen is free
)

// A Change moves one field of one breaker.
type Change struct {
	Key      breaker.Key `json:"key"`
	Field    string      `json:"field"`
	Role     string      `json:"role,omitempty"` // "" is the breaker itself
	From     float64     `json:"from"`           // in the unit of the field; seconds for durations
	To       float64     `json:"to"`
	Evidence float64     `json:"evidence"` // what speaks for it: natural log odds that it is better, see LogOdds
}

// A Record is one line of the ledger, as it is stored and sent. Its JSON form
// only ever gains members.
type Record struct {
	ID      string      `json:"id"` // unique; a second record with it says nothing new
	Kind    Event       `json:"kind"`
	At      int64       `json:"at"` // wall time in milliseconds since 1970, see Ledger.Stamp
	Key     breaker.Key `json:"key"`
	Plan    string      `json:"plan,omitempty"`
	Changes []Change    `json:"changes,omitempty"` // of this key; of a RolledBack those that are undone
	Why     string      `json:"why,omitempty"`
}

// Limits of a record.
const (
	MaxIDBytes    = 128
	MaxRoleBytes  = 64
	MaxChanges    = 64
	MaxPlainBytes = 1024 // of Plan and of Why
)

// ErrBadRecord is returned for a record the ledger cannot read.
var ErrBadRecord = errors.New("want an id of 1 to 128 bytes, a kind, a time after 1970, a key, at most 64 changes of that key with finite numbers")

// Valid says whether the ledger can read the record. It does not ask whether
// its changes were within bounds: they have happened.
func (r Record) Valid() error {
	_, err := breaker.ParseKey(string(r.Key))
	switch {
	case err != nil, r.ID == "", len(r.ID) > MaxIDBytes, r.Kind == "", len(r.Kind) > MaxIDBytes, r.At <= 0,
		len(r.Changes) > MaxChanges, len(r.Plan) > MaxPlainBytes, len(r.Why) > MaxPlainBytes,
		slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Key != r.Key || !c.readable() }):
		return ErrBadRecord
	}
	return nil
}

// readable says whether the numbers are numbers and the names short.
func (c Change) readable() bool {
	return finite(c.From) && finite(c.To) && finite(c.Evidence) && len(c.Role) <= MaxRoleBytes && len(c.Field) <= MaxRoleBytes
}

// MaxLogOdds bounds what LogOdds answers; it is a confidence of about 1 − 1e-9.
const MaxLogOdds = 20.7

// LogOdds turns a confidence between 0 and 1 that a change is better into the
// natural logarithm of its odds, log(p/(1-p)): 0 at a half, 2.94 at 0.95, 5.89
// where the odds are squared. Evidence that is independent adds up in this unit
// (Good, Probability and the weighing of evidence, 1950), which is what makes
// "twice the evidence" mean something. It is within ±MaxLogOdds; what is no
// probability speaks for nothing and has the lowest.
func LogOdds(confidence float64) float64 {
	if !(confidence > 0 && confidence <= 1) {
		return -MaxLogOdds
	}
	odds := math.Log(confidence) - math.Log1p(-confidence)
	return min(max(odds, -MaxLogOdds), MaxLogOdds)
}
