package tuner

import (
	"fmt"
	"math"

	"fleetfuse/tuner/guard"
)

// waits decides about reset_timeout: by the square-root law, from how long the outages
// of the host last and what a probe costs, and never below what the host itself asks
// for. It goes down as it goes up: the lengths are not those of our own opens. Nothing is
// proposed on what is assumed of any host: some outages of this one must have been
// found going on by a probe, or their ends be known.
func (a *adviser) waits(sc scope) {
	current := sc.policy.ResetTimeout.Seconds()
	floor, askedFor := a.asked(current)
	low, high, mean, known := a.outages()
	if !known {
		a.waitAsAsked(sc, current, floor, askedFor)
		return
	}
	law := a.bestWait(mean)
	switch {
	case floor > law && floor > current && askedFor >= a.settings.Sure:
		a.waitAsAsked(sc, current, floor, askedFor)
	case law > current && a.memory.probed >= enoughOutages:
		a.waitAsLong(sc, current, law, mean, low, high, a.outagesBeyond(current*(1+guard.DeadBand), mean, low, high))
	case max(law, floor) < current && a.memory.over >= enoughOutages:
		a.waitAsLong(sc, current, max(law, floor), mean, low, high, 1-a.outagesBeyond(current*(1-guard.DeadBand), mean, low, high))
	}
}

// outages is the expected length of the host's outages in seconds, with bounds of 95 %.
func (a *adviser) outages() (low, high, mean float64, known bool) {
	if a.memory == nil {
		return 0, 0, 0, false
	}
	e := a.memory.lengths()
	m, _, ok := e.Mean()
	l, h := e.Interval()
	return l.Seconds(), h.Seconds(), m.Seconds(), ok
}

// bestWait is the wait that is cheapest for outages of a mean length, in seconds.
func (a *adviser) bestWait(mean float64) float64 {
	l := limits[FieldResetTimeout]
	return bound(math.Sqrt(2*a.settings.ProbePrice*mean), l.Least, l.Most)
}

// outagesBeyond is how probable it is that outages are so long that a wait is too short
// for them. The logarithm of their mean is about normal.
func (a *adviser) outagesBeyond(wait, mean, low, high float64) float64 {
	deviation := math.Log(max(high, 1)/max(low, 1)) / (2 * 1.96)
	length := wait * wait / (2 * a.settings.ProbePrice)
	return normal((math.Log(max(mean, 1)) - math.Log(max(length, 1e-9))) / max(deviation, 0.05))
}

func (a *adviser) waitAsLong(sc scope, current, target, mean, low, high, sure float64) {
	target, _ = guard.Clamp(FieldResetTimeout, current, target)
	a.propose(Suggestion{
		Field: FieldResetTimeout, Role: sc.role, Rule: RuleOutageLength,
		Why: sc.says("its outages last %s on average (%s to %s), and a probe is worth %.4g s of its absence: probing every %.3g s is cheapest, not every %.3g s.",
			spell(mean), spell(low), spell(high), a.settings.ProbePrice, target, current),
		Numbers: []Number{
			{Name: "outage, mean", Value: mean, Unit: "s"},
			{Name: "outage, mean at least", Value: low, Unit: "s"},
			{Name: "outage, mean at most", Value: high, Unit: "s"},
			{Name: "price of a probe", Value: a.settings.ProbePrice, Unit: "s"},
		},
		Confidence: sure, Current: current, Proposed: target,
	})
}

// waitAsAsked raises reset_timeout to what the host asks for; without a word of the host
// and any outage it goes home again.
func (a *adviser) waitAsAsked(sc scope, current, floor, sure float64) {
	if floor > 0 {
		floor, _ = guard.Clamp(FieldResetTimeout, current, max(floor, current))
		a.propose(Suggestion{
			Field: FieldResetTimeout, Role: sc.role, Rule: RuleRetryAfter,
			Why:     sc.says("the host asks to be left alone for %.3g s (median Retry-After), and is probed after %.3g s.", floor, current),
			Numbers: []Number{{Name: "Retry-After, median", Value: floor, Unit: "s"}}, Confidence: sure,
			Current: current, Proposed: floor,
		})
		return
	}
	if !sc.homely || current <= sc.home.ResetTimeout.Seconds() {
		return
	}
	home, _ := guard.Clamp(FieldResetTimeout, current, sc.home.ResetTimeout.Seconds())
	a.propose(Suggestion{
		Field: FieldResetTimeout, Role: sc.role, Rule: RuleRetryAfter,
		Why:     sc.says("no outage is known, and the host does not send Retry-After any more: %.3g s, as configured, are enough, not %.3g s.", home, current),
		Numbers: []Number{{Name: "429s", Value: sc.counts.limited, Unit: "calls"}}, Confidence: a.quiet(sc),
		Current: current, Proposed: home,
	})
}

// asked is the median Retry-After in seconds, as far as the tuner and the policy go with
// it, and how probable it is that the host mostly asks for more than the current wait.
func (a *adviser) asked(current float64) (median, sure float64) {
	longest := limits[FieldResetTimeout].Most
	if c := a.policy.RetryAfterCap; c > 0 {
		longest = min(longest, c.Seconds())
	}
	var waits []Wait
	var all, longer float64
	for _, w := range a.m.RetryAfter {
		if w.Count = min(w.Count, mostTrials); w.Length <= 0 || w.Count == 0 {
			continue // it asks for nothing
		}
		waits = append(waits, w)
		all += float64(w.Count)
		if w.Length.Seconds() > current {
			longer += float64(w.Count)
		}
	}
	m, ok := MedianWait(waits)
	if !ok {
		return 0, 0
	}
	return min(m.Seconds(), longest), believe(longer, all, 1).above(0.5)
}

// spell writes seconds as people say them.
func spell(seconds float64) string {
	const minute, hour, day, year = 60, 3600, 86400, 365 * 86400
	switch {
	case seconds < 2*minute:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 2*hour:
		return fmt.Sprintf("%.0f min", seconds/minute)
	case seconds < 2*day:
		return fmt.Sprintf("%.0f h", seconds/hour)
	case seconds < 2*year:
		return fmt.Sprintf("%.0f days", seconds/day)
	}
	return "years"
}
