package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
	"fleetfuse/httpapi"
	"fleetfuse/tuner"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// ordersAtOnce is how many breakers are changed at once.
const ordersAtOnce = 4

// enforce carries out a plan, exactly as it was shown.
func (t *tuning) enforce(ctx context.Context, plan, author string) (api.EnforceResponse, error) {
	if blocked := t.blocked(ctx); len(blocked) > 0 {
		return api.EnforceResponse{}, &httpapi.BlockedError{Reasons: blocked}
	}
	t.deciding.Lock()
	defer t.deciding.Unlock()
	type decided struct {
		orders  []planner.Order
		waiting []breaker.Key
		err     error
	}
	_, wall := t.node.clock.Both()
	d, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) decided {
		orders, err := p.Enforce(wall, plan, author)
		return decided{orders, p.Waiting(plan), err}
	})
	switch {
	case err != nil:
		return api.EnforceResponse{}, err
	case errors.Is(d.err, planner.ErrUnknownPlan):
		return api.EnforceResponse{}, httpapi.ErrUnknownPlan
	case d.err != nil:
		return api.EnforceResponse{}, &httpapi.BlockedError{Reasons: []string{d.err.Error()}}
	}
	a := api.EnforceResponse{ID: plan, Applied: []api.EnforcedBreaker{}, Note: "The tuner watches what was changed, and takes it back if calls go worse."}
	for _, k := range d.waiting {
		a.Waiting = append(a.Waiting, string(k))
	}
	for _, done := range t.carryOut(ctx, d.orders) {
		if done.Error != "" {
			a.Failed = append(a.Failed, done)
		} else {
			a.Applied = append(a.Applied, done)
		}
	}
	return a, nil
}

// Limits of an order once it is begun, and of telling what became of all.
const (
	orderLimit  = 10 * time.Second
	recordLimit = 10 * time.Second
)

// carryOut has orders done, after all members know of them, tells the planner how that went, and keeps the records
// with all members. None is begun when ctx is over, but those that were are recorded,
// whoever gave up meanwhile: nobody would watch a change that no member knows of.
func (t *tuning) carryOut(ctx context.Context, orders []planner.Order) []api.EnforcedBreaker {
	t.announce(ctx, orders)
	done, results := make([]api.EnforcedBreaker, len(orders)), make([]planner.Result, len(orders))
	room := make(chan struct{}, ordersAtOnce)
	var all sync.WaitGroup
	for i, o := range orders {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			done[i], results[i] = t.begun(ctx, o)
		})
	}
	all.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	records := t.note(ctx, results)
	for _, r := range records {
		switch r.Kind {
		case guard.RolledBack:
			t.undone.Add(1)
		case guard.Enforced:
			t.enforced.Add(1)
		}
	}
	t.keep(ctx, records)
	return done
}

// announce lets all members know which changes are about to be made: should this one be
// lost meanwhile, the next host of the tuner looks after them.
func (t *tuning) announce(ctx context.Context, orders []planner.Order) {
	_, wall := t.node.clock.Both()
	records, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) []planner.Record { return p.Begin(wall, orders) })
	if err != nil {
		records = planner.New(t.settings()).Begin(wall, orders)
	}
	t.keep(ctx, records)
}

// begun carries out an order unless ctx is over, and to its end then.
func (t *tuning) begun(ctx context.Context, o planner.Order) (api.EnforcedBreaker, planner.Result) {
	if ctx.Err() != nil {
		err := fmt.Errorf("it was not begun any more: %w; ask for advice again", context.Cause(ctx))
		return api.EnforcedBreaker{Key: string(o.Key), Error: err.Error()}, planner.Result{Order: o, Err: err}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), orderLimit)
	defer cancel()
	return t.order(ctx, o)
}

// note tells the planner what became of orders.
func (t *tuning) note(ctx context.Context, results []planner.Result) []planner.Record {
	_, wall := t.node.clock.Both()
	records, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) []planner.Record { return p.Enforced(wall, results) })
	if err != nil { // it moved meanwhile, or started over: it hears it as a record
		records = planner.New(t.settings()).Enforced(wall, results)
		if t.hosts() {
			t.recall(ctx, records)
		}
	}
	return records
}

