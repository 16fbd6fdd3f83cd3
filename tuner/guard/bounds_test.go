package guard_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/tuner/guard"
)

func TestClamp(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		field             string
		current, proposed float64
		want              float64
		limit             guard.Limit
	}{
		{guard.FailMax, 5, 7, 7, guard.Unlimited},
		{guard.FailMax, 5, 1, 2, guard.TooLow},
		{guard.FailMax, 5, 1e9, 10, guard.TooHigh},
		{guard.FailMax, 5, 6.9, 6, guard.Rounded},
		{guard.FailMax, 5, 4.1, 5, guard.Rounded},
		{guard.FailMax, 5, nan, 5, guard.NotANumber},
		{guard.FailMax, 50, nan, 10, guard.NotANumber}, // an operator's value beyond the bounds
		{guard.FailMax, nan, nan, 5, guard.NotANumber},
		{guard.FailMax, nan, 8, 8, guard.Unlimited},
		{guard.FailMax, 1, inf, 10, guard.TooHigh},
		{guard.FailMax, 1, -inf, 2, guard.TooLow},
		{guard.ResetTimeout, 60, 5, 15, guard.TooLow},
		{guard.ResetTimeout, 60, 3600, 600, guard.TooHigh},
		{guard.ResetTimeout, 60, 93.4, 93, guard.Rounded},
		{guard.SuccessThreshold, 1, 4, 3, guard.TooHigh},
		{guard.TrialCalls, 1, 0, 1, guard.TooLow},
		{guard.TrialCalls, 1, 11, 10, guard.TooHigh},
		{guard.RateMultiplier, 1, 0.8, 0.8, guard.Unlimited},
		{guard.RateMultiplier, 1, 0.5, 0.75, guard.TooFar},
		{guard.RateMultiplier, 0.5, 1, 0.625, guard.TooFar},
		{guard.RateMultiplier, 0.5, inf, 0.625, guard.TooFar},
		{guard.RateMultiplier, 0.1, 0, 0.1, guard.TooLow},
		{guard.RateMultiplier, 0.11, 0, 0.1, guard.TooLow},
		{guard.RateMultiplier, 0.101, 1, 0.126, guard.TooFar}, // 0.12625, rounded towards what it was
		{guard.RateMultiplier, 0.9, 0.84999, 0.85, guard.Rounded},
		{"witnesses", 2, 5, 2, guard.UnknownField},
		{"witnesses", inf, 5, 0, guard.UnknownField},
	} {
		got, limit := guard.Clamp(c.field, c.current, c.proposed)
		if got != c.want || limit != c.limit {
			t.Errorf("Clamp(%s, %v, %v) = %v, %q; want %v, %q", c.field, c.current, c.proposed, got, limit, c.want, c.limit)
		}
	}
}

// What a tuner may set, every policy accepts; what stands for a current value
// that is none is the default of policies.
func TestBoundsAreWithinThePolicys(t *testing.T) {
	d := breaker.DefaultPolicy()
	if len(guard.Bounds()) != 5 {
		t.Fatalf("%d fields", len(guard.Bounds()))
	}
	for _, b := range guard.Bounds() {
		defaults := map[string]float64{
			guard.FailMax: float64(d.FailMax), guard.ResetTimeout: d.ResetTimeout.Seconds(), guard.TrialCalls: float64(d.TrialCalls),
			guard.SuccessThreshold: float64(d.SuccessThreshold), guard.RateMultiplier: d.RateMultiplier,
		}
		if want := defaults[b.Field]; b.Default != want {
			t.Errorf("%s: default %v, a policy has %v", b.Field, b.Default, want)
		}
		if b.Least > b.Default || b.Default > b.Most || b.Least >= b.Most {
			t.Errorf("%s: %v to %v with default %v", b.Field, b.Least, b.Most, b.Default)
		}
	}
	for _, most := range []bool{false, true} {
		p := breaker.DefaultPolicy()
		for _, b := range guard.Bounds() {
			set(&p, b.Field, map[bool]float64{false: b.Least, true: b.Most}[most])
		}
		if err := p.Validate(); err != nil {
			t.Errorf("the bounds are refused: %v", err)
		}
	}
}

// absurd draws any float, and often those that break arithmetic.
func absurd() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1, 700), rapid.SampledFrom([]float64{
		math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
		0, math.Copysign(0, -1), 0.1, 0.10000000000000002, 0.0999999999, 1, 1 + 1e-16, 1e-300, 1e300, 9.999999999, 600.0000001,
	}))
}

func field() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{guard.FailMax, guard.ResetTimeout, guard.SuccessThreshold, guard.TrialCalls, guard.RateMultiplier, "mode", ""})
}

func TestBoundsHoldWhateverTheInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		holds(t, field().Draw(t, "field"), absurd().Draw(t, "current"), absurd().Draw(t, "proposed"))
	})
}

// holds checks what Clamp promises.
func holds(t interface{ Fatalf(string, ...any) }, field string, current, proposed float64) {
	got, limit := guard.Clamp(field, current, proposed)
	if math.IsNaN(got) || math.IsInf(got, 0) {
		t.Fatalf("Clamp(%q, %v, %v) = %v", field, current, proposed, got)
	}
	b, ok := guard.BoundOf(field)
	if !ok {
		if limit != guard.UnknownField {
			t.Fatalf("%q may be changed", field)
		}
		return
	}
	if got < b.Least || got > b.Most {
		t.Fatalf("Clamp(%q, %v, %v) = %v, beyond %v to %v", field, current, proposed, got, b.Least, b.Most)
	}
	if b.Kind == guard.Whole && got != math.Trunc(got) {
		t.Fatalf("Clamp(%q, %v, %v) = %v is not whole", field, current, proposed, got)
	}
	if b.Step > 0 && current >= b.Least && current <= b.Most && math.Abs(got-current) > current*b.Step+1e-12 {
		t.Fatalf("Clamp(%q, %v, %v) = %v, more than %v of it away", field, current, proposed, got, b.Step)
	}
	if proposed >= b.Least && proposed <= b.Most && limit == guard.Unlimited && got != proposed {
		t.Fatalf("Clamp(%q, %v, %v) = %v without a word", field, current, proposed, got)
	}
	if again, _ := guard.Clamp(field, current, got); again != got {
		t.Fatalf("Clamp(%q, %v, %v) = %v, and of that %v", field, current, proposed, got, again)
	}
}

func FuzzClamp(f *testing.F) {
	f.Add("rate_multiplier", uint64(0x3fb999999999999a), math.Float64bits(math.NaN()))
	f.Add("fail_max", math.Float64bits(5), math.Float64bits(math.Inf(1)))
	f.Fuzz(func(t *testing.T, field string, current, proposed uint64) {
		holds(t, field, math.Float64frombits(current), math.Float64frombits(proposed))
	})
}

// set writes a field into a policy.
func set(p *breaker.Policy, field string, x float64) {
	switch field {
	case guard.FailMax:
		p.FailMax = int(x)
	case guard.ResetTimeout:
		p.ResetTimeout = time.Duration(x * float64(time.Second))
	case guard.SuccessThreshold:
		p.SuccessThreshold = int(x)
	case guard.TrialCalls:
		p.TrialCalls = int(x)
	case guard.RateMultiplier:
		p.RateMultiplier = x
	}
}
