package replay_test

import (
	"math"
	"strings"
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

// bursts is a host that fails a few times in a row now and then and is well
// before and after, behind a breaker that only counts.
func bursts(seed uint64) *world {
	w := outages(10*time.Minute, 3500*time.Millisecond, seed)
	w.policy.Mode, w.upFails = breaker.ModeShadow, 0
	return w
}

func TestVerdicts(t *testing.T) {
	enforced := func(p *breaker.Policy) { p.Mode = breaker.ModeEnforce }
	for _, c := range []struct {
		name   string
		world  *world
		before func(*breaker.Policy) // what is in force in the replay, if not what wrote the tape
		change func(*breaker.Policy)
		doubt  float64
		want   string // how the reason begins, "better" if accepted
	}{
		{"failures by chance: more of them to trip", steady(0.2, 1), nil, failMax(10), 0, "better by"},
		{"the same, if nothing is known of blocked calls", steady(0.2, 1), nil, failMax(10), math.Inf(1), "not better if blocked calls"},
		{"failures by chance: fewer to trip", steady(0.2, 1), nil, failMax(4), 0, "not better if blocked calls"},
		{"bursts of which all is known: more to trip", bursts(1), enforced, failMax(15), 0, "better by"},
		{"outages: more to trip", outages(20*time.Minute, 10*time.Minute, 1), nil, failMax(10), 0, "not better if blocked calls"},
		{"outages: fewer to trip", outages(20*time.Minute, 10*time.Minute, 1), nil, failMax(3), 0, "better by"},
		{"long outages: longer open", outages(20*time.Minute, 10*time.Minute, 1), nil, reset(150 * time.Second), 0, "better by"},
		{"long outages: shorter open", outages(20*time.Minute, 10*time.Minute, 1), nil, reset(5 * time.Second), 0, "not better if blocked calls"},
		{"the same policy", outages(20*time.Minute, 10*time.Minute, 1), nil, func(*breaker.Policy) {}, 0, "no difference"},
		{"three outages", shorter(outages(20*time.Minute, 2*time.Minute, 1), 70*time.Minute), nil, failMax(3), 0, "too little to judge: 3 of"},
		{"no failures", steady(0, 1), nil, failMax(3), 0, "too little to judge: neither"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := c.world.live()
			old := c.world.policy
			if c.before != nil {
				old = with(old, c.before)
			}
			got := replay.Compare(&replay.Case{Tape: l.tape, Old: old, Proposed: with(old, c.change), Doubt: c.doubt, Seed: 1})
			if !strings.HasPrefix(got.Verdict.Reason, c.want) || got.Verdict.Accepted != (c.want == "better by") {
				t.Errorf("want %q; got %s", c.want, show(got))
			}
		})
	}
}

func shorter(w *world, length time.Duration) *world {
	w.length = length
	return w
}

// What a replay foretells of another policy is what it brings: the same world
// lived under it.
func TestForetellsWhatHappens(t *testing.T) {
	for name, c := range map[string]struct {
		world  *world
		change func(*breaker.Policy)
	}{
		"more to trip":   {steady(0.2, 2), failMax(10)},
		"longer open":    {outages(20*time.Minute, 10*time.Minute, 2), reset(150 * time.Second)},
		"shorter open":   {outages(20*time.Minute, 10*time.Minute, 2), reset(30 * time.Second)},
		"fewer to trip":  {outages(20*time.Minute, 10*time.Minute, 2), failMax(2)},
		"open by a rate": {steady(0.1, 2), func(p *breaker.Policy) { p.FailureRate.Enabled, p.FailureRate.Ratio = true, 0.25 }},
	} {
		t.Run(name, func(t *testing.T) {
			w := *c.world
			tape := w.live().tape
			old := w.policy
			w.policy = with(old, c.change)
			then := w.live()
			got := replay.Compare(&replay.Case{Tape: tape, Old: old, Proposed: w.policy, Seed: 1}).By[replay.Mean].New
			if math.Abs(got.Opens-float64(len(then.opens))) > 2+0.1*float64(len(then.opens)) {
				t.Errorf("foretold %.1f opens, then it was %d", got.Opens, len(then.opens))
			}
		})
	}
}

func TestNeedsWitnesses(t *testing.T) {
	w := outages(20*time.Minute, 2*time.Minute, 1)
	l := w.live()
	if n := len(l.opens); n < 8 {
		t.Fatalf("it opened only %d times", n)
	}
	l.tape.Members = 2 // of which the other saw no failure
	c := replay.Compare(&replay.Case{Tape: l.tape, Old: w.policy, Proposed: with(w.policy, failMax(3))})
	if got := c.By[replay.Optimistic].Old.Opens; got != 0 || c.Members != 2 {
		t.Errorf("with one witness of two it opened %v times", got)
	}
}

func TestRetryAfterCools(t *testing.T) {
	at := origin
	var tape replay.Tape
	for i := range 6 {
		o := breaker.Outcome{Count: 1, Kind: breaker.Failure, Strict: true, Began: at, Ended: at.Add(time.Second)}
		o.Status, o.RetryAfter = 429, "120"
		next := at.Add(10 * time.Minute)
		tape.Blocked = append(tape.Blocked, replay.Gap{From: o.Ended, To: o.Ended.Add(2 * time.Minute), Calls: 100})
		tape.Outcomes = append(tape.Outcomes, o,
			breaker.Outcome{Count: 9, Began: at.Add(90 * time.Second), Ended: at.Add(91 * time.Second)},
			breaker.Outcome{Count: 1, Permit: 1, Began: at.Add(130 * time.Second), Ended: at.Add(131 * time.Second)})
		if i%2 == 1 {
			tape.Outcomes[len(tape.Outcomes)-3].RetryAfter = "Wed, 21 Oct 2015 07:28:00 GMT"
		}
		at = next
	}
	p := breaker.DefaultPolicy()
	c := replay.Compare(&replay.Case{Tape: tape, Old: p, Proposed: with(p, func(p *breaker.Policy) { p.RetryAfterCap = time.Minute })})
	before, after := c.By[replay.Optimistic].Old, c.By[replay.Optimistic].New
	if before.Opens != 3 || before.SecondsOpen != 360 || before.RejectedWrongly != 327 || before.Probes != 3 {
		t.Errorf("three Retry-After of 120 s: %+v", before)
	}
	if after.SecondsOpen != 180 || after.LetThrough <= before.LetThrough {
		t.Errorf("three Retry-After of 120 s, cut to 60 s: %+v", after)
	}
}
