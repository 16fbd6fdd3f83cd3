package replay_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/replay"
)

// sound checks that a comparison holds no number that is none.
func sound(t *testing.T, c replay.Comparison) {
	t.Helper()
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
		case reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i), fmt.Sprint(path, i))
			}
		case reflect.Float64:
			if x := v.Float(); math.IsNaN(x) || math.Abs(x) > 1e18 {
				t.Errorf("%s is %v", path, x)
			}
		}
	}
	walk(reflect.ValueOf(c), "")
	if c.Verdict.Reason == "" {
		t.Error("a verdict without a reason")
	}
	for i, d := range c.By {
		if r := d.Old; r.FailedProbes > r.Probes+1e-6 || r.Probes > r.LetThrough+1e-6 || r.SecondsOpen < 0 {
			t.Errorf("%v: %+v", replay.Imputation(i), r)
		}
		if d.Interval.Low > d.Interval.High {
			t.Errorf("%v: the interval is %v", replay.Imputation(i), d.Interval)
		}
	}
}

func TestLittleAndGarbage(t *testing.T) {
	p, q := breaker.DefaultPolicy(), with(breaker.DefaultPolicy(), failMax(1))
	fails := func(at breaker.Instant) breaker.Outcome {
		return breaker.Outcome{Kind: breaker.Failure, Began: at, Ended: at, Count: 1}
	}
	far := breaker.Instant(math.MaxInt64)
	nan := math.NaN()
	for name, c := range map[string]struct {
		c    replay.Case
		want string
	}{
		"empty":      {replay.Case{Old: p, Proposed: q}, "too little to judge: no call"},
		"one record": {replay.Case{Old: p, Proposed: q, Tape: replay.Tape{Outcomes: []breaker.Outcome{fails(origin)}}}, "no difference"},
		"only blocked": {replay.Case{Old: p, Proposed: q, Tape: replay.Tape{Blocked: []replay.Gap{{1, 5, 1000}, {-9, far, 3}, {7, 5, 1}, {7, 8, -1}}}},
			"too little to judge: no call"},
		"a bad proposal": {replay.Case{Old: p}, "the proposed policy is invalid"},
		"a bad policy":   {replay.Case{Proposed: p}, "the policy in force is invalid"},
		"prices and rates that are none": {replay.Case{
			Old: p, Proposed: q, Prices: replay.Prices{FailureWeight: nan, ProbePrice: -1}, Doubt: nan,
			Tape: replay.Tape{Outcomes: []breaker.Outcome{fails(1)}, CallsPerSecond: nan, Members: -5},
		}, "no difference"},
		"clocks that step": {replay.Case{Old: p, Proposed: q, Tape: replay.Tape{
			Outcomes: []breaker.Outcome{fails(far), fails(-far), fails(origin), fails(0), fails(origin.Add(replay.MaxSpan * 2)), fails(-origin)},
			Blocked:  []replay.Gap{{-origin, origin, math.MaxInt}},
		}}, "no difference"},
	} {
		t.Run(name, func(t *testing.T) {
			got := replay.Compare(&c.c)
			sound(t, got)
			if !strings.HasPrefix(got.Verdict.Reason, c.want) || got.Verdict.Accepted {
				t.Errorf("want %q; got %s", c.want, show(got))
			}
		})
	}
}

func TestPricesAreBounded(t *testing.T) {
	l := shorter(outages(20*time.Minute, 2*time.Minute, 1), 30*time.Minute).live()
	p := breaker.DefaultPolicy()
	cost := func(prices replay.Prices) float64 {
		return replay.Compare(&replay.Case{Tape: l.tape, Old: p, Proposed: p, Prices: prices}).By[replay.Mean].Old.Cost
	}
	usual := cost(replay.Prices{})
	for _, none := range []replay.Prices{{FailureWeight: math.NaN()}, {FailureWeight: -1}, {ProbePrice: -1}, {FailureWeight: 1, ProbePrice: 10 * time.Second}} {
		if got := cost(none); got != usual {
			t.Errorf("%v costs %v, want as by default %v", none, got, usual)
		}
	}
	if cost(replay.Prices{FailureWeight: math.Inf(1)}) != cost(replay.Prices{FailureWeight: 1000}) {
		t.Error("the weight of a failure has no limit")
	}
	if got := cost(replay.Prices{ProbePrice: time.Minute}); got <= usual {
		t.Errorf("dearer probes cost %v, not more than %v", got, usual)
	}
}

