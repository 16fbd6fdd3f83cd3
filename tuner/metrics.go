package tuner

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Counts are numbers of calls that somebody wanted to make, but for LongestRun.
type Counts struct {
	Successes uint64 `json:"successes"`
	Neutral   uint64 `json:"neutral"`    // they say nothing about the host: a 404, a call that was cancelled
	FromCache uint64 `json:"from_cache"` // answered without a call
	Limited   uint64 `json:"limited"`    // answered 429
	Server    uint64 `json:"server"`     // answered 5xx
	// Unavailable are those of Server that were answered 503.
	Unavailable  uint64 `json:"unavailable"`
	Timeouts     uint64 `json:"timeouts"`
	Other        uint64 `json:"other"`         // failures of any other kind
	ProbesOK     uint64 `json:"probes_ok"`     // among the successes
	ProbesFailed uint64 `json:"probes_failed"` // among the failures
	Rejected     uint64 `json:"rejected"`      // not made
	// LongestRun is the most failures in a row that one node saw.
	LongestRun uint64 `json:"longest_run"`
}

// Failures is how many calls failed, 429s included.
func (c *Counts) Failures() uint64 { return c.Limited + c.Server + c.Timeouts + c.Other }

// Net is how many calls were made: those from a cache and those rejected were not.
func (c *Counts) Net() uint64 { return c.Successes + c.Neutral + c.Failures() }

// Judged is how many of the calls that were made say something about the host.
func (c *Counts) Judged() uint64 { return c.Successes + c.Failures() }

// RoleMetrics are the counts of one role, "" for calls that name none.
type RoleMetrics struct {
	Role string `json:"role"`
	Counts
}

// NodeCounts are the counts of one member.
type NodeCounts struct {
	Node string `json:"node"`
	Counts
}

// A Wait is a Retry-After that a host sent, and how often.
type Wait struct {
	Length time.Duration `json:"length_ns"`
	Count  uint64        `json:"count"`
}

// MedianWait is the median of the waits that a host asked for, false if it asked for
// none.
func MedianWait(waits []Wait) (time.Duration, bool) {
	waits = slices.Clone(waits)
	slices.SortFunc(waits, func(a, b Wait) int { return cmp.Compare(a.Length, b.Length) })
	var all, below uint64
	for _, w := range waits {
		all += w.Count
	}
	for _, w := range waits {
		if below += w.Count; below > 0 && 2*below >= all {
			return w.Length, true
		}
	}
	return 0, false
}

// An Open is one time that a breaker opened for the fleet, from the trip until it
// closed. Its re-opens are part of it.
type Open struct {
	Role         string        `json:"role,omitempty"` // whose run tripped it, "" if that is not known
	Reason       string        `json:"reason"`
	Status       int           `json:"status,omitempty"` // HTTP status of the failure that tripped it, 0 if not known
	Began        time.Time     `json:"began"`
	Lasted       time.Duration `json:"lasted_ns"` // so far, if it has not Ended
	Ended        bool          `json:"ended"`
	ProbesFailed int           `json:"probes_failed"`
	// Recovered says that it ended with a good probe, and not by an operator's word.
	Recovered bool `json:"recovered"`
	// LastFailed and FirstGood are when, from its begin, the last probe failed
	// (0: none did) and the first succeeded (0: none did): between the two the host
	// came back. How long the breaker was open says nothing of that.
	LastFailed time.Duration `json:"last_failed_ns"`
	FirstGood  time.Duration `json:"first_good_ns"`
}

// HostMetrics is what the callers of a fleet saw of one breaker's host in a window.
type HostMetrics struct {
	Key    breaker.Key   `json:"key"`
	Window time.Duration `json:"window_ns"`
	All    Counts        `json:"all"`
	// Roles are the counts by role, sorted by name, where more than one is known.
	Roles      []RoleMetrics `json:"roles,omitempty"`
	RetryAfter []Wait        `json:"retry_after,omitempty"`
	// Opens are those by counted failures; the earliest comes first.
	Opens []Open `json:"opens,omitempty"`
	// Earlier are those of which nobody knows how and when they began. They say nothing
	// but which probes failed while the host was down.
	Earlier []Open `json:"earlier,omitempty"`
	// Changed says that the host changed within the window and that only what came
	// after is counted: Window is so short for that reason.
	Changed bool `json:"changed,omitempty"`
	// Nodes are the members that called it, Missing those that did not answer.
	Nodes   []string `json:"nodes"`
	Missing []string `json:"missing,omitempty"`
	// Members is how many the fleet has, 0 if that is not known.
	Members int `json:"members,omitempty"`
	// ByNode are the counts by member, where known: then nothing is proposed that
	// rests on one member while the others see the contrary.
	ByNode []NodeCounts `json:"by_node,omitempty"`
	// Home is the policy without what a tuner changed: ways back end there. Where it
	// is nil they end at the limits of breaker.DefaultPolicy.
	Home *breaker.Policy `json:"-"`
}
