package breaker

import (
	"slices"
	"time"
)

// Kind says what an outcome means to a breaker.
type Kind uint8

// The kinds of outcome.
const (
	Success Kind = iota
	Failure
	Neutral // neither: gives a permit back, changes nothing else
)

func (k Kind) String() string {
	switch k {
	case Success:
		return "success"
	case Failure:
		return "failure"
	}
	return "neutral"
}

// A PermitID names one permit. Zero is no permit.
type PermitID uint64

// An Outcome tells how a call went, classified. Count of them ended the same
// way at the same time (a success run: Began is the latest begin in it).
type Outcome struct {
	Node   string // the reporting node
	Role   string
	Kind   Kind
	Slow   bool // a success that took too long (policy slow_call)
	Count  int  // zero counts as one
	Began  Instant
	Ended  Instant
	Permit PermitID
	// Strict makes a probe fail although the outcome is not a failure: a 429.
	Strict bool
	Evidence
}

// Evidence is what an outcome rested on, kept for people.
type Evidence struct {
	Status     int    // HTTP status, 0 if there was none
	Error      string // transport error class, "" if there was none
	RetryAfter string // raw header
}

// TransportErrors are the error classes that count as failures.
var TransportErrors = []string{"timeout", "connect", "reset", "dns", "tls", "other"}

// OwnErrors are the error classes of our own side. They are neutral.
var OwnErrors = []string{"cancelled", "no-route", "proxy"}

// ClassifyCall sorts a call's end by status or error class. strict is true for a
// 429, which fails a probe even where it is neutral.
func (p *Policy) ClassifyCall(e Evidence, latency time.Duration, fromCache bool) (kind Kind, slow, strict bool) {
	switch {
	case fromCache:
		return Neutral, false, false
	case e.Error != "":
		if slices.Contains(OwnErrors, e.Error) {
			return Neutral, false, false
		}
		return Failure, false, false
	case slices.Contains(p.Classify.FailureStatuses, e.Status):
		return Failure, false, e.Status == 429
	case e.Status == 429 || slices.Contains(p.Classify.NeutralStatuses, e.Status):
		return Neutral, false, e.Status == 429
	}
	return Success, p.SlowCall.Enabled && latency >= p.SlowCall.Duration, false
}

// HonoursRetryAfter reports whether a Retry-After on this status counts.
func (p *Policy) HonoursRetryAfter(status int) bool {
	return slices.Contains(p.RetryAfterStatuses, status)
}
