package planner

import (
	"slices"
	"time"

	"fleetfuse/tuner"
)

// drawn is a plan that can still be enforced.
type drawn struct {
	Plan
	enforced bool
}

// Keep remembers a plan for keepPlan, so that it can be enforced: what enforcing needs
// of it. One that changes nothing now is not kept.
func (p *Planner) Keep(now time.Time, plan *Plan) {
	p.plans = slices.DeleteFunc(p.plans, func(x *drawn) bool { return now.Sub(x.Made).Abs() > keepPlan })
	kept := Plan{ID: plan.ID, Made: plan.Made, Window: plan.Window}
	due := false
	for i := range plan.Hosts {
		h := &plan.Hosts[i]
		made, later := h.chosen(Now), h.chosen(Later)
		if len(made)+len(later) == 0 {
			continue
		}
		short := HostPlan{Changes: slices.Concat(made, later)}
		short.Metrics.Key, short.Before = h.Key(), h.Before
		if len(made) > 0 {
			due = true
			rule := made[0].Rule
			short.Proof, short.Inputs = map[tuner.Rule]Proof{rule: h.Proof[rule]}, h.Inputs
		}
		kept.Hosts = append(kept.Hosts, short)
	}
	if !due {
		return
	}
	if len(p.plans) == maxPlans {
		p.plans = slices.Delete(p.plans, 0, 1)
	}
	p.plans = append(p.plans, &drawn{Plan: kept})
}
