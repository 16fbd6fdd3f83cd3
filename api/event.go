package api

import "time"

// EventKinds are the kinds of events.
var EventKinds = []string{"transition", "local", "cooldown", "operator", "policy", "probe", "advice", "member", "degraded", "recovered"}

// Event is one thing that happened, as a node logged it.
type Event struct {
	// ID names what happened: two nodes that logged the same thing, as two owners
	// of a breaker may, give it the same ID.
	ID string `json:"id"`
	// Seq is the event's position in the log of the node that wrote it. It grows,
	// also over restarts, but not by one each time.
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	// Kind is one of EventKinds.
	Kind string `json:"kind"`
	// Key is the breaker, "host:NAME" or "resolver:NAME"; "" where the event is
	// about a node.
	Key string `json:"key,omitempty"`
	// Node is the node the event is about or that saw it, by display name.
	Node string `json:"node,omitempty"`
	Role string `json:"role,omitempty"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Reason is a code, Detail the free text beside it.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	Author string `json:"author,omitempty"`
	// LengthMS is how long what began lasts, as asked for: of a cooldown, an
	// operator's open, temporary fields of a policy.
	LengthMS int64          `json:"length_ms,omitempty"`
	Evidence *EventEvidence `json:"evidence,omitempty"`
	// PolicyVersion is the operator's version of the policy that was in force, as
	// in PolicyResponse; "" if nothing was replaced.
	PolicyVersion string `json:"policy_version,omitempty"`
	// Owner is the node that wrote the event, by display name.
	Owner string `json:"owner,omitempty"`
	// Stamp orders what is said about one key: a number, as text. "" where the
	// event has none.
	Stamp string `json:"stamp,omitempty"`
}

// EventEvidence is what an event rested on.
type EventEvidence struct {
	// Failures completed the rule.
	Failures int `json:"failures,omitempty"`
	// Status, Error and RetryAfter (the raw header) are of the last outcome.
	Status     int    `json:"status,omitempty"`
	Error      string `json:"error,omitempty"`
	RetryAfter string `json:"retry_after,omitempty"`
	// Witnesses are the nodes that saw it, by display name.
	Witnesses []string `json:"witnesses,omitempty"`
}

// EventGap says that events between two positions of one node's log can not be
// shown.
type EventGap struct {
	// First and Last are the positions, both inclusive.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Events counts those missing, 0 where that is not known.
	Events uint64 `json:"events,omitempty"`
	// Reason is one of pruned (older than is kept), dropped (the disk took none
	// and memory was full), crash (the node ended without writing its last ones,
	// if there were any), unreadable (the disk does not answer), unknown (the
	// log never gave out this position).
	Reason string `json:"reason"`
	// Time is when the node noticed, absent for pruned and unknown.
	Time *time.Time `json:"time,omitempty"`
}
