package tuner

import (
	"slices"

	"fleetfuse/tuner/guard"
)

// The rules about 429s. Slowing down multiplies, speeding up adds (AIMD): Chiu and
// Jain, Analysis of the increase and decrease algorithms for congestion avoidance
// in computer networks, 1989. Between the two shares nothing is done, so that they
// do not take turns.
const (
	limitedShare = 0.05  // above it a host is asked too much
	quietShare   = 0.025 // below it a rate that was lowered may rise
	fewest429s   = 3     // in a window; below it they tell of a moment, not of a rate
	slower       = 0.8   // factor
	faster       = 0.1   // summand: the dead band of 10 % lets no smaller one through near 1
	nearFull     = 0.909 // from here to 1 is within the dead band: nothing stops between the two
	// quietBuckets is how many buckets with calls a memory must have for a window with
	// few calls to be judged by it: at least ten minutes.
	quietBuckets = 60
	// plentiful are as many calls of one member as are always counted: enough to be sure
	// of any share that differs from the limit by a quarter.
	plentiful = 2000
)

// limited decides about the rate multiplier.
func (a *adviser) limited(sc scope) {
	if sc.counts.limited < fewest429s {
		a.speedUp(sc)
		return
	}
	sure := a.share429(sc).above(limitedShare)
	roles := a.roleOverLimit(sc)
	switch {
	case len(roles) > 0:
		for _, r := range roles {
			a.slowDown(r)
		}
	case sure >= a.settings.Sure:
		node, others := a.without(sc, func(t totals) float64 { return t.limited })
		if others.below(limitedShare) >= a.settings.Sure {
			a.note("only node %s is answered 429 too often, and the others surely are not: slow down there, not in the fleet", node)
			return
		}
		a.slowDown(sc)
	default:
		a.speedUp(sc)
	}
}

// slowDown proposes a lower rate for a scope whose share of 429s is too high.
func (a *adviser) slowDown(sc scope) {
	c, current := sc.counts, sc.policy.RateMultiplier
	lower, _ := guard.Clamp(FieldRateMultiplier, current, current*slower)
	if limits[FieldRateMultiplier].Least <= current && current-lower < guard.DeadBand*current {
		a.note("%s is at its lowest and the host still sends 429s: fewer callers, or a quota to ask for", FieldName(FieldRateMultiplier, sc.role))
		return
	}
	a.propose(Suggestion{
		Field: FieldRateMultiplier, Role: sc.role, Rule: RuleLimited,
		Why: sc.says("%.0f of %.0f calls (%.1f %%) were answered 429, more than %.0f %%: call it at %.3g of its rate, not %.3g.",
			c.limited, c.judged, 100*c.limited/c.judged, 100*limitedShare, lower, current),
		Numbers: []Number{
			{Name: "share of 429", Value: c.limited / c.judged},
			{Name: "429s", Value: c.limited, Unit: "calls"},
			{Name: "calls", Value: c.judged, Unit: "calls"},
			{Name: "limit of the share", Value: limitedShare},
		},
		Confidence: a.share429(sc).above(limitedShare),
		Current:    current, Proposed: lower,
	})
}

// speedUp proposes a rate nearer to the full one, where it was lowered and the host
// is quiet.
func (a *adviser) speedUp(sc scope) {
	current, full := sc.policy.RateMultiplier, 1.0
	if sc.homely {
		full = min(sc.home.RateMultiplier, 1)
	}
	if !(current < full) {
		return
	}
	higher := min(current+faster, full)
	if higher > nearFull*full { // on to the full rate, or as far as the way to it stays open
		higher = full
		if current*(1+limits[FieldRateMultiplier].Step) < full {
			higher = nearFull*full - 0.01
		}
	}
	higher, _ = guard.Clamp(FieldRateMultiplier, current, higher)
	sure := a.quiet(sc)
	if sure < a.settings.Sure {
		return
	}
	if node, others := a.without(sc, func(t totals) float64 { return t.judged }); others.above(quietShare) >= a.settings.Sure {
		a.note("only with what node %s counted is the host quiet, the others are answered 429: %s stays", node, FieldName(FieldRateMultiplier, sc.role))
		return
	}
	c := sc.counts
	a.propose(Suggestion{
		Field: FieldRateMultiplier, Role: sc.role, Rule: RuleQuiet,
		Why: sc.says("%.0f of %.0f calls were answered 429, surely fewer than %.1f %% in the long run: it may be called at %.3g of its rate again, not only %.3g.",
			c.limited, c.judged, 100*quietShare, higher, current),
		Numbers: []Number{
			{Name: "share of 429", Value: c.limited / c.judged},
			{Name: "429s", Value: c.limited, Unit: "calls"},
			{Name: "calls", Value: c.judged, Unit: "calls"},
			{Name: "limit of the share", Value: quietShare},
		},
		Confidence: sure, Current: current, Proposed: higher,
	})
}

