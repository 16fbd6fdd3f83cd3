package outages

import "fleetfuse/tuner/outage"

// policy is a row of the tables: a way to choose the wait before each probe.
type policy struct {
	name  string
	calls float64 // probes it makes at once
	rule  func(price float64) func() rule
}

// Rows of the tables, in the order of policies().
const (
	atTuned = iota
	atInside
	atSixty
	atResilience
	atMedian
	atLate
)

// policies lists what is set beside the best fixed policy. None of them knows more
// than its own probes told it.
func policies(prior outage.Prior) []policy {
	any := func(fresh func() rule) func(float64) func() rule {
		return func(float64) func() rule { return fresh }
	}
	return []policy{
		{"tuned", 1, func(price float64) func() rule { return tunedWith(prior, price) }},
		{"tuned, looks again", 1, func(price float64) func() rule {
			return func() rule {
				return &inside{tuned: tuned{price: outage.Price(price), estimate: outage.New(prior)}}
			}
		}},
		{"60 s, gobreaker", 1, any(fixed(60))},
		{"resilience4j", 10, any(fixed(60))},
		{"seed advisor", 1, any(func() rule { return &median{} })},
		{"tuned after an outage", 1, func(price float64) func() rule {
			return func() rule {
				return &late{tuned{price: outage.Price(price), estimate: outage.New(prior)}}
			}
		}},
	}
}

// backoffs lists the settings of backoff that are tried, up to most seconds.
func backoffs(most float64) (list []backoff) {
	for _, first := range []float64{15, 30, 60, 120, 240} {
		for _, multiplier := range []float64{1.1, 1.25, 1.5, 2, 3} {
			list = append(list, backoff{first: first, multiplier: multiplier, most: most})
		}
	}
	return list
}

func rulesOf(list []backoff) (fresh []func() rule) {
	for _, b := range list {
		fresh = append(fresh, func() rule { return &b })
	}
	return fresh
}

// times makes a bill of calls probes at once out of one with single ones.
func (b bill) times(calls float64) bill {
	if calls == 1 {
		return b
	}
	more := make(bill, len(b))
	for n, groups := range b {
		for _, s := range groups {
			more[n] = append(more[n], spent{s.up, calls * s.failed, calls * s.good})
		}
	}
	return more
}
