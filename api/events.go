package api

import "time"

// EventQuery asks one member for events of its log. A zero field asks for no
// restriction.
type EventQuery struct {
	// After is the position behind which to look.
	After uint64    `json:"after,omitempty"`
	Since time.Time `json:"since,omitzero"`
	Key   string    `json:"key,omitempty"`
	Kinds []string  `json:"kinds,omitempty"`
	Limit int       `json:"limit,omitempty"`
	// Newest asks for the latest events, not for the first behind After.
	Newest bool `json:"newest,omitempty"`
	// Last asks for no event, only for the position of the latest.
	Last bool `json:"last,omitempty"`
	// WaitMS is how long to wait for an event behind After if there is none; Since,
	// Key, Kinds and Newest are then not looked at.
	WaitMS int64 `json:"wait_ms,omitempty"`
}

// EventPage answers an EventQuery.
type EventPage struct {
	Events []Event    `json:"events"`
	Gaps   []EventGap `json:"gaps,omitempty"`
	// Through is the position up to which was looked; More says that there is more
	// behind it.
	Through uint64 `json:"through"`
	More    bool   `json:"more,omitempty"`
}

// MemberGap is a gap in the log of one member, by display name.
type MemberGap struct {
	Node string `json:"node"`
	EventGap
}

// EventsResponse answers GET /v1/events, and is what its stream sends.
type EventsResponse struct {
	// Events are in the order of their time; in a stream they are live, in the
	// order in which members told them.
	Events []Event     `json:"events"`
	Gaps   []MemberGap `json:"gaps,omitempty"`
	// Missing are the members that did not answer: what happened there is told
	// when they do.
	Missing []string `json:"missing,omitempty"`
	// More says that the limit cut off earlier events.
	More bool `json:"more,omitempty"`
	// Position is how far the log of each member was read: a stream that begins
	// with it as Last-Event-ID tells what follows.
	Position string `json:"position"`
}
