package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
	"fleetfuse/httpapi"
)

// Change implements httpapi.Policies. A reset is one of both registers.
func (n *Node) Change(ctx context.Context, key breaker.Key, r httpapi.PolicyRequest) (api.PolicyChanged, error) {
	change, err := changeOf(r)
	if err != nil {
		return api.PolicyChanged{}, err
	}
	changes := []spread.Lay{change}
	if r.Reset {
		changes = append(changes, spread.Lay{Register: breaker.RegisterTuner, Whole: true, Author: change.Author, Reason: change.Reason})
	}
	var s breaker.Snapshot
	if r.DryRun {
		s, _ = n.known(ctx, key)
	}
	var results []spread.LayResult
	for _, c := range changes {
		result := n.dryRun
		if !r.DryRun {
			result = n.lay
		}
		x, err := result(ctx, key, s, c)
		if err == nil {
			err = notLaid(x, r.Match)
		}
		if err != nil && len(results) > 0 {
			err = fmt.Errorf("what operators replaced was reset, what the %v replaced was not: %w; reset it again", c.Register, err)
		}
		if err != nil {
			return api.PolicyChanged{}, err
		}
		results = append(results, x)
	}
	if !r.DryRun {
		s = n.board.Of(key)
	}
	if r.Reset && !r.DryRun {
		n.policyReset(ctx, key, change.Author)
	}
	return n.changed(key, s, r.DryRun, results), nil
}

// lay tells the owner to change an overlay.
func (n *Node) lay(ctx context.Context, key breaker.Key, _ breaker.Snapshot, change spread.Lay) (spread.LayResult, error) {
	return n.board.lay(ctx, key, change)
}

// notLaid is why nothing was changed, nil if it was.
func notLaid(x spread.LayResult, match *string) error {
	switch {
	case x.Conflict && match != nil:
		return &httpapi.ConflictError{Want: *match, Have: versionOf(x.Overlay.Stamp)}
	case x.Conflict:
		return &httpapi.ConflictError{Want: "another", Have: versionOf(x.Overlay.Stamp)}
	case len(x.Refused) > 0:
		return refusal(x.Refused)
	}
	return nil
}

// changed is the answer to a change: of the operator's register, and of the
// tuner's if there is a second result. It is as safe as the least safe of those
// that changed something.
func (n *Node) changed(key breaker.Key, s breaker.Snapshot, dry bool, results []spread.LayResult) api.PolicyChanged {
	operators := results[0]
	a := api.PolicyChanged{
		Key: string(key), Version: versionOf(operators.Overlay.Stamp), Base: versionOf(operators.Was.Stamp), DryRun: dry,
		Durable: operators.Durable, Copies: operators.Copies, Changes: n.differences(key, s, results),
	}
	unchanged := operators.Overlay.Stamp == operators.Was.Stamp
	for _, x := range results[1:] {
		if x.Overlay.Stamp == x.Was.Stamp {
			continue
		}
		a.TunerReset = true
		a.Durable, a.Copies = a.Durable && x.Durable, min(a.Copies, x.Copies)
		if unchanged {
			a.Copies = x.Copies
		}
	}
	if dry {
		a.Version = a.Base
	}
	for _, x := range results {
		if x.Err != nil {
			a.Detail = x.Err.Error()
		}
	}
	return a
}

// changeOf reads a request.
func changeOf(r httpapi.PolicyRequest) (spread.Lay, error) {
	change := spread.Lay{
		Register: breaker.RegisterOperator, Whole: r.Whole, Unset: r.Unset,
		Author: breaker.Cut(r.Author), Reason: breaker.Cut(r.Reason),
	}
	set, err := config.OverlayOf(r.Set)
	if err != nil {
		return change, refusal(textsOf(err))
	}
	change.Set = set.String()
	if r.For != "" {
		if change.Length, err = time.ParseDuration(r.For); err != nil || change.Length <= 0 || change.Length > breaker.MaxOpen {
			return change, refusal([]string{fmt.Sprintf("for %q is no length of time such as 30m, up to 30 days", r.For)})
		}
	}
	if r.Match != nil {
		version, err := strconv.ParseUint(*r.Match, 10, 64)
		if err != nil {
			version = 1<<64 - 1 // no version is like this
		}
		match := breaker.Stamp(version)
		change.Match = &match
	}
	return change, nil
}

// refusal says what is wrong with a change.
func refusal(texts []string) error {
	errs := make([]error, len(texts))
	for i, text := range texts {
		errs[i] = fmt.Errorf("%w: %s", httpapi.ErrBadPolicy, text)
	}
	return errors.Join(errs...)
}

// dryRun is what the owner would do.
func (n *Node) dryRun(_ context.Context, key breaker.Key, s breaker.Snapshot, change spread.Lay) (spread.LayResult, error) {
	result := change.Unmade(s)
	if result.Conflict {
		return result, nil
	}
	next, refused := n.policies.amend(key, s, change, n.clock.Moment(1))
	if len(refused) > 0 {
		result.Refused = refused
		return result, nil
	}
	result.Overlay = next
	return result, nil
}

// differences lists the effective values that changes changed. s is what is
// known of the key; its overlays in the changed registers do not matter.
func (n *Node) differences(key breaker.Key, s breaker.Snapshot, results []spread.LayResult) []api.PolicyDifferent {
	with := func(of func(spread.LayResult) breaker.Overlay) map[string]any {
		overlays := slices.Clone(s.Overlays)
		for _, x := range results {
			o := of(x)
			overlays = slices.DeleteFunc(overlays, func(k breaker.Overlay) bool { return k.Register == o.Register })
			overlays = append(overlays, o)
		}
		values, _ := n.values(key, overlays, n.clock.Now())
		byField := make(map[string]any, len(values))
		for _, v := range values {
			byField[v.Field] = v.Value
		}
		return byField
	}
	before := with(func(x spread.LayResult) breaker.Overlay { return x.Was })
	after := with(func(x spread.LayResult) breaker.Overlay { return x.Overlay })
	fields := map[string]bool{}
	for f := range before {
		fields[f] = true
	}
	for f := range after {
		fields[f] = true
	}
	changes := []api.PolicyDifferent{}
	for f := range fields {
		if from, to := inForce(before, f), inForce(after, f); fmt.Sprint(from) != fmt.Sprint(to) {
			changes = append(changes, api.PolicyDifferent{Field: f, From: from, To: to})
		}
	}
	slices.SortFunc(changes, func(a, b api.PolicyDifferent) int { return strings.Compare(a.Field, b.Field) })
	return changes
}

// inForce is the value of a field: a role without one of its own has the
// breaker's.
func inForce(values map[string]any, field string) any {
	if v, ok := values[field]; ok {
		return v
	}
	return values[field[strings.LastIndexByte(field, '.')+1:]] // roles.ROLE.FIELD, and a role may have dots
}