// quiet is how probable it is that the host hardly sends 429s any more: as the window
// has it or, where that has few calls and no 429, as it is usual for the host.
func (a *adviser) quiet(sc scope) float64 {
	c := sc.counts
	if c.judged == 0 {
		return 0
	}
	now := a.share429(sc).below(quietShare)
	if m := a.memory; m != nil && c.limited == 0 && m.limited.Since() >= quietBuckets {
		usual, calls := m.limited.Usual(), m.limited.Calls()
		now = max(now, believe(usual*calls, calls, m.excess()).below(quietShare))
	}
	return now
}

// roleOverLimit lists the roles, of those that share a number, that are surely
// answered 429 too often while others surely are not; none if it is no matter of roles.
func (a *adviser) roleOverLimit(sc scope) (over []scope) {
	if sc.role != "" {
		return nil
	}
	under := false
	for i := range a.m.Roles {
		role := a.m.Roles[i].Role
		told := slices.ContainsFunc(over, func(s scope) bool { return s.role == role })
		if role == "" || told || a.policy.Roles[role].RateMultiplier != 0 {
			continue
		}
		counts := a.ofRole(role)
		sure := believe(counts.limited, counts.judged, a.memory.excess()).above(limitedShare)
		under = under || sure <= 1-a.settings.Sure
		if counts.limited >= fewest429s && sure >= a.settings.Sure {
			over = append(over, a.scope(role, counts))
		}
	}
	if !under {
		return nil
	}
	return over
}

// share429 is what is believed of the share of 429s.
func (a *adviser) share429(sc scope) posterior {
	c := sc.counts
	if len(a.m.ByNode) > 1 && sc.whole {
		c = a.bounded(-1)
	}
	return believe(c.limited, c.judged, a.memory.excess())
}

// without is what is believed of the share of 429s without the member that has most of
// something: of a sick one, or one that counts what never was, the fleet must not learn.
// It is nothing in particular where the counts by member are not known, or are of other
// calls than the scope's.
func (a *adviser) without(sc scope, most func(totals) float64) (node string, others posterior) {
	if len(a.m.ByNode) < 2 || !sc.whole {
		return "", believe(0, 0, 1)
	}
	heaviest := 0
	for i := range a.m.ByNode {
		if most(totalsOf(&a.m.ByNode[i].Counts)) > most(totalsOf(&a.m.ByNode[heaviest].Counts)) {
			heaviest = i
		}
	}
	c := a.bounded(heaviest)
	return a.m.ByNode[heaviest].Node, believe(c.limited, c.judged, a.memory.excess())
}

// bounded are the counts of all members but one (-1: of all). None counts for more
// than the median one does four times, or than plentiful calls.
func (a *adviser) bounded(but int) (sum totals) {
	calls := make([]float64, len(a.m.ByNode))
	for i := range a.m.ByNode {
		calls[i] = totalsOf(&a.m.ByNode[i].Counts).judged
	}
	slices.Sort(calls)
	most := max(plentiful, 4*calls[(len(calls)-1)/2])
	for i := range a.m.ByNode {
		if t := totalsOf(&a.m.ByNode[i].Counts); i != but {
			sum = sum.plus(t, min(1, most/max(t.judged, 1)))
		}
	}
	return sum
}
