package planner

import (
	"maps"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/guard"
)

// Judge looks at how the changes on trial do: it orders those undone that are
// worse, and those of which it is not known whether they were made, and, if extend,
// those made that waited for one that did well. records tell of such.
func (p *Planner) Judge(now time.Time, extend bool) (orders []Order, records []Record) {
	orders = p.lost(now)
	for _, name := range slices.Sorted(maps.Keys(p.trials)) {
		t := p.trials[name]
		p.follow(t)
		switch {
		case t.state.Verdict == canary.Rollback:
			orders = append(orders, t.undo()...)
		case t.state.Verdict == canary.Promote && extend:
			orders = p.extended(now, t, orders)
			records = append(records, p.promote(now, t)...)
		}
	}
	return orders, records
}

// follow feeds a trial the intervals that are over. Of those before what is remembered,
// as after hours in which the node was suspended, only the time counts.
func (p *Planner) follow(t *Trial) {
	others := t.state.Against == canary.Others
	// Of a tuner with other settings, beside an older one: see measure. Or of one that did
	// not write down what it is held against: nothing would seem to cost nothing.
	if t.length != p.length || others && len(t.Waiting) == 0 {
		t.state = canary.State{Verdict: canary.Rollback, Why: canary.Unreadable}
		return
	}
	last := p.intervalOf(p.seen + 1)
	if lost := last - keepIntervals - 1 - t.judged; lost > 0 {
		t.judged += lost
		t.state = t.state.Pass(t.length, lost)
	}
	var held []breaker.Key
	if others {
		held = keysOf(t.Waiting)
	}
	for t.judged+1 < last {
		t.judged++
		t.state = t.state.Update(p.trialInterval(t.Keys(), held, t.judged))
	}
}

// undo orders the change of a trial undone.
func (t *Trial) undo() (orders []Order) {
	for _, x := range t.Tried {
		orders = append(orders, Order{
			Key: x.Key, Changes: x.Changes, Undo: true, Before: x.Before,
			Cause: Cause{Kind: guard.RolledBack, Plan: t.Plan, Why: whyUndone[t.state.Why], Author: Author},
		})
	}
	return orders
}

// Author is who does what the tuner does by itself.
const Author = "tuner"

// whyUndone says it for people.
var whyUndone = map[canary.Reason]string{
	canary.Worse:      "calls went worse after it than before, or than where it was not made",
	canary.Undecided:  "whether it did any good could not be told in time",
	canary.Unreadable: "what was known of its trial was lost",
}

// promote ends a trial that did well.
func (p *Planner) promote(now time.Time, t *Trial) (records []Record) {
	for _, x := range slices.Clone(t.Tried) {
		r := p.recordOf(now, &Order{Key: x.Key, Changes: x.Changes, Before: x.Before, Cause: Cause{
			Kind: guard.Promoted, Plan: t.Plan, Why: "calls did not go worse after it", Author: Author,
		}})
		p.take(now, &r)
		records = append(records, r)
	}
	return records
}

// extended orders, beside others, the change of a trial that did well where it waited
// for that.
func (p *Planner) extended(now time.Time, t *Trial, orders []Order) []Order {
	n := len(orders)
	for _, w := range t.Waiting {
		if p.seenIntervals(w.Key) >= canary.LeastPast && p.may(now, w.Key, w.Changes, orders) && cohortOf(w.Changes) == t.Cohort {
			orders = append(orders, Order{
				Key: w.Key, Changes: w.Changes, Before: w.Before,
				Cause: Cause{Kind: guard.Enforced, Plan: t.Plan, Why: "it did well with " + some(t.Keys()), Author: Author},
			})
		}
	}
	keys := make([]breaker.Key, len(orders)-n)
	for i := range keys {
		keys[i] = orders[n+i].Key
	}
	state, err := p.watch(keys, nil) // they are one trial
	if err != nil {
		return orders[:n]
	}
	for i := range orders[n:] {
		orders[n+i].Trial = state
	}
	return orders
}
