package tuner

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
)

var (
	counts    = rapid.OneOf(rapid.Uint64Range(0, 50), rapid.Uint64Range(0, 5000), rapid.Uint64())
	durations = rapid.Map(rapid.OneOf(rapid.Int64Range(0, int64(time.Hour)), rapid.Int64()), func(n int64) time.Duration { return time.Duration(n) })
	ints      = rapid.OneOf(rapid.IntRange(0, 12), rapid.Int())
	floats    = rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}))
	roles     = rapid.SampledFrom([]string{"", "artifact", "metadata", "x"})
	nodes     = rapid.SliceOfN(rapid.SampledFrom([]string{"n1", "n2", "n3"}), 0, 4)
	anyCounts = rapid.Custom(func(t *rapid.T) Counts {
		draw := func(name string) uint64 { return counts.Draw(t, name) }
		return Counts{
			Successes: draw("successes"), Neutral: draw("neutral"), FromCache: draw("cached"), Limited: draw("limited"),
			Server: draw("server"), Unavailable: draw("unavailable"), Timeouts: draw("timeouts"), Other: draw("other"),
			ProbesOK: draw("good"), ProbesFailed: draw("failed"), Rejected: draw("rejected"), LongestRun: draw("run"),
		}
	})
	known   = []*Memory{knows(0.001), knows(0.05), knows(0.3)}
	anyOpen = rapid.Custom(func(t *rapid.T) Open {
		switch minute := rapid.IntRange(0, 9).Draw(t, "minute"); rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			return falseOpen(minute)
		case 1:
			return trueOpen(minute, 1)
		}
		return Open{
			Role: roles.Draw(t, "role"), Reason: rapid.SampledFrom([]string{"", "consecutive-failures", "rolling-window"}).Draw(t, "reason"),
			Status: rapid.SampledFrom([]int{0, 429, 503}).Draw(t, "status"),
			Began:  noon.Add(durations.Draw(t, "began")), Lasted: durations.Draw(t, "lasted"),
			Ended: rapid.Bool().Draw(t, "ended"), Recovered: rapid.Bool().Draw(t, "recovered"),
			ProbesFailed: ints.Draw(t, "probes"), LastFailed: durations.Draw(t, "last failed"), FirstGood: durations.Draw(t, "first good"),
		}
	})
	anyNumbers = rapid.Custom(func(t *rapid.T) breaker.RolePolicy {
		return breaker.RolePolicy{
			FailMax: ints.Draw(t, "fail_max"), ResetTimeout: durations.Draw(t, "reset_timeout"),
			SuccessThreshold: ints.Draw(t, "threshold"), TrialCalls: ints.Draw(t, "trials"), RateMultiplier: floats.Draw(t, "rate"),
		}
	})
	anyPolicy = rapid.Custom(func(t *rapid.T) *breaker.Policy {
		p := breaker.DefaultPolicy()
		if rapid.Bool().Draw(t, "default") {
			return &p
		}
		n := anyNumbers.Draw(t, "numbers")
		p.FailMax, p.ResetTimeout, p.SuccessThreshold, p.TrialCalls, p.RateMultiplier = n.FailMax, n.ResetTimeout, n.SuccessThreshold, n.TrialCalls, n.RateMultiplier
		p.RetryAfterCap, p.Witnesses = durations.Draw(t, "cap"), ints.Draw(t, "witnesses")
		p.Roles = rapid.MapOfN(roles, anyNumbers, 0, 3).Draw(t, "roles")
		return &p
	})
	anyMetrics = rapid.Custom(func(t *rapid.T) *HostMetrics {
		m := &HostMetrics{
			Key: "host:a.example", Window: durations.Draw(t, "window"), All: anyCounts.Draw(t, "all"),
			Opens: rapid.SliceOfN(anyOpen, 0, 6).Draw(t, "opens"), Changed: rapid.Bool().Draw(t, "changed"),
			Nodes: nodes.Draw(t, "nodes"), Missing: nodes.Draw(t, "missing"), Members: ints.Draw(t, "members"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "roles") {
			m.Roles = append(m.Roles, RoleMetrics{roles.Draw(t, "role"), anyCounts.Draw(t, "of role")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "by node") {
			m.ByNode = append(m.ByNode, NodeCounts{"n1", anyCounts.Draw(t, "of node")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "waits") {
			m.RetryAfter = append(m.RetryAfter, Wait{durations.Draw(t, "wait"), counts.Draw(t, "times")})
		}
		if rapid.Bool().Draw(t, "home") {
			m.Home = anyPolicy.Draw(t, "home policy")
		}
		return m
	})
	anyMemory = rapid.Custom(func(t *rapid.T) *Memory {
		if kind := rapid.IntRange(0, 5).Draw(t, "kind"); kind == 0 {
			return nil
		} else if kind <= len(known) {
			m := *known[kind-1]
			m.Outage(durations.Draw(t, "last failed"), durations.Draw(t, "first good"))
			return &m
		}
		m, at := NewMemory(), rapid.Int64().Draw(t, "at")
		for range rapid.IntRange(0, 80).Draw(t, "buckets") {
			m.Observe(Bucket{at, counts.Draw(t, "judged"), counts.Draw(t, "failures"), counts.Draw(t, "limited"), floats.Draw(t, "logs"), counts.Draw(t, "calls")})
			at += rapid.SampledFrom([]int64{1, 1, 1, 0, -5, 400, math.MaxInt64}).Draw(t, "step")
		}
		for range rapid.IntRange(0, 5).Draw(t, "outages") {
			m.Outage(durations.Draw(t, "last failed"), durations.Draw(t, "first good"))
		}
		return m
	})
	anySettings = rapid.Custom(func(t *rapid.T) Settings {
		if rapid.Bool().Draw(t, "default") {
			return DefaultSettings()
		}
		return Settings{durations.Draw(t, "window"), floats.Draw(t, "price"), floats.Draw(t, "sure"), durations.Draw(t, "every")}
	})
)

// inForce is the number a policy has for a field.
func inForce(p *breaker.Policy, field, role string) float64 {
	r := resolved(p, role)
	return map[string]float64{
		FieldFailMax: float64(r.FailMax), FieldResetTimeout: r.ResetTimeout.Seconds(), FieldSuccessThreshold: float64(r.SuccessThreshold),
		FieldTrialCalls: float64(r.TrialCalls), FieldRateMultiplier: r.RateMultiplier,
	}[field]
}

// checkSuggestion is what every suggestion promises, whatever the input.
func checkSuggestion(t *rapid.T, s Suggestion, p *breaker.Policy, sure float64) {
	bounds := map[string][2]float64{
		FieldFailMax: {2, 10}, FieldResetTimeout: {15, 600}, FieldSuccessThreshold: {1, 3}, FieldTrialCalls: {1, 10}, FieldRateMultiplier: {0.1, 1},
	}
	b, known := bounds[s.Field]
	if !known || s.Rule == "" || len(s.Numbers) == 0 {
		t.Fatalf("%+v is incomplete", s)
	}
	if s.Current != inForce(p, s.Field, s.Role) {
		t.Fatalf("%+v: %v is in force", s, inForce(p, s.Field, s.Role))
	}
	if !(s.Current >= b[0] && s.Current <= b[1] && s.Proposed >= b[0] && s.Proposed <= b[1]) {
		t.Fatalf("%+v is out of %v", s, b)
	}
	if move := math.Abs(s.Proposed - s.Current); move < 0.1*s.Current || s.Field == FieldRateMultiplier && move > 0.25*s.Current+1e-9 {
		t.Fatalf("%+v moves by %v", s, move)
	}
	if s.Field != FieldRateMultiplier && s.Proposed != math.Trunc(s.Proposed) {
		t.Fatalf("%+v is no whole number", s)
	}
	if !(s.Confidence >= sure && s.Confidence <= 1) {
		t.Fatalf("%+v is not sure (%v)", s, sure)
	}
	for _, x := range []float64{s.Current, s.Proposed} {
		if n := fmt.Sprintf("%.3g", x); !strings.Contains(s.Why, n) {
			t.Fatalf("why: %q does not name %s", s.Why, n)
		}
	}
	if !strings.HasSuffix(s.Why, ".") || strings.Contains(s.Why, "NaN") || strings.Contains(s.Why, "Inf") || len(s.Why) > 400 {
		t.Fatalf("why: %q", s.Why)
	}
}

func boundedAdvice(t *rapid.T) {
	m, p, memory, s := anyMetrics.Draw(t, "metrics"), anyPolicy.Draw(t, "policy"), anyMemory.Draw(t, "memory"), anySettings.Draw(t, "settings")
	waits := append([]Wait(nil), m.RetryAfter...)
	a := Advise(m, p, memory, s)
	seen := map[[2]string]bool{}
	for _, x := range a.Suggestions {
		checkSuggestion(t, x, p, s.bounded().Sure)
		if at := [2]string{x.Field, x.Role}; seen[at] {
			t.Fatalf("%v is proposed twice", at)
		} else {
			seen[at] = true
		}
	}
	if _, err := json.Marshal(a); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(waits, append([]Wait(nil), m.RetryAfter...)) {
		t.Fatal("the metrics were changed")
	}
	if again := Advise(m, p, memory, s); !reflect.DeepEqual(a, again) {
		t.Fatalf("twice the same gives %+v and %+v", a, again)
	}
}

func TestAdviceIsBounded(t *testing.T) { rapid.Check(t, boundedAdvice) }

func FuzzAdvise(f *testing.F) { f.Fuzz(rapid.MakeFuzz(boundedAdvice)) }

// What is drawn at random reaches every rule: else the property would say little.
func TestRandomAdviceReachesEveryRule(t *testing.T) {
	reached := map[Rule]bool{}
	for seed := range 6000 {
		m, p, memory := anyMetrics.Example(seed), anyPolicy.Example(seed+1), anyMemory.Example(seed+2)
		for _, s := range Advise(m, p, memory, DefaultSettings()).Suggestions {
			reached[s.Rule] = true
		}
	}
	for _, r := range []Rule{RuleLimited, RuleQuiet, RuleOutageLength, RuleRetryAfter, RuleFailedProbes, RuleGoodProbes, RuleFalseTrips, RuleLateTrips} {
		if !reached[r] {
			t.Errorf("%s was never proposed", r)
		}
	}
}
