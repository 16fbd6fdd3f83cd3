package rollup

import "fleetfuse/breaker"

// A Class says how a call failed.
type Class uint8

// The classes of failure: by status, then the transport errors of
// breaker.TransportErrors in their order.
const (
	Status429 Class = iota
	Status5xx
	StatusOther // another status that the policy calls a failure, 408 say
	Timeout
	Connect
	Reset
	DNS
	TLS
	Other // a transport error that is none of these
	Classes
)

var classNames = [Classes]string{"429", "5xx", "status", "timeout", "connect", "reset", "dns", "tls", "other"}

func (c Class) String() string {
	if c < Classes {
		return classNames[c]
	}
	return "unknown"
}

// ClassOf is the class of a failure.
func ClassOf(e breaker.Evidence) Class {
	switch {
	case e.Error != "":
		for i, name := range breaker.TransportErrors {
			if e.Error == name {
				return Timeout + Class(i)
			}
		}
		return Other
	case e.Status == 429:
		return Status429
	case e.Status >= 500 && e.Status <= 599:
		return Status5xx
	}
	return StatusOther
}

// A Cause says what rejected a call.
type Cause uint8

// The causes of rejection.
const (
	ByCooldown Cause = iota // a deadline somebody set: a Retry-After, an operator, a row of a store
	ByCircuit               // the fleet's circuit: open, or half-open without a permit for this call
	ByRing                  // this node's own evidence alone
	Causes
)

var causeNames = [Causes]string{"cooldown", "circuit", "local"}

func (c Cause) String() string {
	if c < Causes {
		return causeNames[c]
	}
	return "unknown"
}

// CauseOf is the cause of a rejection in a state and for a reason.
func CauseOf(st breaker.State, why breaker.Reason, local bool) Cause {
	switch {
	case local:
		return ByRing
	case st != breaker.Open:
		return ByCircuit
	}
	switch why {
	case breaker.ReasonRetryAfter, breaker.ReasonCLIOpen, breaker.ReasonStore:
		return ByCooldown
	}
	return ByCircuit
}

// Counts are what was seen of one key and role in some span of time. All but
// LongestRun are numbers of calls, and add up.
type Counts struct {
	Successes uint64
	Failures  [Classes]uint64
	// Unavailable are those among Failures[Status5xx] that were answered 503.
	Unavailable uint64
	// Neutral calls say nothing about the host: a 404, or a call that was
	// cancelled or not made.
	Neutral uint64
	// FromCache were answered without a call.
	FromCache uint64
	// ProbesOK and ProbesFailed are the probes among the others.
	ProbesOK, ProbesFailed uint64
	// Rejected calls were not made. They are counted for the key and stand with
	// its nameless role.
	Rejected [Causes]uint64
	// LongestRun is the most failures in a row that one gate saw, those before
	// the span included.
	LongestRun uint64
	RetryAfter RetryAfters
	// Latency is of the calls whose latency is known, sampled where they are
	// many: its Count is near their number, not equal to it.
	Latency Histogram
}

// Fail counts n calls that failed alike.
func (c *Counts) Fail(e breaker.Evidence, n uint64) {
	class := ClassOf(e)
	c.Failures[class] += n
	if class == Status5xx && e.Status == http503 {
		c.Unavailable += n
	}
}

// http503 is Service Unavailable. A pure package does not import net/http for it.
const http503 = 503

// Failed is the number of failures of all classes.
func (c *Counts) Failed() (n uint64) {
	for _, f := range c.Failures {
		n += f
	}
	return n
}

// RejectedAll is the number of rejected calls, of all causes.
func (c *Counts) RejectedAll() (n uint64) {
	for _, r := range c.Rejected {
		n += r
	}
	return n
}

// Calls is the number of calls that were made.
func (c *Counts) Calls() uint64 { return c.Successes + c.Failed() + c.Neutral }

// Traffic is the number of calls that were wanted: made, answered from a cache
// or rejected. By it keys are ranked.
func (c *Counts) Traffic() uint64 { return c.Calls() + c.FromCache + c.RejectedAll() }

// Empty reports whether nothing was seen.
func (c *Counts) Empty() bool { return *c == Counts{} }

// Add counts what another span, node or role has. The order does not matter,
// except to the RetryAfters of a key with more than four different values.
func (c *Counts) Add(o *Counts) {
	c.Successes += o.Successes
	for i, n := range o.Failures {
		c.Failures[i] += n
	}
	c.Unavailable += o.Unavailable
	c.Neutral += o.Neutral
	c.FromCache += o.FromCache
	c.ProbesOK += o.ProbesOK
	c.ProbesFailed += o.ProbesFailed
	for i, n := range o.Rejected {
		c.Rejected[i] += n
	}
	c.LongestRun = max(c.LongestRun, o.LongestRun)
	c.RetryAfter.Add(&o.RetryAfter)
	c.Latency.Add(&o.Latency)
}
