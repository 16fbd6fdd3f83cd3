package node

import (
	"context"
	"errors"
	"testing"

	"fleetfuse/breaker"
)

// Who holds an overlay refuses another one that was made from the same version, in
// whichever order their stamps are, and takes a repeat of one that was in force.
func TestHoldRefusesForks(t *testing.T) {
	n := aloneAt(t, t.TempDir())
	const key = breaker.Key("host:fork.example")
	first := n.clock.Stamp()
	between, later, last := n.clock.Stamp(), n.clock.Stamp(), n.clock.Stamp()
	overlay := func(stamp, base breaker.Stamp) breaker.Snapshot {
		return breaker.Snapshot{Overlays: []breaker.Overlay{{Register: breaker.RegisterOperator, Stamp: stamp, Base: base, Fields: "fail_max:3"}}}
	}
	for _, x := range []struct {
		what    string
		held    breaker.Snapshot
		refused breaker.Stamp // because of this one
	}{
		{"the first", overlay(first, 0), 0},
		{"one made from it", overlay(later, first), 0},
		{"an earlier one made from the first, too", overlay(between, first), later},
		{"a later one made from the first, too", overlay(last, first), later},
		{"the first again", overlay(first, 0), 0},
		{"the one made from it again", overlay(later, first), 0},
		{"one made from that", overlay(last, later), 0},
	} {
		held, err := n.board.hold(t.Context(), "elsewhere", key, x.held)
		if err != nil || held.Busy || held.Known.Stamp != x.refused {
			t.Errorf("%s: %+v, %v; want refused because of %d", x.what, held, err, x.refused)
		}
	}
}

func TestKeyLocksEndWithTheContext(t *testing.T) {
	var l keyLocks
	unlock, err := l.lock(t.Context(), "host:a")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error)
	go func() {
		_, err := l.lock(ctx, "host:a")
		waits <- err
	}()
	if _, free := l.tryLock("host:a"); free {
		t.Error("a lock that is held was free")
	}
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	unlock()
	if again, free := l.tryLock("host:a"); !free {
		t.Error("a lock that was given back is not free")
	} else {
		again()
	}
	if len(l.held) != 0 {
		t.Errorf("%d locks are remembered that nobody holds", len(l.held))
	}
}
