package node

import (
	"fmt"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
	"fleetfuse/tuner/replay"
)

// shownPlan is a plan as the API shows it.
func shownPlan(p *planner.Plan, proofs map[breaker.Key]proven) api.AdviceResponse {
	a := api.AdviceResponse{ID: p.ID, MadeAt: p.Made.UTC(), WindowMS: p.Window.Milliseconds(), Breakers: make([]api.BreakerAdvice, len(p.Hosts))}
	for i := range p.Hosts {
		h := &p.Hosts[i]
		b := api.BreakerAdvice{Key: string(h.Key()), Changes: shownChanges(h.Changes), Notes: h.Advice.Notes, Seen: shownSeen(&h.Metrics)}
		if rule, c := chosenProof(h.Changes, proofs[h.Key()]); rule != "" {
			b.Proof = shownProof(rule, c)
		}
		a.Breakers[i] = b
	}
	return a
}

// chosenProof is what a replay says of the change that is made, or else of the first
// that it says something of.
func chosenProof(changes []planner.Change, found proven) (tuner.Rule, *replay.Comparison) {
	inOrder := slices.Clone(changes)
	slices.SortStableFunc(inOrder, func(a, b planner.Change) int {
		refused := func(c planner.Change) int {
			if c.Verdict == planner.Refused {
				return 1
			}
			return 0
		}
		return refused(a) - refused(b)
	})
	for _, c := range inOrder {
		if comparison, ok := found[c.Rule]; ok {
			return c.Rule, &comparison
		}
	}
	return "", nil
}

func shownChanges(changes []planner.Change) []api.SuggestedChange {
	list := make([]api.SuggestedChange, len(changes))
	for i, c := range changes {
		list[i] = api.SuggestedChange{
			Field: tuner.FieldName(c.Field, c.Role), From: shownValue(c.Field, c.Current), To: shownValue(c.Field, c.Proposed),
			Rule: string(c.Rule), Why: c.Why, Confidence: c.Confidence, Verdict: string(c.Verdict), Reason: c.Reason, Evidence: []api.AdviceEvidence{},
		}
		for _, n := range c.Numbers {
			list[i].Evidence = append(list[i].Evidence, api.AdviceEvidence{Name: n.Name, Value: n.Value, Unit: n.Unit})
		}
	}
	return list
}

// shownValue is a value as policies show it: durations are text.
func shownValue(field string, v float64) any {
	if field == tuner.FieldResetTimeout {
		return (time.Duration(v * float64(time.Second))).String()
	}
	return v
}

func shownSeen(m *tuner.HostMetrics) api.AdviceMetrics {
	c := &m.All
	a := api.AdviceMetrics{
		WindowMS: m.Window.Milliseconds(), Calls: c.Net() + c.FromCache, NetCalls: c.Net(), Limited: c.Limited, Server: c.Server,
		Unavailable: c.Unavailable, Timeouts: c.Timeouts, Other: c.Other, Rejected: c.Rejected, Opens: len(m.Opens),
		ProbesOK: c.ProbesOK, ProbesFailed: c.ProbesFailed, LongestRun: c.LongestRun, Changed: m.Changed,
	}
	if d, ok := tuner.MedianWait(m.RetryAfter); ok {
		a.RetryAfterMS = d.Milliseconds()
	}
	return a
}

// assumed names the imputations for people, in the order in which they are shown.
var assumed = [replay.Imputations]string{replay.Optimistic: "optimistic", replay.Pessimistic: "pessimistic", replay.Mean: "expected"}

func shownProof(rule tuner.Rule, c *replay.Comparison) *api.AdviceProof {
	p := &api.AdviceProof{Rule: string(rule), Accepted: c.Verdict.Accepted, Why: c.Verdict.Reason}
	for _, how := range []replay.Imputation{replay.Optimistic, replay.Mean, replay.Pessimistic} {
		d := &c.By[how]
		p.Runs = append(p.Runs, api.AdviceReplay{
			Assumed: assumed[how], Old: shownReplay(&d.Old), New: shownReplay(&d.New),
			Gain: -d.Cost, LeastGain: -d.Interval.High, MostGain: -d.Interval.Low,
		})
	}
	return p
}

func shownReplay(r *replay.Result) api.ReplayCount {
	return api.ReplayCount{
		LetThrough: r.LetThrough, FailuresPassed: r.FailuresThrough, RejectedWrongly: r.RejectedWrongly, RejectedRightly: r.RejectedRightly,
		Probes: r.Probes, ProbesFailed: r.FailedProbes, Opens: r.Opens, Cost: r.Cost,
	}
}

func shownTrials(trials []planner.Trial) (list []api.Trial) {
	for i := range trials {
		t := &trials[i]
		x := api.Trial{Plan: t.Plan, Since: t.Began.UTC(), State: t.Doing(), Changes: []api.SuggestedChange{}}
		for _, key := range t.Keys() {
			x.Keys = append(x.Keys, string(key))
		}
		for _, w := range t.Waiting {
			x.Waiting = append(x.Waiting, string(w.Key))
		}
		if len(t.Tried) > 0 {
			x.Changes = shownChanges(t.Tried[0].Changes)
		}
		list = append(list, x)
	}
	return list
}

// textOf is a value in a sentence.
func textOf(v any) string { return fmt.Sprint(v) }
