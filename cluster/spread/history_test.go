package spread_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

func version(r breaker.Register, stamp, base breaker.Stamp) spread.PastOverlay {
	return spread.PastOverlay{Overlay: breaker.Overlay{Register: r, Stamp: stamp, Base: base, Fields: "fail_max:3"}}
}

func TestHistory(t *testing.T) {
	now := time.UnixMilli(1000)
	const tuner, operator = breaker.RegisterTuner, breaker.RegisterOperator
	ended := spread.PastOverlay{Overlay: breaker.Overlay{Register: tuner, Stamp: 25, Base: 0, Temporary: "mode:off"}, Until: now}
	// One side of a split made 20 and 40 from 10, the other 30; 40 is the later.
	here := spread.PastOverlays{version(operator, 40, 20), version(operator, 20, 10), version(operator, 10, 5)}
	there := spread.PastOverlays{version(operator, 30, 10), version(operator, 10, 5), ended, version(operator, 3, 2)}
	type line struct {
		Register breaker.Register
		Stamp    breaker.Stamp
		Standing spread.Standing
	}
	want := []line{
		{operator, 40, spread.StandingCurrent},
		{operator, 30, spread.StandingSuperseded},
		{tuner, 25, spread.StandingExpired},
		{operator, 20, spread.StandingReplaced},
		{operator, 10, spread.StandingReplaced},
		{operator, 3, spread.StandingReplaced}, // 5 is forgotten: nothing says that 3 was lost
	}
	for _, lists := range [][]spread.PastOverlays{{here, there}, {there, here}, {there, here, there}} {
		var got []line
		for _, v := range spread.History(now, lists...) {
			got = append(got, line{v.Register, v.Stamp, v.Standing})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
}
