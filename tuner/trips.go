package tuner

import (
	"time"

	"fleetfuse/breaker"
)

const (
	leastOpens = 3      // in a window are a reason to look at fail_max
	bursts     = 1.5    // times the variance of calls that fail independently
	mostRate   = 10_000 // calls a second that are believed of a host, whatever some node counts
)

// verdicts are how many opens were true, false, or cannot be told.
type verdicts struct{ right, wrong, unknown int }

// trips decides about fail_max: it should be the smallest number at which the failures
// that are usual open the breaker no more than once in FalseTripEvery. It is raised
// where the opens were false, and lowered where they were true.
func (a *adviser) trips(sc scope) {
	opens := a.countedOpens(sc)
	if len(opens) < leastOpens {
		return
	}
	if need := a.witnesses(); len(a.m.Nodes) < need {
		a.note("it opened %d times, but %d node(s) called it: %s is not changed for the fleet on the word of fewer than %d",
			len(opens), len(a.m.Nodes), FieldName(FieldFailMax, sc.role), need)
		return
	}
	low, high, ok := a.memory.usual(a.settings.Sure)
	if !ok {
		a.note("it opened %d times, but which failures are usual for it is not known: %s is left alone", len(opens), FieldName(FieldFailMax, sc.role))
		return
	}
	v := a.judge(opens, sc, low, high)
	wrong := believe(float64(v.wrong), float64(v.wrong+v.right), 1)
	need, enough := a.failMax(sc, high)
	switch {
	case v.wrong+v.right < leastOpens:
		a.note("it opened %d times, of which %d cannot be told true or false: %s is left alone", len(opens), v.unknown, FieldName(FieldFailMax, sc.role))
	case wrong.above(0.5) >= a.settings.Sure:
		a.raiseFailMax(sc, v, high, need, enough, wrong.above(0.5))
	case wrong.below(0.5) >= a.settings.Sure:
		a.lowerFailMax(sc, v, high, need, wrong.below(0.5))
	default:
		a.note("%d of its opens were true and %d false: no case for another %s", v.right, v.wrong, FieldName(FieldFailMax, sc.role))
	}
}

// witnesses is how many members must have called a host for what they saw to count for
// the fleet, as for a trip.
func (a *adviser) witnesses() int {
	need := max(1, min(a.policy.Witnesses, 16))
	if a.m.Members > 0 {
		need = min(need, a.m.Members)
	}
	return need
}

// countedOpens are those that fail_max decided about: by a run of failures that were no
// 429s. A host that sends those is up.
func (a *adviser) countedOpens(sc scope) (opens []Open) {
	limited, others := 0, 0
	mostly429 := 2*sc.counts.limited > sc.counts.failures
	for _, o := range sc.opens {
		switch {
		case o.Reason != string(breaker.ReasonConsecutive):
			others++
		case o.Status == 429 || o.Status == 0 && mostly429 && o.LastFailed <= 0:
			limited++
		default:
			opens = append(opens, o)
		}
	}
	if limited >= leastOpens {
		a.note("%d opens were for 429s: the host was up, and the rate is what helps, not %s", limited, FieldName(FieldFailMax, sc.role))
	}
	if others >= leastOpens {
		a.note("%d opens were not by failures in a row: %s does not decide about them", others, FieldName(FieldFailMax, sc.role))
	}
	return opens
}

// judge tells true opens from false ones. One is true if so many of its probes failed
// as the usual share of failures hardly explains. Those whose first probes were good
// are false if there are no more of them than the usual failures explain, and true, the
// outages being short, if there are surely more; but of a host whose failures come in bursts
// that proves no outage, and a lower fail_max would open for each burst.
func (a *adviser) judge(opens []Open, sc scope, low, high float64) (v verdicts) {
	rare := 1 - a.settings.Sure
	clean := 0
	for _, o := range opens {
		failed := max(0, o.ProbesFailed)
		if failed == 0 && o.LastFailed > 0 {
			failed = 1
		}
		switch {
		case failed > 0 && power(high, failed) <= rare:
			v.right++
		case o.FirstGood > 0:
			clean++
		default:
			v.unknown++ // it is not over, or was ended by somebody
		}
	}
	k := max(1, sc.policy.FailMax)
	switch {
	case atLeast(clean, a.calls(sc)/callsPerTrip(k, low)) > rare:
		v.wrong += clean
	case a.memory.failures.Dispersion() < bursts && atLeast(clean, a.calls(sc)/callsPerTrip(k, high)) < rare:
		v.right += clean
	default:
		v.unknown += clean
	}
	return v
}

