package node

import (
	"context"
	"errors"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
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

// A member that did not answer may hold the overlay: then a later one that another
// member knows is no proof that nothing was done.
func TestHoldOfUnknownOutcome(t *testing.T) {
	type reply struct {
		held spread.Held
		err  error
	}
	holds, refuses := reply{}, reply{held: spread.Held{Known: breaker.Overlay{Stamp: 7}}}
	silent, full := reply{err: spread.ErrNoOwner}, reply{err: errors.New("its disk is full")}
	for _, tt := range []struct {
		what    string
		replies []reply
		copies  int
		known   breaker.Stamp
		err     error
	}{
		{"nobody is there", nil, 0, 0, nil},
		{"the first holds it", []reply{holds, refuses}, 1, 0, nil},
		{"the first refuses", []reply{refuses, holds}, 0, 7, nil},
		{"one is silent, the next holds it", []reply{silent, holds}, 1, 0, nil},
		{"one is silent, the next refuses", []reply{silent, refuses}, 0, 0, errUnknown},
		{"one is silent, the next is busy", []reply{silent, {err: errBusy}}, 0, 0, errUnknown},
		{"one is busy", []reply{{err: errBusy}, holds}, 0, 0, errBusy},
		{"one could not write, the next refuses", []reply{full, refuses}, 0, 7, nil},
		{"none could", []reply{full, silent}, 0, 0, errAlone},
	} {
		members := []string{"x", "y"}[:len(tt.replies)]
		asked := 0
		copies, later, err := holdAtOne(members, func(string) (spread.Held, error) {
			asked++
			return tt.replies[asked-1].held, tt.replies[asked-1].err
		})
		if copies != tt.copies || later.Stamp != tt.known || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d copies, later %d, %v; want %d, %d, %v", tt.what, copies, later.Stamp, err, tt.copies, tt.known, tt.err)
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
