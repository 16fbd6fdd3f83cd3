package replay_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/replay"
)

func failMax(n int) func(*breaker.Policy) {
	return func(p *breaker.Policy) { p.FailMax = n }
}

func reset(d time.Duration) func(*breaker.Policy) {
	return func(p *breaker.Policy) { p.ResetTimeout = d }
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		world  *world
		change func(*breaker.Policy)
	}{
		"flukes":                      {steady(0.2, 1), failMax(10)},
		"outages":                     {outages(20*time.Minute, 10*time.Minute, 1), failMax(10)},
		"outages longer reset":        {outages(20*time.Minute, 10*time.Minute, 1), reset(150 * time.Second)},
		"short outages shorter reset": {outages(10*time.Minute, 15*time.Second, 1), reset(20 * time.Second)},
		"outages lower":               {outages(20*time.Minute, 10*time.Minute, 1), failMax(3)},
	} {
		l := c.world.live()
		got := replay.Compare(&replay.Case{Tape: l.tape, Old: c.world.policy, Proposed: with(c.world.policy, c.change), Seed: 1})
		t.Log(name, len(l.opens), l.wrong, show(got))
	}
}
