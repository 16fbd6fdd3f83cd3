package node

import (
	"context"
	"sync"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

// decide has the owner of a key carry out an operator's word: own does it where
// that is this node, standIn where this node stands in for it.
func decide[T any](ctx context.Context, b *board, key breaker.Key, body any, own, standIn func(context.Context, any) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, words.DecideLimit, words.ErrDisagree)
	defer cancel()
	for {
		owner := read(b, func(n *spread.Node) string { return n.Owner(key) })
		result, err := askOwner(ctx, b, owner, key, body, own)
		body = words.Again(body)
		if ctx.Err() != nil {
			return result, err
		}
		switch words.After(owner, read(b, func(n *spread.Node) string { return n.Owner(key) }), err) {
		case words.Answered:
			return result, err
		case words.StandIn:
			unlock, err := b.standing.lock(ctx, key)
			if err != nil {
				return result, err
			}
			defer unlock()
			return standIn(ctx, body)
		case words.AskAgain:
		}
		select {
		case <-ctx.Done():
			return result, context.Cause(ctx)
		case <-time.After(words.HandOver):
		}
	}
}

func askOwner[T any](ctx context.Context, b *board, owner string, key breaker.Key, body any, own func(context.Context, any) (T, error)) (T, error) {
	if owner == b.id {
		return own(ctx, body)
	}
	return request[T](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return n.RequestFrom(now, owner, key, body, words.WordLimit)
	})
}

// keyLocks are locks by key: words about one key that this node stands in for are
// carried out one after the other, as an owner's mailbox does.
type keyLocks struct {
	mu   sync.Mutex
	held map[breaker.Key]*keyLock
}

type keyLock struct {
	taken chan struct{} // full while somebody holds the lock
	users int
}

// lock waits for the lock of a key and returns what gives it back; an error if ctx
// ended first.
func (l *keyLocks) lock(ctx context.Context, key breaker.Key) (unlock func(), err error) {
	k := l.of(key)
	select {
	case k.taken <- struct{}{}:
	case <-ctx.Done():
		l.leave(key, k)
		return nil, context.Cause(ctx)
	}
	if ctx.Err() != nil { // both were ready
		l.unlock(key, k)
		return nil, context.Cause(ctx)
	}
	return func() { l.unlock(key, k) }, nil
}

// tryLock is lock, unless the lock is held.
func (l *keyLocks) tryLock(key breaker.Key) (unlock func(), free bool) {
	k := l.of(key)
	select {
	case k.taken <- struct{}{}:
		return func() { l.unlock(key, k) }, true
	default:
		l.leave(key, k)
		return nil, false
	}
}

func (l *keyLocks) unlock(key breaker.Key, k *keyLock) {
	<-k.taken
	l.leave(key, k)
}

func (l *keyLocks) of(key breaker.Key) *keyLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[key]
	if k == nil {
		if l.held == nil {
			l.held = map[breaker.Key]*keyLock{}
		}
		k = &keyLock{taken: make(chan struct{}, 1)}
		l.held[key] = k
	}
	k.users++
	return k
}

func (l *keyLocks) leave(key breaker.Key, k *keyLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.held, key)
	}
}
