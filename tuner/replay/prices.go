package replay

import (
	"time"

	"fleetfuse/tuner/outage"
)

// Prices say what a call is worth. The cost of a policy is in seconds of lost
// service:
//
//	(rejected wrongly + FailureWeight × failures let through) / calls per second
//	  + ProbePrice × probes
//
// so that a host that is called often does not weigh more than one that is
// called seldom.
type Prices struct {
	// FailureWeight is how bad a failure let through is, against a success
	// rejected: 0 for the default 1, at most 1000.
	FailureWeight float64
	// ProbePrice is how much lost service a probe is worth, besides what it
	// costs as a failure: 0 for the default 10 s, at most an hour.
	ProbePrice time.Duration
}

// Limits and defaults of Prices.
const (
	defaultFailureWeight = 1
	mostFailureWeight    = 1000
	defaultProbePrice    = time.Duration(outage.UsualPrice) * time.Second
	mostProbePrice       = time.Hour
)

// within are the prices with defaults for what is zero or no price at all.
func (p Prices) within() Prices {
	if !(p.FailureWeight > 0) { // the negation also catches NaN
		p.FailureWeight = defaultFailureWeight
	}
	if p.ProbePrice <= 0 {
		p.ProbePrice = defaultProbePrice
	}
	return Prices{min(p.FailureWeight, mostFailureWeight), min(p.ProbePrice, mostProbePrice)}
}
