package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
)

// holders is how many members are asked to hold an operator's word, one after
// the other, until one does.
const holders = 3

// registers is how many a policy has.
const registers = 2

// errAlone says why nobody else holds a word.
var errAlone = errors.New("no other member could hold it")

// Commit implements actors.Keeper. Where there are other members the word is
// on the disk of one of them too before it is acknowledged: of who would own the
// key next, if that can be.
func (b *board) Commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) spread.OperatorResult {
	result := spread.OperatorResult{Copies: 1, Err: b.commit(ctx, key, s)}
	result.Durable = result.Err == nil && b.keeper.Lasting()
	copies, later, alone := b.holdElsewhere(ctx, key, s)
	for range registers { // it knows of a change of the policy, and holds nothing without that
		if later.Stamp != 0 {
			s.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{later}})
			copies, later, alone = b.holdElsewhere(ctx, key, s)
		}
	}
	result.Copies += copies
	if later.Stamp != 0 {
		alone = errAlone
	}
	if result.Err == nil {
		result.Err = alone
	}
	return result
}

// CommitOverlay implements actors.Keeper.
func (b *board) CommitOverlay(ctx context.Context, key breaker.Key, s breaker.Snapshot) (result spread.OperatorResult, later breaker.Overlay, err error) {
	copies, later, alone := b.holdElsewhere(ctx, key, s)
	if later.Stamp != 0 || alone != nil && !errors.Is(alone, errAlone) {
		return result, later, alone
	}
	known := b.Of(key)
	result = spread.OperatorResult{Copies: 1 + copies, Err: b.commit(ctx, key, s)}
	for _, o := range s.Overlays {
		if o.Stamp > known.Overlay(o.Register).Stamp {
			b.events.laid(key, o)
		}
	}
	result.Durable = result.Err == nil && b.keeper.Lasting()
	if result.Err == nil {
		result.Err = alone
	}
	return result, later, nil
}

// whileBusy is how long a member that decides about the key itself is given.
const whileBusy = 20 * time.Millisecond

// errBusy says that a member decides about a key all the time.
var errBusy = errors.New("another node decides about the policy; try again in a second")

// errUnknown says that one member may hold a word that another one refused.
var errUnknown = errors.New("a member did not answer in time and another one knows of a later change: this one may come into force; look, then try again")

// holdElsewhere has one other member hold a word. It returns how many do, or the
// overlay for which it was refused, or why nobody does: errAlone if none could.
func (b *board) holdElsewhere(ctx context.Context, key breaker.Key, s breaker.Snapshot) (copies int, later breaker.Overlay, err error) {
	heirs := read(b, func(n *spread.Node) []string { return n.Heirs(key) })
	return holdAtOne(heirs[:min(len(heirs), holders)], func(to string) (spread.Held, error) { return b.holdWhenFree(ctx, to, key, s) })
}

// holdAtOne asks members in turn until one holds a word or refuses it.
func holdAtOne(members []string, hold func(to string) (spread.Held, error)) (copies int, later breaker.Overlay, err error) {
	silent := false // a member may hold it and did not say so
	for _, to := range members {
		held, err := hold(to)
		switch {
		case errors.Is(err, spread.ErrNoOwner):
			silent = true
		case errors.Is(err, errBusy), errors.Is(err, spread.ErrNotOwner), err == nil && held.Refused():
			if silent {
				return 0, later, errUnknown
			}
			return 0, held.Known, err
		case err == nil:
			return 1, later, nil
		}
	}
	if len(members) > 0 {
		err = errAlone
	}
	return 0, later, err
}

// holdWhenFree has a member hold a word, as soon as it does not decide about the
// key itself.
func (b *board) holdWhenFree(ctx context.Context, to string, key breaker.Key, s breaker.Snapshot) (held spread.Held, err error) {
	for owned := b.owns(key); ; {
		if held, err = b.holdAt(ctx, to, key, s); err != nil || !held.Busy {
			return held, err
		}
		if owned && !b.owns(key) { // that member does, and waits for this one
			return held, fmt.Errorf("%w: %s", spread.ErrNotOwner, key)
		}
		select {
		case <-ctx.Done():
			return held, errBusy
		case <-time.After(whileBusy):
		}
	}
}

func (b *board) holdAt(ctx context.Context, to string, key breaker.Key, s breaker.Snapshot) (spread.Held, error) {
	return request[spread.Held](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return n.RequestFrom(now, to, key, spread.Hold{Snapshot: s}, holdLimit)
	})
}

// hold commits what another node asks to be on more than one machine, unless its
// maker does not know of an overlay that is known here: the one that it would
// supersede, or one that has superseded it before it came.
func (b *board) hold(ctx context.Context, from string, key breaker.Key, s breaker.Snapshot) (spread.Held, error) {
	for _, o := range s.Overlays {
		if known, late := b.late(ctx, key, o); late {
			return spread.Held{Known: known}, nil
		}
	}
	if b.news(key, s) {
		unlock, free := b.deciding.tryLock(key)
		if !free {
			return spread.Held{Busy: true}, nil
		}
		defer unlock()
		for _, o := range s.Overlays {
			if known, later := b.foresees(key, o); later {
				return spread.Held{Known: known}, nil
			}
		}
	}
	if err := b.commit(ctx, key, s); err != nil {
		b.mu.Lock()
		b.keeper.Put(key, b.spread.View().Of(key)) // what is not held is not to come back from the disk
		b.mu.Unlock()
		return spread.Held{}, err
	}
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Hold(now, from, key, s) })
	return spread.Held{}, nil
}

// news reports whether a snapshot has an overlay that this node does not know.
func (b *board) news(key breaker.Key, s breaker.Snapshot) bool {
	known := b.Of(key)
	return slices.ContainsFunc(s.Overlays, func(o breaker.Overlay) bool { return o.Stamp > known.Overlay(o.Register).Stamp })
}

// late reports whether a later version of an overlay is in force here, and the overlay
// never was: who made it did not know.
func (b *board) late(ctx context.Context, key breaker.Key, o breaker.Overlay) (known breaker.Overlay, late bool) {
	s := b.Of(key)
	if known = s.Overlay(o.Register); known.Stamp <= o.Stamp {
		return known, false
	}
	past, err := b.history(ctx, key)
	was := slices.ContainsFunc(past, func(r cooldownstore.OverlayRecord) bool { return r.Register == o.Register && r.Stamp == o.Stamp })
	return known, err == nil && !was
}

func (b *board) foresees(key breaker.Key, o breaker.Overlay) (known breaker.Overlay, later bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spread.Foresees(key, o)
}

// commit writes a snapshot with what else is believed of the key, and what
// became of that meanwhile.
func (b *board) commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) error {
	merged := func() breaker.Snapshot {
		m := b.spread.View().Of(key)
		m.Merge(s)
		return m
	}
	b.mu.Lock()
	first := merged()
	b.mu.Unlock()
	err := b.keeper.Commit(ctx, key, first)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keeper.Put(key, merged()) // it replaced what arrived in between
	return err
}