// power is x to the power of n, of which more than a few make no difference.
func power(x float64, n int) float64 {
	product := 1.0
	for range min(n, 64) {
		product *= x
	}
	return product
}

// failMax is the smallest that opens for usual failures no more often than once in
// FalseTripEvery, and false where even the greatest allowed does.
func (a *adviser) failMax(sc scope, usual float64) (k int, enough bool) {
	calls := a.calls(sc) / a.window().Seconds() * a.settings.FalseTripEvery.Seconds()
	l := limits[FieldFailMax]
	for k = int(l.Least); k < int(l.Most); k++ {
		if callsPerTrip(k, usual) >= calls {
			return k, true
		}
	}
	return k, callsPerTrip(k, usual) >= calls
}

// calls is how many calls there were that count for a run of failures.
func (a *adviser) calls(sc scope) float64 {
	return min(sc.counts.judged, mostRate*a.window().Seconds())
}

// every is how often k failures in a row come up where a share fails and nothing is
// wrong, in words.
func (a *adviser) every(sc scope, k int, share float64) string {
	return spell(callsPerTrip(max(1, k), share) * a.window().Seconds() / max(a.calls(sc), 1))
}

// window is the time that was counted in.
func (a *adviser) window() time.Duration {
	if a.m.Window <= 0 {
		return a.settings.Window
	}
	return max(a.m.Window, time.Second)
}

func (a *adviser) raiseFailMax(sc scope, v verdicts, usual float64, need int, enough bool, sure float64) {
	current := sc.policy.FailMax
	if !enough {
		a.note("up to %.1f %% of its calls fail when it is up: failures in a row tell little, and even %s %d opens for them; failure_rate is the better rule",
			100*usual, FieldName(FieldFailMax, sc.role), need)
	}
	if need <= current {
		if enough {
			a.note("%d of its opens were false, but with %d failures in a row no more of them come than one in %s, as is allowed",
				v.wrong, current, spell(a.settings.FalseTripEvery.Seconds()))
		}
		return
	}
	a.propose(Suggestion{
		Field: FieldFailMax, Role: sc.role, Rule: RuleFalseTrips,
		Why: sc.says("%d of %d opens were false (the first probe was good): its usual failures, up to %.1f %% of the calls, come %d in a row once in %s, but %d in a row only once in %s.",
			v.wrong, v.wrong+v.right, 100*usual, current, a.every(sc, current, usual), need, a.every(sc, need, usual)),
		Numbers:    a.tripNumbers(v, usual, current, need),
		Confidence: sure, Current: float64(current), Proposed: float64(need),
	})
}

func (a *adviser) lowerFailMax(sc scope, v verdicts, usual float64, need int, sure float64) {
	current := sc.policy.FailMax
	if need >= current {
		a.note("it opened %d times, %d of them for outages that were true: with fewer than %d failures in a row it would also open for usual ones", v.right+v.wrong, v.right, current)
		return
	}
	a.propose(Suggestion{
		Field: FieldFailMax, Role: sc.role, Rule: RuleLateTrips,
		Why: sc.says("%d of %d opens were true outages, and when it is up at most %.1f %% of its calls fail: %d failures in a row tell an outage, the %d that it takes now are %d calls too many each time.",
			v.right, v.wrong+v.right, 100*usual, need, current, current-need),
		Numbers:    a.tripNumbers(v, usual, current, need),
		Confidence: sure, Current: float64(current), Proposed: float64(need),
	})
}

func (a *adviser) tripNumbers(v verdicts, usual float64, current, need int) []Number {
	most := func(k int) float64 { return min(callsPerTrip(max(1, k), usual), mostCalls) }
	return []Number{
		{Name: "true opens", Value: float64(v.right)},
		{Name: "false opens", Value: float64(v.wrong)},
		{Name: "usual share of failures, at most", Value: usual},
		{Name: "calls for each false open now", Value: most(current), Unit: "calls"},
		{Name: "calls for each false open then", Value: most(need), Unit: "calls"},
	}
}
