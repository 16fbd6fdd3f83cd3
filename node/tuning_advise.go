package node

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/httpapi"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
)

// Limits of a plan.
const (
	maxAdvised = 500 // breakers in one
	maxChanged = 50  // whose window is looked at again because they changed in it
	looksMost  = 8   // of them at once
	// longestOutage is how long before the window an outage may have begun that is
	// counted: of one that began earlier it is not known how long it lasts.
	longestOutage = 6 * time.Hour
)

// advise looks at the last so much time, as configured with 0, of one breaker or of
// all, and draws a plan.
func (t *tuning) advise(ctx context.Context, key breaker.Key, window time.Duration) (api.AdviceResponse, error) {
	n := t.node
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
	d, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) drawn { return drawn{p.Draw(wall, window, cases), p.Trials()} })
	if err != nil {
		return api.AdviceResponse{}, err
	}
	a := shownPlan(&d.plan, proofs)
	a.Tuner, a.Mode = n.opt.Name, n.policies.current().Tuner.Mode
	a.Nodes, a.Missing, a.Looked, a.More = seen.nodes, seen.missing, len(seen.metrics), more
	a.Blocked, a.Trials = t.blocked(ctx), shownTrials(d.trials)
	return a, nil
}

// look is what callers of all members saw in a window.
type look struct {
	metrics        []tuner.HostMetrics
	nodes, missing []string
	events         []api.Event
}

func (t *tuning) look(ctx context.Context, key breaker.Key, window time.Duration) (l look) {
	n := t.node
	_, wall := n.clock.Both()
	var asks sync.WaitGroup
	asks.Go(func() {
		l.events = n.hub.Query(ctx, follow.Question{Limit: maxTunerEvents, Filter: follow.Filter{
			Since: wall.Add(-window - longestOutage), Key: string(key),
			Kinds: []string{string(telemetry.KindTransition), string(telemetry.KindOperator), string(telemetry.KindProbe)},
		}}).Events
	})
	fleet := n.Usage(ctx, key, window)
	asks.Wait()
	l.metrics, l.nodes, l.missing = telemetry.HostMetrics(fleet, l.events, window, wall), fleet.Nodes, fleet.Missing
	now := n.clock.Now()
	for i := range l.metrics {
		m := &l.metrics[i]
		m.Home = n.policies.home(m.Key, n.board.Of(m.Key).Overlays, now)
	}
	return l
}

// answering are the members but those that did not answer just now: asked again for
// each breaker, they would keep a plan from being made in time.
func (t *tuning) answering(missing []string) []follow.Member {
	return slices.DeleteFunc(everyone{t.node}.Members(), func(m follow.Member) bool { return slices.Contains(missing, m.Name) })
}

// cut looks again at breakers whose host changed within the window: what was counted
// before that says nothing of it. How it opened counts all the same.
func (t *tuning) cut(ctx context.Context, l *look, window time.Duration) error {
	n := t.node
	_, wall := n.clock.Both()
	bucket := int64(rollup.BucketOf(wall))
	changed, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) map[int]time.Duration {
		list := map[int]time.Duration{}
		for i := range l.metrics {
			if since, ok := p.Recently(l.metrics[i].Key, bucket, window); ok && len(list) < maxChanged {
				list[i] = since
			}
		}
		return list
	})
	if err != nil {
		return err
	}
	members := t.answering(l.missing)
	room := make(chan struct{}, looksMost)
	var looks sync.WaitGroup
	for i, since := range changed {
		room <- struct{}{}
		looks.Go(func() {
			defer func() { <-room }()
			m := &l.metrics[i]
			after := telemetry.HostMetrics(n.usageOfAll(ctx, members, m.Key, since), nil, since, wall)
			if len(after) != 1 {
				return
			}
			after[0].Opens, after[0].Home, after[0].Changed = m.Opens, m.Home, true
			after[0].Missing, after[0].Members = m.Missing, m.Members
			*m = after[0]
		})
	}
	looks.Wait()
	return nil
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