// order changes the tuner's overlay of one breaker.
func (t *tuning) order(ctx context.Context, o planner.Order) (api.EnforcedBreaker, planner.Result) {
	a, r := api.EnforcedBreaker{Key: string(o.Key)}, planner.Result{Order: o}
	change, err := t.changeFor(ctx, &o)
	var result spread.LayResult
	if err == nil {
		result, err = t.node.board.lay(ctx, o.Key, change)
	}
	switch {
	case errors.Is(err, errGone):
		r.Cause.Kind = planner.NotMade // it is over, and nobody knows that it did harm
		r.Cause.Why, err = breaker.Cut(errGone.Error()+"; "+r.Cause.Why), nil
	case err != nil:
	case result.Conflict:
		err = errMeanwhile
	case len(result.Refused) > 0:
		err = errors.New(strings.Join(result.Refused, "; "))
	default:
		a.Version, a.Durable, a.Copies = versionOf(result.Overlay.Stamp), result.Durable, result.Copies
		a.Changes = t.node.differences(o.Key, t.node.board.Of(o.Key), []spread.LayResult{result})
	}
	if err != nil {
		a.Error, r.Err = err.Error(), err
	}
	return a, r
}

// errMeanwhile says that a policy is not what the plan was drawn from.
var errMeanwhile = errors.New("its policy was changed since the plan was made; ask for advice again")

// errGone says that there is nothing to undo: an operator's reset stays one, also if the
// tuner did not hear of it.
var errGone = errors.New("the change was gone already")

// changeFor is what an order asks of the owner, who makes it only of the overlay
// that the plan was drawn from.
func (t *tuning) changeFor(ctx context.Context, o *planner.Order) (spread.Lay, error) {
	s, owned := t.node.known(ctx, o.Key)
	if !owned {
		return spread.Lay{}, errors.New("its owner does not answer")
	}
	there := s.Overlay(breaker.RegisterTuner)
	change := spread.Lay{
		Register: breaker.RegisterTuner, Match: &there.Stamp, Author: breaker.Cut(o.Cause.Author),
		Reason: breaker.Cut(string(o.Cause.Kind) + " " + o.Cause.Plan + ": " + o.Cause.Why),
	}
	if o.Undo {
		if !holdsAny(there.Fields, o.Changes) {
			return change, errGone
		}
		change.Whole, change.Set = true, o.Before
		return change, nil
	}
	p := t.node.policies.of(o.Key)
	if there.Fields != o.Before || slices.ContainsFunc(o.Changes, func(c planner.Change) bool {
		return tuner.ValueOf(p, c.Field, c.Role) != c.Current
	}) {
		return change, errMeanwhile
	}
	change.Set = fieldsText(o.Changes)
	return change, nil
}

// holdsAny reports whether an overlay has one of these changes.
func holdsAny(fields string, changes []planner.Change) bool {
	o, err := config.ParseOverlay(fields)
	if err != nil {
		return true // of another version: the owner says what it makes of it
	}
	numbers := o.Numbers()
	return slices.ContainsFunc(changes, func(c planner.Change) bool {
		v, ok := numbers[tuner.FieldName(c.Field, c.Role)]
		return ok && v == c.Proposed
	})
}

// fieldsText are changes in the grammar of --breaker.
func fieldsText(changes []planner.Change) string {
	pairs := make([]string, len(changes))
	for i, c := range changes {
		pairs[i] = tuner.FieldName(c.Field, c.Role) + ":" + valueText(c.Field, c.Proposed)
	}
	return strings.Join(pairs, ",")
}

// valueText is a value of a field as the configuration has it.
func valueText(field string, value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if field == tuner.FieldResetTimeout {
		text += "s"
	}
	return text
}

// outOfBounds says which fields that the tuner would set are none of its own, or
// beyond its bounds. Owners ask it for each change, whoever planned it.
func outOfBounds(set config.Overlay) (problems []string) {
	numbers := set.Numbers()
	for name := range set.Fields() {
		v, field := numbers[name], name[strings.LastIndexByte(name, '.')+1:]
		bound, ok := guard.BoundOf(field)
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("the tuner may not change %s", name))
		case !(v >= bound.Least && v <= bound.Most):
			problems = append(problems, fmt.Sprintf("the tuner may set %s from %v to %v, not to %v", name, bound.Least, bound.Most, v))
		}
	}
	slices.Sort(problems)
	return problems
}
