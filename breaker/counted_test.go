package breaker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
)

// step is a failure of a node at a second.
type step struct {
	node  string
	at    time.Duration
	count int
}

// TestTransitionsSayWhatWasCounted holds each rule to the failures that completed
// it, with who reported them and when.
func TestTransitionsSayWhatWasCounted(t *testing.T) {
	policy := breaker.DefaultPolicy()
	burst := policy
	burst.FailMax, burst.Rolling.Enabled, burst.Rolling.ThresholdFailures = 100, true, 3
	rate := policy
	rate.FailMax, rate.FailureRate.Enabled, rate.FailureRate.MinCalls = 100, true, 4
	for _, x := range []struct {
		rule   breaker.Reason
		policy breaker.Policy
		steps  []step
		want   []step
	}{
		{breaker.ReasonConsecutive, policy, []step{{"n1", 1, 2}, {"n2", 2, 1}, {"n1", 3, 2}}, []step{{"n1", 1, 2}, {"n2", 2, 1}, {"n1", 3, 2}}},
		{breaker.ReasonConsecutive, policy, []step{{"n1", 1, 2}, {"n2", 2, 9}}, []step{{"n1", 1, 1}, {"n2", 2, 9}}},
		{breaker.ReasonRolling, burst, []step{{"n2", 1, 1}, {"n1", 2, 2}}, []step{{"n2", 1, 1}, {"n1", 2, 2}}},
		{breaker.ReasonFailureRate, rate, []step{{"n1", 1, 1}, {"n2", 2, 1}, {"n1", 3, 2}}, []step{{"n2", 2, 1}, {"n1", 3, 1}}},
	} {
		m := breaker.New(&x.policy)
		for i, s := range x.steps {
			at := breaker.Instant(s.at * time.Second)
			m.Report(breaker.Moment{Now: at, Stamp: breaker.Stamp(i + 1), Members: 1}, breaker.Outcome{
				Node: s.node, Kind: breaker.Failure, Count: s.count, Began: at, Ended: at,
			})
		}
		in := m.Inspect(breaker.Instant(4 * time.Second))
		if in.LastOpen == nil || in.LastOpen.Reason != x.rule {
			t.Fatalf("%s: got %+v", x.rule, in.LastOpen)
		}
		var got []step
		for _, c := range in.LastOpen.Counted {
			got = append(got, step{c.Node, time.Duration(c.At) / time.Second, c.Count})
		}
		if d := cmp.Diff(x.want, got, cmp.AllowUnexported(step{})); d != "" {
			t.Errorf("%s: %s", x.rule, d)
		}
		// When it ran out, what opened it is still told.
		m.Tick(breaker.Moment{Now: breaker.Instant(time.Hour), Stamp: 99, Members: 1})
		if in := m.Inspect(breaker.Instant(time.Hour)); in.LastOpen == nil || in.LastTransition.To == breaker.Open {
			t.Errorf("%s: after it ran out: %+v, opened by %+v", x.rule, in.LastTransition, in.LastOpen)
		}
	}
}

// TestCountedIsBounded has a run much longer than what is kept.
func TestCountedIsBounded(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.FailMax = 100
	m := breaker.New(&p)
	for i := 1; i <= p.FailMax; i++ {
		at := breaker.Instant(i) * breaker.Instant(time.Millisecond)
		m.Report(breaker.Moment{Now: at, Stamp: breaker.Stamp(i), Members: 1}, breaker.Outcome{Node: "n1", Kind: breaker.Failure, Began: at, Ended: at})
	}
	last := m.Inspect(breaker.Instant(time.Second)).LastOpen
	if n := len(last.Counted); n != breaker.MaxCounted || last.Counted[n-1].At != breaker.Instant(100*time.Millisecond) || last.Failures != 100 {
		t.Errorf("got %+v; want the latest %d", last, breaker.MaxCounted)
	}
}
