package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// handOver is how long an owner that has just changed is given before it is
// asked again.
const handOver = 50 * time.Millisecond

// decideLimit is how long members that disagree about who owns a key are asked in
// turn.
const decideLimit = 3 * wordLimit

var errDisagree = errors.New("no member says that it owns the key, or its owner changes all the time; look whether it was done, then try again")

// decide has the owner of a key carry out an operator's word: own does it where
// that is this node. An owner that is gone, or is none any more, has a
// successor, who is asked instead: the word is decided in one mailbox. Only an
// owner that is there and does not answer is stood in for. body is the word, and
// is told whether it is asked for again.
func decide[T any](
	ctx context.Context, b *board, key breaker.Key, body func(again bool) any, own func(context.Context) (T, error), standIn func(context.Context) (T, error),
) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, decideLimit, errDisagree)
	defer cancel()
	for again := false; ; again = true {
		owner := read(b, func(n *spread.Node) string { return n.Owner(key) })
		result, err := askOwner(ctx, b, owner, key, body(again), own)
		switch {
		case err == nil || ctx.Err() != nil:
			return result, err
		case movedOn(b, owner, key, err):
		case !errors.Is(err, spread.ErrNoOwner):
			return result, err // it answered
		default:
			unlock, err := b.standing.lock(ctx, key)
			if err != nil {
				return result, err
			}
			defer unlock()
			return standIn(ctx)
		}
		select {
		case <-ctx.Done():
			return result, context.Cause(ctx)
		case <-time.After(handOver):
		}
	}
}

func askOwner[T any](ctx context.Context, b *board, owner string, key breaker.Key, body any, own func(context.Context) (T, error)) (T, error) {
	if owner == b.id {
		return own(ctx)
	}
	return request[T](ctx, b, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return n.RequestFrom(now, owner, key, body, wordLimit)
	})
}

// movedOn reports whether a word that failed is another owner's to decide, now
// or in a moment.
func movedOn(b *board, asked string, key breaker.Key, err error) bool {
	owner := read(b, func(n *spread.Node) string { return n.Owner(key) })
	return owner != "" && owner != asked || errors.Is(err, spread.ErrNotOwner) || errors.Is(err, spread.ErrMoved)
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
