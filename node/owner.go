package node

import (
	"context"
	"errors"
	"math/rand/v2"
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
	var result spread.OperatorResult
	var err error
	switch {
	case !b.owns(key):
		result, err = request[spread.OperatorResult](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
			return n.Request(now, key, w, wordLimit)
		})
	case w.Length == 0:
		result, err = b.breakers.Close(ctx, key, w.Author, w.Detail)
	default:
		result, err = b.breakers.Open(ctx, key, w.Length, w.Author, w.Detail)
	}
	if err == nil || ctx.Err() != nil {
		return result, err
	}
	return b.breakers.StandIn(ctx, key, w.Length, w.Author, w.Detail), nil
}

// lay changes a policy: the owner's to do, or this node's if no owner answers.
func (b *board) lay(ctx context.Context, key breaker.Key, change spread.Lay) (spread.LayResult, error) {
	var result spread.LayResult
	var err error
	if b.owns(key) {
		result, err = b.breakers.Lay(ctx, key, change)
	} else {
		result, err = request[spread.LayResult](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
			return n.Request(now, key, change, wordLimit)
		})
	}
	if err == nil || ctx.Err() != nil {
		return result, err
	}
	return b.breakers.LayStandIn(ctx, key, change), nil
}

// holders is how many members are asked to hold an operator's word, one after
// the other, until one does.
const holders = 3

// errAlone says why nobody else holds a word.
var errAlone = errors.New("no other member could hold it")

// Commit implements actors.Keeper. Where there are other members the word is
// on the disk of one of them too before it is acknowledged.
func (b *board) Commit(ctx context.Context, key breaker.Key, s breaker.Snapshot) spread.OperatorResult {
	err := b.commit(ctx, key, s)
	result := spread.OperatorResult{Durable: err == nil && b.keeper.Lasting(), Copies: 1, Err: err}
	members := read(b, (*spread.Node).Members)
	rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	for _, to := range members[:min(len(members), holders)] {
		_, err := request[spread.Held](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
			return n.RequestFrom(now, to, key, spread.Hold{Snapshot: s}, holdLimit)
		})
		if err == nil {
			result.Copies++
			return result
		}
	}
	if len(members) > 0 && result.Err == nil {
		result.Err = errAlone
	}
	return result
}
