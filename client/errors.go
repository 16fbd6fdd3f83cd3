package client

import (
	"fmt"
	"strings"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
)

// ReasonNodeAway is the reason of a rejection by FailClosed. Nodes never give it.
const ReasonNodeAway breaker.Reason = "node-away"

// An OpenError says that a call was rejected; nothing was sent.
type OpenError struct {
	Key        breaker.Key // the breaker that rejected
	State      breaker.State
	Reason     breaker.Reason
	Detail     string
	RetryAfter time.Duration // it lasts at least so long
	// Stale is true where the node was away and the last known view, or this
	// process's own ring, decided.
	Stale bool
}

// Error says what rejected the call, why and for how long.
func (e *OpenError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s: %s", e.Key, e.State, e.Reason)
	if e.Detail != "" {
		fmt.Fprintf(&b, " (%s)", e.Detail)
	}
	fmt.Fprintf(&b, "; retry in %v", e.RetryAfter.Round(time.Millisecond))
	if e.Stale {
		b.WriteString("; stale, the node does not answer")
	}
	return b.String()
}

func openError(r gate.Rejection, stale bool) *OpenError {
	return &OpenError{Key: r.Key, State: r.State, Reason: r.Reason, Detail: r.Detail, RetryAfter: r.RetryAfter, Stale: stale}
}
