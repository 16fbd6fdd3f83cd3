package node

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
)

// Policy implements httpapi.Policies. What the owner knows counts: this node may
// not have heard of a change yet.
func (n *Node) Policy(ctx context.Context, key breaker.Key) (api.PolicyResponse, error) {
	a := api.PolicyResponse{Key: string(key), Node: n.opt.Name}
	s, owned := n.known(ctx, key)
	if owner, ok := n.fleet().Owner(key); ok {
		a.Owner = owner.Name
	}
	if !owned {
		a.Note = "no owner answered: this is what the node that answers believes"
	}
	operator := s.Overlay(breaker.RegisterOperator)
	a.Version = versionOf(operator.Stamp)
	now := n.clock.Now()
	for i := range s.Overlays {
		o := s.Overlays[i]
		var until time.Time
		if o.Temporarily(now) == "" {
			o.Temporary = ""
		} else {
			until = n.clock.Wall(o.Until)
		}
		shown := shownOverlay(spread.PastOverlay{Overlay: o, Until: until})
		shown.State = string(spread.StandingOf(s.Overlays[i], o.Temporary == ""))
		a.Overlays = append(a.Overlays, shown)
	}
	var err error
	a.Values, err = n.values(key, s.Overlays, now)
	if err != nil {
		a.Note = strings.TrimPrefix(a.Note+"; the overlay is not obeyed by the node that answers: "+err.Error(), "; ")
	}
	return a, nil
}

// known is what the owner of a key knows, else what this node believes.
func (n *Node) known(ctx context.Context, key breaker.Key) (s breaker.Snapshot, owned bool) {
	in, err := n.board.Inspect(ctx, key)
	if err != nil {
		return n.board.Of(key), false
	}
	return in.Snapshot, true
}

// values are the fields of a policy with overlays laid over what is configured.
func (n *Node) values(key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) ([]api.PolicyValue, error) {
	b := &n.policies.current().Breakers
	layers, err := config.Layers(overlays, now)
	if err == nil {
		_, err = b.Overlaid(key, layers...)
	}
	if err != nil {
		layers = nil
	}
	return shownValues(b.Values(key, layers...)), err
}

// shownValues are fields of a policy as the API shows them.
func shownValues(values []config.Value) (shown []api.PolicyValue) {
	for _, v := range values {
		shown = append(shown, api.PolicyValue{Field: v.Name, Value: v.Value, Origin: v.Origin.String()})
	}
	return shown
}

// History implements httpapi.Policies: all members are asked at once.
func (n *Node) History(ctx context.Context, key breaker.Key) (api.PolicyHistory, error) {
	own, err := n.board.pastOverlays(ctx, key)
	if err != nil {
		return api.PolicyHistory{}, err
	}
	var mu sync.Mutex
	var asked sync.WaitGroup
	lists := []spread.PastOverlays{own}
	a := api.PolicyHistory{Key: string(key), Entries: []api.PolicyOverlay{}}
	for _, id := range read(n.board, (*spread.Node).Members) {
		asked.Go(func() {
			list, err := request[spread.PastOverlays](ctx, n.board, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
				return s.RequestFrom(now, id, key, spread.ListOverlays{}, inspectLimit)
			})
			name := n.fleet().Name(id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				a.Partial = append(a.Partial, name)
				return
			}
			lists = append(lists, list)
		})
	}
	asked.Wait()
	slices.Sort(a.Partial)
	_, wall := n.clock.Both()
	for _, v := range spread.History(wall, lists...) {
		shown := shownOverlay(v.PastOverlay)
		shown.State = string(v.Standing)
		a.Entries = append(a.Entries, shown)
	}
	return a, nil
}

// shownOverlay is an overlay as the API shows it. One that a later version made
// may have fields that are unknown here; it is shown without.
func shownOverlay(o spread.PastOverlay) api.PolicyOverlay {
	a := api.PolicyOverlay{
		Register: o.Register.String(), Version: versionOf(o.Stamp), Base: versionOf(o.Base),
		Author: o.Author, Reason: o.Reason, SetAt: o.Stamp.Wall().UTC(),
	}
	if fields, err := config.ParseOverlay(o.Fields); err == nil && !fields.Empty() {
		a.Fields = fields.Fields()
	}
	if fields, err := config.ParseOverlay(o.Temporary); err == nil && !fields.Empty() {
		a.Temporary = fields.Fields()
		until := o.Until.UTC()
		a.Until = &until
	}
	return a
}

// versionOf is a version as the API shows it: a number that is too long for the
// numbers of JSON.
func versionOf(s breaker.Stamp) string { return strconv.FormatUint(uint64(s), 10) }

// pastOverlays is what this node remembers of a key's overlays.
func (b *board) pastOverlays(ctx context.Context, key breaker.Key) (spread.PastOverlays, error) {
	records, err := b.history(ctx, key)
	list := make(spread.PastOverlays, len(records))
	for i, r := range records {
		list[i] = spread.PastOverlay{Overlay: r.Overlay, Until: r.OverlayWall.Until}
	}
	return list, err
}

// expirePolicies ends temporary fields of overlays.
func (b *board) expirePolicies() {
	for _, key := range b.policies.expire(b.clock.Now()) {
		if b.owns(key) {
			b.events.expired(key, b.Of(key))
		}
		b.mu.Lock()
		b.gate.ReplaceOne(key)
		b.tellWatchers(key)
		b.mu.Unlock()
	}
}