func TestSameCaseSameComparison(t *testing.T) {
	l := shorter(steady(0.3, 3), 3*time.Minute).live()
	p := breaker.DefaultPolicy()
	c := replay.Case{Tape: l.tape, Old: p, Proposed: with(p, failMax(8)), Seed: 7}
	before := fmt.Sprint(c)
	first := replay.Compare(&c)
	if second := replay.Compare(&c); first != second {
		t.Errorf("the second time:\n%s\nthe first:\n%s", show(second), show(first))
	}
	if fmt.Sprint(c) != before {
		t.Error("the case was changed")
	}
	for i, change := range []func(){
		func() { c.Tape.CallsPerSecond = 3 }, func() { c.Tape.Outcomes[0].Ended++ }, func() { c.Tape.Outcomes[0].Slow = true },
		func() { c.Tape.Outcomes[0].Node = "n9" }, func() { c.Tape.Blocked[0].Calls++ }, func() { c.Proposed.FailMax++ },
		func() { c.Prices.ProbePrice++ }, func() { c.Seed++ }, func() { c.Doubt = 2 }, func() { c.Tape.Members = 3 },
	} {
		last := replay.Compare(&c).Digest
		change()
		if replay.Compare(&c).Digest == last {
			t.Errorf("change %d does not change the digest", i)
		}
	}
}

func TestTooMuchIsCut(t *testing.T) {
	var tape replay.Tape
	for i := range replay.MaxRecords + 1000 {
		at := origin.Add(time.Duration(i) * time.Second)
		tape.Outcomes = append(tape.Outcomes, breaker.Outcome{Count: 1, Began: at, Ended: at})
		tape.Blocked = append(tape.Blocked, replay.Gap{From: at, To: at, Calls: 1})
	}
	p := breaker.DefaultPolicy()
	got := replay.Compare(&replay.Case{Tape: tape, Old: p, Proposed: p})
	if got.Records != replay.MaxRecords || got.Blocked > replay.MaxRecords || got.Blocked < replay.MaxBlocked {
		t.Errorf("%d records and %d blocked calls of %d", got.Records, got.Blocked, len(tape.Outcomes))
	}
}

func FuzzCompare(f *testing.F) {
	f.Add([]byte("seventeen bytes for a record, and then some more of them"), uint8(5), uint16(60), uint8(2), 10.0)
	f.Fuzz(func(t *testing.T, b []byte, fails uint8, resets uint16, members uint8, price float64) {
		var tape replay.Tape
		tape.Members, tape.CallsPerSecond = int(int8(members)), price
		at := origin
		for ; len(b) >= 8 && len(tape.Outcomes) < 2000; b = b[8:] {
			jump := time.Duration(int16(binary.LittleEndian.Uint16(b))) * time.Millisecond << (b[2] % 32)
			at = at.Add(jump)
			if b[3]&1 == 1 {
				tape.Blocked = append(tape.Blocked, replay.Gap{From: at, To: at.Add(jump), Calls: int(b[4]) << (b[5] % 24)})
				continue
			}
			o := breaker.Outcome{
				Kind: breaker.Kind(b[3] >> 1 & 3), Count: int(int8(b[4])), Began: at.Add(-jump), Ended: at,
				Node: string(b[5]%4 + 'a'), Permit: breaker.PermitID(b[3] >> 3 & 1), Strict: b[3]>>4&1 == 1, Slow: b[3]>>5&1 == 1,
			}
			if b[6] > 200 {
				o.Status, o.RetryAfter = 429, fmt.Sprint(b[7])
			}
			tape.Outcomes = append(tape.Outcomes, o)
		}
		p := breaker.DefaultPolicy()
		q := with(p, func(p *breaker.Policy) {
			p.FailMax, p.ResetTimeout = int(fails), time.Duration(resets)*time.Second
			p.TrialCalls, p.SuccessThreshold = 1+int(fails), 1+int(fails)%100
			p.FailureRate.Enabled, p.Rolling.Enabled = fails&1 == 1, fails&2 == 2
			p.Backoff.Multiplier = 1 + float64(fails%8)
		})
		prices := replay.Prices{FailureWeight: price, ProbePrice: time.Duration(resets) << 40}
		sound(t, replay.Compare(&replay.Case{Tape: tape, Old: p, Proposed: q, Prices: prices, Doubt: price}))
	})
}
