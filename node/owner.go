package node

import (
	"context"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// owns reports whether this node owns a key.
func (b *board) owns(key breaker.Key) bool {
	return read(b, func(n *spread.Node) string { return n.Owner(key) }) == b.id
}

// Report, Return and Cool implement gate.Owner.
func (b *board) Report(key breaker.Key, outcomes []breaker.Outcome) {
	b.usage.reported(key, outcomes)
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Report(now, key, outcomes) })
}

// Return gives a permit back unused.
func (b *board) Return(key breaker.Key, id breaker.PermitID) {
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Return(now, key, id) })
}

// Cool announces a Retry-After that this node saw: no owner is needed.
func (b *board) Cool(key breaker.Key, c breaker.Cooldown) {
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Cool(now, key, c) })
}

// Ask implements gate.Owner.
func (b *board) Ask(key breaker.Key, q breaker.Question, limit time.Duration, answer func(breaker.Answer, error)) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		answer(b.ask(ctx, key, q))
	}()
}

// ask asks the key's owner for a permit.
func (b *board) ask(ctx context.Context, key breaker.Key, q breaker.Question) (breaker.Answer, error) {
	if b.owns(key) {
		return b.breakers.Ask(ctx, key, q)
	}
	return request[breaker.Answer](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return n.Ask(now, key, q)
	})
}

// Inspect shows what the key's owner knows.
func (b *board) Inspect(ctx context.Context, key breaker.Key) (breaker.Inspection, error) {
	if b.owns(key) {
		return b.breakers.Inspect(ctx, key)
	}
	return request[breaker.Inspection](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return n.Request(now, key, spread.Inspect{}, inspectLimit)
	})
}

// Open is an operator's open: the owner's to do, or this node's if no owner
// answers.
func (b *board) Open(ctx context.Context, key breaker.Key, d time.Duration, author, detail string) (spread.OperatorResult, error) {
	return b.word(ctx, key, spread.Word{Length: d, Author: author, Detail: detail})
}

// Close is an operator's close.
func (b *board) Close(ctx context.Context, key breaker.Key, author, detail string) (spread.OperatorResult, error) {
	return b.word(ctx, key, spread.Word{Author: author, Detail: detail})
}

func (b *board) word(ctx context.Context, key breaker.Key, w spread.Word) (spread.OperatorResult, error) {
	return decide(ctx, b, key, w, func(ctx context.Context, _ any) (spread.OperatorResult, error) {
		if w.Length == 0 {
			return b.breakers.Close(ctx, key, w.Author, w.Detail)
		}
		return b.breakers.Open(ctx, key, w.Length, w.Author, w.Detail)
	}, func(ctx context.Context, _ any) (spread.OperatorResult, error) {
		return b.breakers.StandIn(ctx, key, w.Length, w.Author, w.Detail), nil
	})
}

// lay changes a policy.
func (b *board) lay(ctx context.Context, key breaker.Key, change spread.Lay) (spread.LayResult, error) {
	change.ID = b.clock.Random()
	return decide(ctx, b, key, change, func(ctx context.Context, body any) (spread.LayResult, error) {
		return b.breakers.Lay(ctx, key, body.(spread.Lay))
	}, func(ctx context.Context, body any) (spread.LayResult, error) {
		return b.breakers.LayStandIn(ctx, key, body.(spread.Lay))
	})
}

// read reads something of the protocol's state.
func read[T any](b *board, of func(*spread.Node) T) T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return of(b.spread)
}

// known is the number of known members.
func (b *board) known() int {
	return read(b, func(n *spread.Node) int { return n.Known(b.clock.Now()) })
}

// idle reports whether everything that must arrive has.
func (b *board) idle() bool { return read(b, (*spread.Node).Idle) }
