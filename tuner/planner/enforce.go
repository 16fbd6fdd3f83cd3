package planner

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/guard"
)

// Errors of Enforce.
var (
	// ErrUnknownPlan says that a plan is too old, changes nothing, was another tuner's, or
	// never was.
	ErrUnknownPlan = errors.New("this plan is not known")
	// ErrEnforced says that a plan was enforced before.
	ErrEnforced = errors.New("this plan was enforced already; ask for advice again")
	// ErrNotRecalled says that the tuner does not know yet what was done before it.
	ErrNotRecalled = errors.New("the tuner has just come to this member and has not heard yet what was done before; try again in a few seconds")
	// ErrNothing says that a plan has nothing to enforce.
	ErrNothing = errors.New("nothing in this plan is to be enforced: the reasons stand beside its changes")
)

// An Order is a change of the tuner's overlay of one breaker, to be carried out.
type Order struct {
	Key     breaker.Key
	Changes []Change
	// Undo says that the overlay becomes Before again. Else the changes are laid
	// over it: over that and nothing else, Before must be what is there.
	Undo   bool
	Before string
	Cause  Cause
	// Waiting get the same change if it does well; Trial is how it is watched.
	Waiting []Waiting
	Trial   canary.State
}

// A Cause says why an order was given.
type Cause struct {
	Kind   guard.Event
	Plan   string
	Why    string
	Author string
}

// Enforce has the changes of a plan made that its verdict is Now for. A plan is
// enforced once.
func (p *Planner) Enforce(now time.Time, id, author string) ([]Order, error) {
	if !p.recalled {
		return nil, ErrNotRecalled
	}
	plan := p.planOf(id)
	switch {
	case plan == nil || now.Sub(plan.Made).Abs() > keepPlan: // of the future: the clock was set back
		return nil, ErrUnknownPlan
	case plan.enforced:
		return nil, ErrEnforced
	}
	var orders []Order
	for i := range plan.Hosts {
		h := &plan.Hosts[i]
		if chosen := h.chosen(Now); p.may(now, h.Key(), chosen, orders) {
			orders = append(orders, Order{
				Key: h.Key(), Changes: chosen, Before: h.Before,
				Cause: Cause{Kind: guard.Enforced, Plan: id, Why: fmt.Sprintf("%s: %s", chosen[0].Rule, chosen[0].Why), Author: author},
			})
		}
	}
	orders = p.watched(orders, &plan.Plan)
	if len(orders) == 0 {
		return nil, ErrNothing
	}
	plan.enforced = true
	return orders, nil
}

func (p *Planner) planOf(id string) *drawn {
	if i := slices.IndexFunc(p.plans, func(x *drawn) bool { return x.ID == id }); i >= 0 {
		return p.plans[i]
	}
	return nil
}

// may reports whether an order of these changes may be given beside others: something
// may have been done since they were planned, and a record of another member may say
// anything.
func (p *Planner) may(now time.Time, key breaker.Key, changes []Change, beside []Order) bool {
	made := 0
	for i := range beside {
		if beside[i].Key == key {
			return false
		}
		if !beside[i].Undo {
			made++
		}
	}
	if !oneChange(changes) || made >= p.left(now) || p.trialOf(key) != nil {
		return false
	}
	return !slices.ContainsFunc(changes, func(c Change) bool { return !p.ledger.May(now, changeOf(key, &c.Suggestion)).OK })
}

// oneChange reports whether one order can make these changes: they are of one rule and
// role, and of a field each, with numbers that a record can have.
func oneChange(changes []Change) bool {
	for i := range changes {
		c := &changes[i]
		if sum := c.Current + c.Proposed + c.Confidence; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return false
		}
		if groupOf(&changes[i]) != groupOf(&changes[0]) ||
			slices.ContainsFunc(changes[:i], func(c Change) bool { return c.Field == changes[i].Field }) {
			return false
		}
	}
	return len(changes) > 0 && len(changes) <= guard.MaxChanges
}

// Waiting are the breakers whose change a plan leaves for later.
func (p *Planner) Waiting(id string) (keys []breaker.Key) {
	plan := p.planOf(id)
	if plan == nil {
		return nil
	}
	for i := range plan.Hosts {
		if len(plan.Hosts[i].chosen(Later)) > 0 {
			keys = append(keys, plan.Hosts[i].Key())
		}
	}
	return keys
}
