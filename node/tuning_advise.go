package node

import (
	"cmp"
	"context"
	"errors"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/httpapi"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
)

// maxAdvised bounds the breakers of a plan.
const maxAdvised = 500

// A purpose is what advice is for.
type purpose string

const (
	toEnforce purpose = ""        // its plan is kept
	toExplain purpose = "explain" // it has no plan
)

// advisedAtOnce bounds the plans that are made at once, each with replays of its own
// beside the decisions of this node.
const advisedAtOnce = 2

// enter waits for room to make a plan, or to run replays again.
func (t *tuning) enter(ctx context.Context) (leave func(), err error) {
	select {
	case t.room <- struct{}{}:
		return func() { <-t.room }, nil
	case <-ctx.Done():
		if err := context.Cause(ctx); !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		return nil, httpapi.ErrBusy
	}
}

// advise looks at the last so much time, as configured with 0, of one breaker or of
// all, and draws a plan.
func (t *tuning) advise(ctx context.Context, key breaker.Key, window time.Duration, what purpose) (api.AdviceResponse, error) {
	n := t.node
	leave, err := t.enter(ctx)
	if err != nil {
		return api.AdviceResponse{}, err
	}
	defer leave()
	window = cmp.Or(window, n.policies.current().Tuner.Window)
	seen := t.look(ctx, key, window)
	if err := context.Cause(ctx); err != nil { // members were not waited for
		return api.AdviceResponse{}, err
	}
	if key != "" && len(seen.metrics) == 0 && len(seen.missing) == 0 {
		return api.AdviceResponse{}, &httpapi.UncalledError{Key: key, Window: window}
	}
	if err := t.cut(ctx, &seen, window); err != nil {
		return api.AdviceResponse{}, err
	}
	advice, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) []tuner.HostAdvice { return p.Advise(seen.metrics, n.policies.of) })
	if err != nil {
		return api.AdviceResponse{}, err
	}
	cases, more := t.cases(seen.metrics, advice, key != "")
	proofs := t.prove(ctx, cases, seen.missing)
	type drawn struct {
		plan   planner.Plan
		trials []planner.Trial
	}
	_, wall := n.clock.Both()
	d, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) drawn {
		d := drawn{p.Draw(wall, window, cases), p.Trials()}
		if what == toEnforce {
			p.Keep(wall, &d.plan)
		}
		return d
	})
	if err != nil {
		return api.AdviceResponse{}, err
	}
	a := shownPlan(&d.plan, proofs)
	if what == toExplain {
		a.ID = ""
	}
	a.Tuner, a.Mode = n.opt.Name, n.policies.current().Tuner.Mode
	a.Nodes, a.Missing, a.Looked, a.More, a.Notes = seen.nodes, seen.missing, len(seen.metrics), more, seen.notes
	a.Blocked, a.Trials = t.blocked(ctx), shownTrials(d.trials)
	return a, nil
}

// cases are the breakers that there is something to say about, or all, the busiest
// first; more is how many were left out.
func (t *tuning) cases(metrics []tuner.HostMetrics, advice []tuner.HostAdvice, all bool) (cases []planner.Case, more int) {
	for i := range advice {
		if !all && len(advice[i].Suggestions) == 0 && len(advice[i].Notes) == 0 {
			continue
		}
		if len(cases) == maxAdvised {
			more++
			continue
		}
		s := t.node.board.Of(metrics[i].Key)
		cases = append(cases, planner.Case{
			Metrics: metrics[i], Advice: advice[i], Before: s.Overlay(breaker.RegisterTuner).Fields, Proof: map[tuner.Rule]planner.Proof{},
		})
	}
	return cases, more
}

// byRule are the suggestions of a case, by what proposes them.
func byRule(c *planner.Case) map[tuner.Rule][]tuner.Suggestion {
	list := map[tuner.Rule][]tuner.Suggestion{}
	for _, s := range c.Advice.Suggestions {
		list[s.Rule] = append(list[s.Rule], s)
	}
	return list
}

// tell writes advice down that is new.
func (t *tuning) tell(a *api.AdviceResponse) {
	now := time.Now() // and not the wall clock, which may step
	for said, at := range t.told {
		if now.Sub(at) > tellAgain {
			delete(t.told, said)
		}
	}
	for _, b := range a.Breakers {
		for i := range b.Changes {
			c := &b.Changes[i]
			said := b.Key + " " + c.Field + " " + c.Rule + " " + textOf(c.To)
			if _, known := t.told[said]; !known {
				t.told[said] = now
				t.node.events.suggested(breaker.Key(b.Key), a.ID, c)
			}
		}
	}
}

// tellAgain is after how long the same advice is told again.
const tellAgain = time.Hour
