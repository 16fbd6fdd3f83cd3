package planner

import (
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/canary"
)

// choose lets a change that several hosts need be tried with a few of them first.
func (p *Planner) choose(plan *Plan) {
	cohorts := map[string][]breaker.Key{}
	for i := range plan.Hosts {
		if chosen := plan.Hosts[i].chosen(Now); len(chosen) > 0 {
			name := cohortOf(chosen)
			cohorts[name] = append(cohorts[name], plan.Hosts[i].Key())
		}
	}
	for i := range plan.Hosts {
		h := &plan.Hosts[i]
		chosen := h.chosen(Now)
		if len(chosen) == 0 {
			continue
		}
		name := cohortOf(chosen)
		if t := p.trying(name); t != nil {
			h.settle(Now, Refused, fmt.Sprintf("the same change is tried with %s since %s", some(t.Keys()), t.Began.UTC().Format(time.TimeOnly)))
			continue
		}
		first := canary.Choose(cohorts[name], p.settings.Trial.Share, plan.ID)
		if !slices.Contains(first, h.Key()) {
			h.settle(Now, Later, fmt.Sprintf("it is made if it does well with %s", some(first)))
		}
	}
}

// spend refuses what a plan would change beyond the fleet's budget of the day, and
// beyond what can be watched, and what would wait for nothing but that.
func (p *Planner) spend(now time.Time, plan *Plan) {
	left := p.left(now)
	const reason = "the fleet has no more changes of the day left than those that come first"
	tried := map[string]bool{}
	for i := range plan.Hosts {
		h := &plan.Hosts[i]
		if chosen := h.chosen(Now); len(chosen) > 0 && left > 0 {
			left--
			tried[cohortOf(chosen)] = true
		} else {
			h.settle(Now, Refused, reason)
		}
	}
	for i := range plan.Hosts {
		if later := plan.Hosts[i].chosen(Later); len(later) > 0 && !tried[cohortOf(later)] {
			plan.Hosts[i].settle(Later, Refused, reason)
		}
	}
}

// left is how many more breakers may be changed and watched now.
func (p *Planner) left(now time.Time) int {
	return min(p.ledger.FleetLeft(now), maxTried-p.tried())
}

// settle gives changes with one verdict another.
func (h *HostPlan) settle(from, to Verdict, reason string) {
	for i := range h.Changes {
		if c := &h.Changes[i]; c.Verdict == from {
			c.Verdict, c.Reason = to, reason
		}
	}
}

// cohortOf names the hosts that need the same kind of change.
func cohortOf(changes []Change) string {
	name := string(changes[0].Rule) + "/" + changes[0].Role
	for _, c := range changes {
		way := "+"
		if c.Proposed < c.Current {
			way = "-"
		}
		name += " " + way + c.Field
	}
	return name
}

// some names up to three keys.
func some(keys []breaker.Key) string {
	const most = 3
	text := ""
	for i, k := range keys[:min(len(keys), most)] {
		if i > 0 {
			text += ", "
		}
		text += k.Name()
	}
	if n := len(keys) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}
