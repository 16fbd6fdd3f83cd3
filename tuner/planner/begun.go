package planner

import (
	"maps"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/guard"
)

// What is told before and instead of guard.Enforced. The ledger counts neither.
const (
	// Begun says that a change is about to be made. If nobody tells what became of it
	// the member that hosted the tuner was lost in between.
	Begun guard.Event = "begun"
	// NotMade says that it was not made, was taken back because nobody could tell, or was
	// gone when it was to be undone.
	NotMade guard.Event = "not-made"
)

// Limits of changes that were begun.
const (
	maxBegun = 1000            // beyond it the later ones are not remembered
	begunFor = 2 * time.Minute // longer than carrying one out and telling of it takes
)

// Begin is told before orders are carried out, and returns what is to be kept before
// the first of them is: a change that no member knows of would be watched by nobody.
func (p *Planner) Begin(now time.Time, orders []Order) (records []Record) {
	for i := range orders {
		if o := orders[i]; !o.Undo {
			o.Cause.Kind = Begun
			r := p.recordOf(now, &o)
			p.take(now, &r)
			records = append(records, r)
		}
	}
	return records
}

// beginning remembers that a change is about to be made.
func (p *Planner) beginning(r *Record) {
	if len(p.begun) < maxBegun && oneChange(r.Done) {
		p.begun[r.Key] = *r
	}
}

// lost orders undone what was begun and of which nobody told the end.
func (p *Planner) lost(now time.Time) (orders []Order) {
	for _, key := range slices.Sorted(maps.Keys(p.begun)) {
		r := p.begun[key]
		at := time.UnixMilli(r.At)
		switch t := p.trialOf(key); {
		case p.over(now, at, key) || t != nil && !t.Began.Before(at):
			delete(p.begun, key)
		case now.Sub(at) > begunFor || at.After(now.Add(begunFor)):
			orders = append(orders, Order{
				Key: key, Changes: r.Done, Undo: true, Before: r.Before,
				Cause: Cause{Kind: NotMade, Plan: r.Plan, Why: "the member that hosted the tuner was lost while it was made", Author: Author},
			})
		}
	}
	return orders
}

// notMade is the record of an order that was not carried out.
func (p *Planner) notMade(now time.Time, o Order, err error) Record {
	o.Cause.Kind, o.Cause.Why = NotMade, breaker.Cut(err.Error())
	return p.recordOf(now, &o)
}

// EndedBy reports whether another record says what became of a change that was begun.
func (r *Record) EndedBy(later Record) bool {
	return later.Key == r.Key && later.Plan == r.Plan && later.Kind != Begun && later.At >= r.At
}
