package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

// Commit implements actors.Keeper. Where there are other members the word is
// on the disk of one of them too before it is acknowledged: of who would own the
// key next, if that can be.
func (b *board) Commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) spread.OperatorResult {
	err := b.commit(ctx, key, s)
	h := words.HoldWord(b.heirs(key), s, b.owns(key))
	b.holdElsewhere(ctx, key, h)
	return h.Result(err, b.keeper.Lasting())
}

// CommitOverlay implements actors.Keeper.
func (b *board) CommitOverlay(ctx context.Context, key breaker.Key, s breaker.Snapshot) (spread.OperatorResult, breaker.Overlay, error) {
	h := words.HoldChange(b.heirs(key), s, b.owns(key))
	b.holdElsewhere(ctx, key, h)
	if !h.Stands() {
		return spread.OperatorResult{}, h.Later, h.Err
	}
	laid := words.News(b.Of(key), s)
	result := h.Result(b.commit(ctx, key, s), b.keeper.Lasting())
	for _, o := range laid {
		b.events.laid(key, o)
	}
	return result, breaker.Overlay{}, nil
}

func (b *board) heirs(key breaker.Key) []string {
	return read(b, func(n *spread.Node) []string { return n.Heirs(key) })
}

// holdElsewhere has one other member hold something.
func (b *board) holdElsewhere(ctx context.Context, key breaker.Key, h *words.Holding) {
	for to, more := h.Next(); more; to, more = h.Next() {
		held, err := request[spread.Held](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
			return n.RequestFrom(now, to, key, spread.Hold{Snapshot: h.Snapshot}, words.HoldLimit)
		})
		if held.Busy {
			select {
			case <-ctx.Done():
			case <-time.After(words.WhileBusy):
			}
		}
		h.Heard(held, err, b.owns(key), ctx.Err() != nil)
	}
}

// hold commits what another node asks to be on more than one machine, unless that is
// refused, or has to wait.
func (b *board) hold(ctx context.Context, from string, key breaker.Key, s breaker.Snapshot) (spread.Held, error) {
	was := func(o breaker.Overlay) bool { return b.was(ctx, key, o) }
	if known, refuses := words.Refuses(b.Of(key), s, was); refuses {
		return spread.Held{Known: known}, nil
	}
	if len(words.News(b.Of(key), s)) > 0 {
		unlock, free := b.deciding.tryLock(key)
		if !free {
			return spread.Held{Busy: true}, nil
		}
		defer unlock()
		if known, refuses := words.Refuses(b.Of(key), s, was); refuses { // it was decided just now
			return spread.Held{Known: known}, nil
		}
	}
	if err := b.commit(ctx, key, s); err != nil {
		b.mu.Lock()
		b.committed.GiveUp(key)
		b.write(key, b.spread.View().Of(key)) // what is not held is not to come back from the disk
		b.mu.Unlock()
		return spread.Held{}, err
	}
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Hold(now, from, key, s) })
	return spread.Held{}, nil
}

// was reports whether an overlay was in force here, for all that can be read.
func (b *board) was(ctx context.Context, key breaker.Key, o breaker.Overlay) bool {
	past, err := b.past(ctx, key)
	return err != nil || slices.ContainsFunc(past, func(p breaker.Overlay) bool { return p.Register == o.Register && p.Stamp == o.Stamp })
}

// past are the overlays of a key that were in force here.
func (b *board) past(ctx context.Context, key breaker.Key) ([]breaker.Overlay, error) {
	records, err := b.history(ctx, key)
	past := make([]breaker.Overlay, len(records))
	for i, r := range records {
		past[i] = r.Overlay
	}
	return past, err
}

// Past implements actors.Keeper.
func (b *board) Past(ctx context.Context, key breaker.Key) []breaker.Overlay {
	past, err := b.past(ctx, key)
	if err != nil {
		return nil
	}
	return past
}

// Decide implements actors.Keeper.
func (b *board) Decide(ctx context.Context, key breaker.Key) (done func(), err error) {
	if done, err = b.deciding.lock(ctx, key); err != nil {
		return nil, fmt.Errorf("%w: %w", words.ErrBusy, err)
	}
	return done, nil
}

// commit writes a snapshot with what else is believed of the key, and what
// became of that meanwhile. From now on the disk has it, whatever is written.
func (b *board) commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) error {
	b.mu.Lock()
	b.committed.Begin(key, s)
	first := b.committed.With(key, b.spread.View().Of(key))
	b.mu.Unlock()
	err := b.keeper.Commit(ctx, key, first)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write(key, b.spread.View().Of(key)) // it replaced what arrived in between
	return err
}

// write has written what the view holds of a key, with the words on it that are
// committed. The board is locked.
func (b *board) write(key breaker.Key, s breaker.Snapshot) {
	b.keeper.Put(key, b.committed.With(key, s))
}
