package guard

import (
	"math"

	"fleetfuse/tuner/outage"
)

// A Kind says which numbers a field can take.
type Kind string

// The kinds of fields.
const (
	Whole Kind = "whole" // a whole number, also whole seconds
	Share Kind = "share" // a part of one, to three decimals
)

// A Bound is what the tuner may make of one field.
type Bound struct {
	Field   string  // as the policy grammar names it
	Least   float64 // inclusive
	Most    float64 // inclusive
	Default float64 // what stands for a current value that is not a number
	Step    float64 // most that one change may move it, as a part of the current value; 0: any distance
	Kind    Kind
}

// The fields a tuner may change, as the policy grammar names them.
const (
	FailMax          = "fail_max"          // consecutive failures that trip
	ResetTimeout     = "reset_timeout"     // seconds
	SuccessThreshold = "success_threshold" // successful probes that close
	TrialCalls       = "trial_calls"       // permits outstanding at once
	RateMultiplier   = "rate_multiplier"   // part of the caller's own rate
)

// Bounds lists the fields a tuner may change, and how far. They are narrower
// than those of breaker.Policy, which bind operators too. More than 10 trial
// calls would be a load of its own for a host that has just come back; below
// 15 s a fleet probes more than it calls; beyond 600 s nobody waits.
func Bounds() []Bound {
	return []Bound{
		{Field: FailMax, Least: 2, Most: 10, Default: 5, Kind: Whole},
		{Field: ResetTimeout, Least: outage.LeastWait.Seconds(), Most: outage.MostWait.Seconds(), Default: 60, Kind: Whole},
		{Field: SuccessThreshold, Least: 1, Most: 3, Default: 1, Kind: Whole},
		{Field: TrialCalls, Least: 1, Most: 10, Default: 1, Kind: Whole},
		{Field: RateMultiplier, Least: 0.1, Most: 1, Default: 1, Step: 0.25, Kind: Share},
	}
}

// BoundOf is the bound of a field, and false if a tuner may not change it.
func BoundOf(field string) (Bound, bool) {
	for _, b := range Bounds() {
		if b.Field == field {
			return b, true
		}
	}
	return Bound{}, false
}

// A Limit names what Clamp did to a proposal.
type Limit string

// The limits a proposal can meet. Of several the last one met is told.
const (
	Unlimited    Limit = ""              // it was within bounds
	Rounded      Limit = "rounded"       // to a number the field can take
	TooLow       Limit = "too low"       // raised to the least
	TooHigh      Limit = "too high"      // lowered to the most
	TooFar       Limit = "too far"       // moved as far as one change may
	NotANumber   Limit = "not a number"  // the current value stays
	UnknownField Limit = "unknown field" // the current value stays
)

// Clamp brings a proposed value within the bounds of its field. The answer is
// always finite and, for a field of Bounds, within them. It is at most Step
// away from the current value, if that was within the bounds itself: one that
// an operator had put outside comes back to the nearest bound first. Rounding
// is towards the current value, so that no limit is overstepped by it.
func Clamp(field string, current, proposed float64) (float64, Limit) {
	b, ok := BoundOf(field)
	if !ok {
		if finite(current) {
			return current, UnknownField
		}
		return 0, UnknownField
	}
	if !finite(current) {
		current = b.Default
	}
	from := min(max(current, b.Least), b.Most)
	if math.IsNaN(proposed) {
		return b.round(from, from), NotANumber
	}
	least, most, limit := b.Least, b.Most, Unlimited
	to := min(max(proposed, least), most)
	switch {
	case proposed < least:
		limit = TooLow
	case proposed > most:
		limit = TooHigh
	}
	if b.Step > 0 {
		reach := from * b.Step
		if near := min(max(to, from-reach), from+reach); near != to {
			to, limit = near, TooFar
		}
	}
	if exact := b.round(to, from); exact != to {
		to = exact
		if limit == Unlimited {
			limit = Rounded
		}
	}
	return to, limit
}

// round answers the nearest number the field can take that is not farther from
// the value it had. Both are within the bounds.
func (b Bound) round(to, from float64) float64 {
	grid := 1.0
	if b.Kind == Share {
		grid = 1000
	}
	scaled := to * grid
	near := math.Round(scaled)
	if math.Abs(scaled-near) < 1e-6 {
		return clean(near, grid, b)
	}
	if to >= from {
		return clean(math.Floor(scaled), grid, b)
	}
	return clean(math.Ceil(scaled), grid, b)
}

// clean goes back from the grid to the field, within the bounds.
func clean(scaled, grid float64, b Bound) float64 {
	return min(max(scaled/grid, b.Least), b.Most)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
