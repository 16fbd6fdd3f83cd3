package node

import (
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
