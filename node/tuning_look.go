package node

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
)

// Limits of what a plan looks at.
const (
	maxChanged = 50 // breakers whose window is looked at again because they changed in it
	looksMost  = 8  // of them at once
	// longestOutage is how long before the window an outage may have begun that is
	// counted: of one that began earlier it is not known how long it lasts.
	longestOutage = 6 * time.Hour
)

// look is what callers of all members saw in a window.
type look struct {
	metrics        []tuner.HostMetrics
	nodes, missing []string
	notes          []string // about what could not be looked at
}

func (t *tuning) look(ctx context.Context, key breaker.Key, window time.Duration) (l look) {
	n := t.node
	_, wall := n.clock.Both()
	ask := func(kinds ...telemetry.Kind) (told api.EventsResponse) {
		q := follow.Question{Limit: maxTunerEvents, Filter: follow.Filter{Since: wall.Add(-window - longestOutage), Key: string(key)}}
		for _, k := range kinds {
			q.Kinds = append(q.Kinds, string(k))
		}
		return n.hub.Query(ctx, q)
	}
	var opens, probes api.EventsResponse
	var asks sync.WaitGroup
	asks.Go(func() { opens = ask(telemetry.KindTransition, telemetry.KindOperator) })
	asks.Go(func() { probes = ask(telemetry.KindProbe) }) // apart: there are more of them, and would leave no room
	fleet := n.Usage(ctx, key, window)
	asks.Wait()
	l.metrics = telemetry.HostMetrics(fleet, slices.Concat(opens.Events, probes.Events), window, wall)
	l.nodes, l.missing = fleet.Nodes, fleet.Missing
	l.noteEvents(&opens, "opens")
	l.noteEvents(&probes, "probes")
	now := n.clock.Now()
	for i := range l.metrics {
		m := &l.metrics[i]
		m.Home = n.policies.home(m.Key, n.board.Of(m.Key).Overlays, now)
	}
	return l
}

// noteEvents says which events could not be looked at.
func (l *look) noteEvents(told *api.EventsResponse, what string) {
	if told.More && len(told.Events) > 0 {
		l.note(fmt.Sprintf("there were more than %d %s of breakers: those before %s are not looked at", maxTunerEvents, what, told.Events[0].Time.UTC().Format(time.TimeOnly)))
	}
	for _, g := range told.Gaps {
		l.note(fmt.Sprintf("events of %s are missing (%s): opens and probes that it wrote down may be, too", g.Node, g.Reason))
	}
	for _, name := range told.Missing {
		if !slices.Contains(l.missing, name) { // who counts is noted with what it counts
			l.note("no events from " + name + ": opens and probes that it wrote down are missing")
		}
	}
}

// note takes note of something once.
func (l *look) note(text string) {
	if !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
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
			after[0].Opens, after[0].Earlier, after[0].Home, after[0].Changed = m.Opens, m.Earlier, m.Home, true
			after[0].Missing, after[0].Members = m.Missing, m.Members
			*m = after[0]
		})
	}
	looks.Wait()
	return nil
}
