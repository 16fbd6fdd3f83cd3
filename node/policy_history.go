package node

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
)

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
